import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { Address } from './router.ts';

/** Where a router listens: its Service. */
export interface RouterService {
  readonly namespace: string;
  readonly name: string;
}

interface EndpointSlice extends KubeObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

/** The addresses of all ready pods in these EndpointSlices, in order. */
export function readyAddresses(slices: readonly KubeObject[]): readonly string[] {
  const ready = (slices as readonly EndpointSlice[]).flatMap(({ endpoints = [] }) =>
    endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .map(({ addresses }) => addresses[0] ?? ''),
  );
  return [...new Set(ready)].sort();
}

/**
 * The ready pods behind a Service, by its EndpointSlices; `portName` is the name of the Service's port, and the port of
 * an address is the one on the pod. Empty when the Service has no such port, no ready pod, or is not there. Rejects
 * when the API server cannot be asked.
 */
export async function endpointsOf(
  client: Pick<KubeClient, 'list'>,
  service: RouterService,
  portName: string,
  signal: AbortSignal,
): Promise<Address[]> {
  const { items } = await client.list(
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace: service.namespace,
      labelSelector: `kubernetes.io/service-name=${service.name}`,
    },
    signal,
  );
  return (items as readonly EndpointSlice[]).flatMap((slice) => {
    const port = slice.ports?.find((candidate) => candidate.name === portName)?.port;
    if (port === undefined) return [];
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready !== false)
      .flatMap((endpoint) => endpoint.addresses.slice(0, 1).map((ip) => ({ ip, port })));
  });
}
