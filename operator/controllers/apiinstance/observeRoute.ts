import type { ApiInstance, ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { legacy, type Route } from '../../rollout/types.ts';
import { apiVersion } from '../../api/v1alpha1/shared.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { TrafficRouter } from '../../traffic/router.ts';
import { lookUp, type Caches } from './caches.ts';
import type { World } from './world.ts';

/** Every router by its name in the spec; undefined where the operator was not told of one. */
export type Routers = Readonly<Record<ApiInstanceSpec['expose']['router'], TrafficRouter | undefined>>;

/** What is there to read the route of an instance from. */
interface RouteSources {
  readonly instance: ApiInstance;
  readonly spec: ApiInstanceSpec | undefined;
  readonly caches: Caches;
  readonly routers: Routers;
  /** The revision that the stable Service selects, where that is ours. */
  readonly selected: number | undefined;
  /** The revision that has a workload now: objects of a router name workloads. */
  readonly worn: (workload: number) => number;
  readonly kept: ReadonlySet<number>;
  readonly mine: (object: KubeObject | undefined) => object is KubeObject;
}

/** The route, and the objects under the names that the routers give to theirs, whoever made them. */
type ObservedRoute = Pick<World, 'route' | 'hasFrom' | 'rival' | 'refusal' | 'router'> & {
  readonly named: readonly KubeObject[];
};

/** Who has the traffic of an instance, as the stable Service and the router's objects say. */
export function readRoute(sources: RouteSources): ObservedRoute {
  const { instance, spec, caches, routers, mine } = sources;
  const { name, namespace, uid } = instance.metadata;
  const named = Object.values(routers).flatMap((router) =>
    (router?.objectRefs({ name, namespace }) ?? []).flatMap((ref) => lookUp(caches, ref) ?? []),
  );
  const router = spec && routers[spec.expose.router];
  if (!spec || !router) {
    const stable = stableOf(sources);
    const route = { main: stable, stable, canary: undefined };
    return { route, hasFrom: false, rival: undefined, refusal: undefined, router, named };
  }
  const objects = named.filter(mine);
  const owner = { apiVersion, kind: 'ApiInstance', name, namespace, uid };
  const kinds = new Set(router.objectRefs(owner).map(({ kind }) => kind));
  const others = [caches.ingresses, caches.httpRoutes]
    .flatMap((cache) => cache?.byIndex('host', spec.expose.host) ?? [])
    .filter(({ kind }) => kinds.has(kind));
  const rival = router.rival(owner, spec, others);
  return {
    ...routeOf(sources, spec, router, objects),
    rival: rival && `${rival.kind} ${rival.metadata.namespace ?? ''}/${rival.metadata.name}`,
    refusal: router.refusal(objects),
    router,
    named,
  };
}

function routeOf(
  sources: RouteSources,
  spec: ApiInstanceSpec,
  router: TrafficRouter,
  objects: readonly KubeObject[],
): { readonly route: Route; readonly hasFrom: boolean } {
  const { instance } = sources;
  const reading = router.read(instance.metadata.name, spec, objects);
  const stable = stableOf(sources);
  const hasFrom =
    spec.rollout.from !== undefined && instance.status?.stable === undefined && reading.main !== 'stable';
  // Without a main route of ours nobody knows who has the traffic: on the way away from a service it is still that one.
  const isLegacy = reading.main === 'from' || (hasFrom && stable !== undefined);
  const beforeFirst = hasFrom && !isLegacy;
  const main = isLegacy ? legacy : beforeFirst ? undefined : stable;
  const canary = reading.canary && { ...reading.canary, revision: sources.worn(reading.canary.revision) };
  return { route: { main, stable, canary }, hasFrom };
}

/**
 * The revision of the stable Service. One that somebody deleted comes back with the revision that status remembers:
 * clients would meet 503 until then.
 */
function stableOf({ selected, instance, kept }: RouteSources): number | undefined {
  const remembered = instance.status?.stable?.revision;
  return selected ?? (remembered !== undefined && kept.has(remembered) ? remembered : undefined);
}
