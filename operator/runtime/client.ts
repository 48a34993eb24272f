import type { KubeConfig } from '@kubernetes/client-node';
import type { KubeClient } from './kubeClient.ts';
import type { ResourceMappings } from './resourcePath.ts';

/** One finished call, for the metrics. `status` 0: no HTTP answer. */
export type OnRequest = (request: { readonly method: string; readonly status: number }) => void;

/** What `createKubeClient` takes beside the KubeConfig. */
export interface KubeClientOptions {
  /** Kinds beyond `builtInResources`, such as the operator's own. */
  readonly mappings?: ResourceMappings;
  readonly onRequest?: OnRequest;
  /** Timeout of every call but the watch. Default 30 s. */
  readonly timeoutMs?: number;
}

/** A client with its connections. */
export interface ConnectedKubeClient extends KubeClient {
  /** Closes the connections; calls that still run fail. */
  close(): Promise<void>;
}

/** A client for the current context of the KubeConfig. */
export function createKubeClient(
  kubeConfig: KubeConfig,
  options: KubeClientOptions = {},
): ConnectedKubeClient {
  void [kubeConfig, options];
  throw new Error('being written');
}
