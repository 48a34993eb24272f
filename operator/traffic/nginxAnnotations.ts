import { probeHeader } from '../resources/gate.ts';
import { canaryIngress, mainIngress, readCanary } from '../resources/ingress.ts';
import { names, type Owner } from '../resources/names.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { Address, TrafficRouter } from './router.ts';

/** Where the ingress controller listens: its Service. */
export interface IngressService {
  readonly namespace: string;
  readonly name: string;
}

/**
 * ingress-nginx by its canary annotations (https://kubernetes.github.io/ingress-nginx, "Canary"). Weights are random
 * per request; a cookie that says `always` or `never` beats the weight, which is how one route is asked on its own.
 * A change of either Ingress reaches nginx 0 to 3.3 s later (its --sync-rate-limit), and each replica on its own.
 */
export function createNginxAnnotationsRouter(client: KubeClient, service: IngressService): TrafficRouter {
  return {
    objects: (owner, spec, canary) => [
      mainIngress(owner, spec),
      ...(canary ? [canaryIngress(owner, spec, { ...canary, cookie: cookieName(owner) })] : []),
    ],
    objectNames: (instance) => ({
      kind: 'Ingress',
      main: names(instance).ingress,
      canary: names(instance).canaryIngress,
    }),
    readCanary,
    probe: (owner, spec, kind) => ({
      host: spec.expose.host,
      path: spec.expose.path,
      headers: { [probeHeader]: '1', ...cookieFor(owner, kind) },
    }),
    dataPlane: (signal) => endpointsOf(client, service, signal),
  };
}

/** Of this instance alone: a client's cookie for one API must not steer it in another one on the same host. */
function cookieName(owner: Owner): string {
  return `pgrst-${owner.uid.slice(0, 8)}`;
}

function cookieFor(owner: Owner, kind: 'weights' | 'main' | 'canary'): Record<string, string> {
  if (kind === 'weights') return {};
  return { Cookie: `${cookieName(owner)}=${kind === 'main' ? 'never' : 'always'}` };
}

interface EndpointSlice extends KubeObject {
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[];
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

/** The ready pods of the controller, by the EndpointSlices of its Service; the port named http. */
async function endpointsOf(
  client: KubeClient,
  service: IngressService,
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
    const port = slice.ports?.find((candidate) => candidate.name === 'http')?.port;
    if (port === undefined) return [];
    return (slice.endpoints ?? [])
      .filter((endpoint) => endpoint.conditions?.ready !== false)
      .flatMap((endpoint) => endpoint.addresses.slice(0, 1).map((ip) => ({ ip, port })));
  });
}
