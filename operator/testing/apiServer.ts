import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { createKubeClient, type ConnectedKubeClient } from '../runtime/client.ts';
import type { ResourceMappings } from '../runtime/resourcePath.ts';

/** A client of the real API server of the test run, and a namespace of the test file's own. */
export interface TestApiServer {
  readonly client: ConnectedKubeClient;
  readonly namespace: string;
  /** A second, independent client of the same server; it is closed with the first. */
  connect(): ConnectedKubeClient;
  /** Deletes the namespace and closes the connections. */
  close(): Promise<void>;
}

/** The kubeconfig of the test run's API server. Throws when there is none: a test that skips itself proves nothing. */
export function testKubeConfig(): KubeConfig {
  const file = process.env.PGRST_TEST_KUBECONFIG;
  if (file === undefined || file === '')
    throw new Error('PGRST_TEST_KUBECONFIG is not set: run these tests with `npm run test:api`');
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(file);
  return kubeConfig;
}

/** Connects to the API server that PGRST_TEST_KUBECONFIG names and makes a fresh namespace. */
export async function connectTestApiServer(mappings: ResourceMappings = {}): Promise<TestApiServer> {
  const kubeConfig = testKubeConfig();
  const clients: ConnectedKubeClient[] = [];
  const connect = (): ConnectedKubeClient => {
    const client = createKubeClient(kubeConfig, { mappings });
    clients.push(client);
    return client;
  };
  const client = connect();
  const namespace = `test-${randomBytes(5).toString('hex')}`;
  const signal = AbortSignal.timeout(30_000);
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, signal);
  return {
    client,
    namespace,
    connect,
    async close() {
      const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
      await client.delete(ref, {}, AbortSignal.timeout(30_000));
      for (const each of clients) await each.close();
    },
  };
}
