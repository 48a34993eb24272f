import { probeHeader } from '../resources/gate.ts';
import { canaryIngress, knownPath, mainIngress } from '../resources/ingress.ts';
import { names, type Owner } from '../resources/names.ts';
import { readCanary, readMain, rivalIngress } from '../resources/readIngress.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import { endpointsOf, type RouterService } from './common.ts';
import type { TrafficRouter } from './router.ts';

/**
 * ingress-nginx by its canary annotations (https://kubernetes.github.io/ingress-nginx, "Canary"). Weights are random
 * per request; a cookie that says `always` or `never` beats the weight, which is how one route is asked on its own.
 * A change of either Ingress reaches nginx 0 to 3.3 s later (its --sync-rate-limit), and each replica on its own.
 * `service` is the controller's, with ports named `http` and `https`.
 */
export function createNginxAnnotationsRouter(
  client: Pick<KubeClient, 'list'>,
  service: RouterService,
): TrafficRouter {
  return {
    objects: (owner, spec, { main, canary, preview }) => [
      mainIngress(owner, spec, main),
      ...(canary ? [canaryIngress(owner, spec, { ...canary, cookie: cookieName(owner), preview })] : []),
    ],
    objectRefs: ({ name, namespace }) =>
      [names(name).canaryIngress, names(name).ingress].map((ingress) => ({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        namespace,
        name: ingress,
      })),
    read: (instance, spec, objects) => {
      const named = (name: string) => objects.find(({ metadata }) => metadata.name === name);
      const main = named(names(instance).ingress);
      const canary = named(names(instance).canaryIngress);
      return {
        main: main && readMain(instance, spec, main),
        canary: canary && readCanary(instance, canary),
      };
    },
    rival: rivalIngress,
    // An Ingress has no word for it.
    refusal: () => undefined,
    probe: (owner, spec, kind) => ({
      host: spec.expose.host,
      path: kind === 'stable' ? knownPath(owner, spec) : spec.expose.path,
      headers: { [probeHeader]: '1', ...cookieFor(owner, kind) },
      ...(spec.expose.rateLimit ? { perSecond: paced(spec.expose.rateLimit.requestsPerSecond) } : {}),
    }),
    dataPlane: async ({ expose }, signal) => {
      // A host with TLS is not served without: there ingress-nginx redirects everything.
      if (!expose.tls) return endpointsOf(client, service, 'http', signal);
      const places = await endpointsOf(client, service, 'https', signal);
      return places.map((place) => ({ ...place, tls: true }));
    },
  };
}

/**
 * The limit for clients holds for probes too, and what is over it looks like a router that finds nobody: two proofs at
 * once stay below it.
 */
function paced(requestsPerSecond: number): number {
  return requestsPerSecond * 0.4;
}

/** Of this instance alone: a client's cookie for one API must not steer it in another one on the same host. */
function cookieName(owner: Owner): string {
  return `pgrst-${owner.uid.slice(0, 8)}`;
}

function cookieFor(
  owner: Owner,
  kind: Parameters<TrafficRouter['probe']>[2],
): Readonly<Record<string, string>> {
  if (kind !== 'main' && kind !== 'canary') return {};
  return { Cookie: `${cookieName(owner)}=${kind === 'main' ? 'never' : 'always'}` };
}
