import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { probeHeader } from '../resources/gate.ts';
import {
  gatewayApiVersion,
  httpRoute,
  isPlain,
  readHttpRoute,
  steerHeader,
  steerValue,
  type HttpRoute,
  type ParentRef,
  type RouteRule,
} from '../resources/httpRoute.ts';
import { names, type Owner } from '../resources/names.ts';
import type { Expectation } from '../rollout/types.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import { endpointsOf, type RouterService } from './common.ts';
import type { TrafficRouter } from './router.ts';

/**
 * Names of the port through which HTTP comes in, as the Services of Gateways have it: `web` (Traefik's chart) before
 * `http`.
 */
const portNames = ['web', 'http'] as const;

/**
 * Gateway API by the weights of one HTTPRoute (https://gateway-api.sigs.k8s.io/api-types/httproute). A change of it
 * reaches Traefik after 0.01 to 0.22 s, and each replica on its own. Traefik shares weights out in turns; a backend of
 * weight 0 gets nothing there, and one without a ready endpoint answers its share with 503.
 */
export function createGatewayRouter(client: Pick<KubeClient, 'list'>, service: RouterService): TrafficRouter {
  return {
    objects: (owner, spec, intent) => [httpRoute(owner, spec, intent)],
    objectRefs: ({ name, namespace }) => [
      { apiVersion: gatewayApiVersion, kind: 'HTTPRoute', namespace, name: names(name).ingress },
    ],
    read(instance, spec, objects) {
      const route = objects.find(
        ({ kind, metadata }) => kind === 'HTTPRoute' && metadata.name === names(instance).ingress,
      );
      return route ? readHttpRoute(instance, spec, route) : { main: undefined, canary: undefined };
    },
    rival: rivalRoute,
    refusal: (objects) => objects.map(refusalOf).find((text) => text !== undefined),
    probe: (owner, spec, kind) => ({
      host: spec.expose.host,
      path: spec.expose.path,
      headers: { [probeHeader]: '1', ...steering(owner, kind) },
    }),
    async dataPlane(_, signal) {
      for (const portName of portNames) {
        const found = await endpointsOf(client, service, portName, signal);
        if (found.length > 0) return found;
      }
      return [];
    },
  };
}

function steering(owner: Owner, kind: Expectation['kind']): Record<string, string> {
  return kind === 'weights' ? {} : { [steerHeader]: steerValue(owner, kind) };
}

/**
 * The route of somebody else that claims the instance's host and path at a Gateway of its, older or younger: between
 * equal claims Traefik goes by the number of rules, others by age. One that leads to the service of `rollout.from` is none
 * as long as ours leads there too and gives no share to anybody: whoever wins, the same answers, and it can be deleted
 * without a gap.
 */
function rivalRoute(
  owner: Owner,
  spec: ApiInstanceSpec,
  routes: readonly KubeObject[],
): KubeObject | undefined {
  const own = routes.find((route) => isOwned(owner, route));
  const reading = own && readHttpRoute(owner.name, spec, own);
  const isAway = (reading?.main ?? 'from') === 'from' && (reading?.canary?.weight ?? 0) === 0;
  return routes.find((route) => {
    if (isOwned(owner, route) || route.metadata.deletionTimestamp !== undefined) return false;
    const claims = claimsOf(owner, spec, route);
    const isSame =
      route.metadata.namespace === owner.namespace && claims.every((rule) => leadsAway(spec, rule));
    return claims.length > 0 && !(isAway && isSame);
  });
}

function isOwned(owner: Owner, { metadata }: KubeObject): boolean {
  return metadata.ownerReferences?.some(({ uid }) => uid === owner.uid) === true;
}

/** The rules of a route that take what is the instance's. */
function claimsOf(owner: Owner, spec: ApiInstanceSpec, route: KubeObject): readonly RouteRule[] {
  if (route.kind !== 'HTTPRoute') return [];
  const { parentRefs = [], hostnames = [], rules = [] } = (route as HttpRoute).spec ?? {};
  const ours = (spec.expose.parentRefs ?? []).map((parent) => placed(parent, owner.namespace));
  const theirs = parentRefs.map((parent) => placed(parent, route.metadata.namespace));
  const meet = ours.some((one) => theirs.some((another) => overlap(one, another)));
  return meet && hostnames.includes(spec.expose.host)
    ? rules.filter((rule) => isPlain(rule, spec.expose.path))
    : [];
}

/** Whether all that a rule takes goes to the service of `rollout.from`. */
function leadsAway({ rollout }: ApiInstanceSpec, { backendRefs = [] }: RouteRule): boolean {
  const from = rollout.from?.service;
  return (
    backendRefs.length > 0 &&
    backendRefs.every(
      ({ name, port, namespace }) => name === from?.name && port === from.port && namespace === undefined,
    )
  );
}

/** A parent with everything filled in that its absence means, but for the listener. */
function placed(
  { kind = 'Gateway', namespace, name, sectionName }: ParentRef,
  routeNamespace: string | undefined,
): { readonly gateway: string; readonly listener: string | undefined } {
  return { gateway: `${kind} ${namespace ?? routeNamespace ?? ''}/${name}`, listener: sectionName };
}

function overlap(one: ReturnType<typeof placed>, another: ReturnType<typeof placed>): boolean {
  const isOneOpen = one.listener === undefined || another.listener === undefined;
  return one.gateway === another.gateway && (isOneOpen || one.listener === another.listener);
}

/**
 * Why the Gateways do not serve a route as it is now, as a sentence that says what to look at; undefined when they do,
 * and while one that has served it has not yet looked at its newest spec. For explaining why traffic cannot be proved:
 * in the moment after its creation a route has been taken up by nobody either. A missing Service is no refusal
 * while main is `from`: the stable Service comes into being later.
 */
export function refusalOf(route: KubeObject): string | undefined {
  const { metadata, spec, status } = route as HttpRoute;
  const parents = status?.parents ?? [];
  if (parents.length === 0) {
    const named = (spec?.parentRefs ?? []).map((parent) =>
      [parent.namespace ?? metadata.namespace ?? '', parent.name].join('/'),
    );
    return `no Gateway has taken up HTTPRoute ${metadata.name}: is there one by the name that spec.expose.parentRefs has (${named.join(', ')}), and does its controller run?`;
  }
  for (const { parentRef, conditions = [] } of parents) {
    const refused = conditions.find(
      ({ type, status: value, reason, observedGeneration = metadata.generation }) =>
        (type === 'Accepted' || type === 'ResolvedRefs') &&
        value === 'False' &&
        observedGeneration === metadata.generation &&
        !(reason === 'BackendNotFound' && awaitsStable(route as HttpRoute)),
    );
    if (refused) {
      const gateway = [parentRef?.namespace ?? metadata.namespace ?? '', parentRef?.name ?? ''].join('/');
      const why = [refused.reason, refused.message].filter((text) => text).join(': ');
      return `Gateway ${gateway} does not serve HTTPRoute ${metadata.name} (${refused.type} is False): ${why}`;
    }
  }
  return undefined;
}

/** Whether the route has the rule by which the stable Service is asked before the main route leads to it. */
function awaitsStable({ spec }: HttpRoute): boolean {
  return (spec?.rules ?? []).some(
    (rule) => rule.matches?.[0]?.headers?.some(({ value }) => value.startsWith('stable-')) === true,
  );
}
