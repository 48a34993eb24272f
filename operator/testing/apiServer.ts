import type { ConnectedKubeClient } from '../runtime/client.ts';
import type { ResourceMappings } from '../runtime/resourcePath.ts';

/** A client of the real API server of the test run, and a namespace of the test file's own. */
export interface TestApiServer {
  readonly client: ConnectedKubeClient;
  readonly namespace: string;
  /** Deletes the namespace and closes the connections. */
  close(): Promise<void>;
}

/** Connects to the API server that PGRST_TEST_KUBECONFIG names. Throws when the variable is not set. */
export async function connectTestApiServer(mappings: ResourceMappings = {}): Promise<TestApiServer> {
  await Promise.reject(new Error('being written'));
  void mappings;
  throw new Error('unreachable');
}
