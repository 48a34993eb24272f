import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import { labels, names, ownedMetadata, type Owner } from './names.ts';
import { routerSeconds } from './timeouts.ts';

/** `apiVersion` of HTTPRoutes: Gateway API v1.0 and newer, standard channel. */
export const gatewayApiVersion = 'gateway.networking.k8s.io/v1';
/** A request with this header and the instance's secret value reaches the candidate whatever its weight. */
export const previewHeader = 'X-Pgrst-Preview';
/** A request with this header reaches one backend whatever the weights: how each is asked on its own. */
export const steerHeader = 'X-Pgrst-Steer';

/** Where a request with the steering header goes: the main route, the candidate's Service, the stable Service. */
export type SteerTarget = 'main' | 'canary' | 'stable';

/** What an HTTPRoute is to say. */
export interface RouteIntent {
  /** Where the main route leads: to the stable Service, or to the one of `rollout.from`. */
  readonly main: 'stable' | 'from';
  /** The revision with a share beside it; weight in percent, 0 to 100. */
  readonly canary: { readonly revision: number; readonly weight: number } | undefined;
  /** What the preview header must say; undefined: it does nothing. */
  readonly preview: string | undefined;
}

/** An HTTPRoute, as far as we write and read it. */
export interface HttpRoute extends KubeObject {
  readonly spec?: {
    readonly parentRefs?: readonly ParentRef[];
    readonly hostnames?: readonly string[];
    readonly rules?: readonly RouteRule[];
  };
  readonly status?: {
    readonly parents?: readonly {
      readonly parentRef?: ParentRef;
      readonly conditions?: readonly {
        readonly type: string;
        readonly status: string;
        readonly reason?: string;
        readonly message?: string;
        readonly observedGeneration?: number;
      }[];
    }[];
  };
}

/** Points at a Gateway, or at one of its listeners. */
export interface ParentRef {
  /** Absent: Gateway. */
  readonly kind?: string | undefined;
  /** Absent: that of the route. */
  readonly namespace?: string | undefined;
  readonly name: string;
  /** A listener of it. Absent: all. */
  readonly sectionName?: string | undefined;
}

/** A rule of an HTTPRoute. */
export interface RouteRule {
  readonly matches?: readonly RouteMatch[];
  readonly backendRefs?: readonly Backend[];
  readonly timeouts?: { readonly request?: string };
}

interface RouteMatch {
  readonly path?: { readonly type?: string; readonly value?: string };
  readonly headers?: readonly { readonly type?: string; readonly name: string; readonly value: string }[];
  readonly method?: string;
  readonly queryParams?: readonly unknown[];
}

interface Backend {
  readonly group?: string;
  readonly kind?: string;
  /** Absent: that of the route. */
  readonly namespace?: string;
  readonly name: string;
  readonly port?: number;
  /** Absent: 1. */
  readonly weight?: number;
}

/** The value of the steering header, of this instance alone: another API's clients must not be steered by it. */
export function steerValue(owner: Pick<Owner, 'uid'>, target: SteerTarget): string {
  return `${target}-${owner.uid.slice(0, 8)}`;
}

/**
 * The whole way in as one object, so that any change of it is one write. Rules with a header come first; a Gateway
 * prefers them over the plain rule of the same path anyway (more matching headers), and among themselves in this order.
 * Both backends stay in the plain rule at weight 0 and 100 too: what the route said is read back from there. What the API
 * server would fill in is written out, so that the object is stored as it is built. Throws for main `from` without
 * `spec.rollout.from`.
 */
export function httpRoute(owner: Owner, spec: ApiInstanceSpec, intent: RouteIntent): KubeObject {
  const { expose } = spec;
  const { main, canary, preview } = intent;
  const name = names(owner.name);
  const stableBackend = ownService(name.stableService);
  const mainBackend = main === 'stable' ? stableBackend : fromBackend(spec);
  const candidate = canary && ownService(name.revision(canary.revision));
  const rule = (backendRefs: readonly Backend[], header?: readonly [string, string]): RouteRule => ({
    matches: [
      {
        path: { type: 'PathPrefix', value: expose.path },
        ...(header ? { headers: [{ type: 'Exact', name: header[0], value: header[1] }] } : {}),
      },
    ],
    backendRefs,
    ...timeouts(spec),
  });
  const steer = (target: SteerTarget, backend: Backend): RouteRule =>
    rule([{ ...backend, weight: 1 }], [steerHeader, steerValue(owner, target)]);
  const rules: readonly RouteRule[] = [
    ...(candidate && preview !== undefined
      ? [rule([{ ...candidate, weight: 1 }], [previewHeader, preview])]
      : []),
    steer('main', mainBackend),
    ...(candidate ? [steer('canary', candidate)] : []),
    ...(main === 'from' ? [steer('stable', stableBackend)] : []),
    candidate
      ? rule([
          { ...mainBackend, weight: 100 - canary.weight },
          { ...candidate, weight: canary.weight },
        ])
      : rule([{ ...mainBackend, weight: 100 }]),
  ];
  return {
    apiVersion: gatewayApiVersion,
    kind: 'HTTPRoute',
    metadata: ownedMetadata(owner, name.ingress, labels(owner.name)),
    spec: {
      parentRefs: (expose.parentRefs ?? []).map((parent) => ({
        group: 'gateway.networking.k8s.io',
        kind: 'Gateway',
        ...parent,
      })),
      hostnames: [expose.host],
      rules,
    },
  };
}

/**
 * What an HTTPRoute says, hand edits included. The plain rule of the instance's path tells: its first backend that is
 * no revision is main, its revision with the largest weight is the canary; a revision that only the steering rule knows
 * has weight 0. A share by hand, such as 1 to 2, is rounded to percent, but never to 0 or 100.
 */
export function readHttpRoute(
  instance: string,
  spec: ApiInstanceSpec,
  route: KubeObject,
): Pick<RouteIntent, 'canary'> & { readonly main: RouteIntent['main'] | undefined } {
  const rules = (route as HttpRoute).spec?.rules ?? [];
  const backends = rules.find((rule) => isPlain(rule, spec.expose.path))?.backendRefs ?? [];
  const [mainBackend] = backends.filter(({ name }) => revisionNamed(instance, name) === undefined);
  const [share] = backends
    .flatMap((backend) => {
      const revision = revisionNamed(instance, backend.name);
      return revision === undefined ? [] : [{ revision, weight: backend.weight ?? 1 }];
    })
    .sort((a, b) => b.weight - a.weight);
  const total = backends.reduce((sum, { weight = 1 }) => sum + weight, 0);
  const steered = rules
    .filter((rule) => rule.matches?.[0]?.headers?.[0]?.name === steerHeader)
    .map((rule) => revisionNamed(instance, rule.backendRefs?.[0]?.name))
    .find((revision) => revision !== undefined);
  const waiting = steered === undefined ? undefined : { revision: steered, weight: 0 };
  return {
    main: mainOf(instance, spec, mainBackend),
    canary: share ? { revision: share.revision, weight: percent(share.weight, total) } : waiting,
  };
}

/** Whether a rule takes every request below exactly this path, whatever its headers. */
export function isPlain({ matches }: RouteRule, path: string): boolean {
  // Without a match, and without a path in a match, a rule is about everything.
  return (matches ?? [{}]).some(
    (match) =>
      (match.path?.type ?? 'PathPrefix') === 'PathPrefix' &&
      trimmed(match.path?.value ?? '/') === trimmed(path) &&
      (match.headers ?? []).length === 0 &&
      (match.queryParams ?? []).length === 0 &&
      match.method === undefined,
  );
}

/** `/todo/` and `/todo` are the same prefix to a Gateway. */
function trimmed(path: string): string {
  return path.replace(/\/+$/, '');
}

function ownService(name: string): Backend {
  return { group: '', kind: 'Service', name, port: 80 };
}

function fromBackend({ rollout }: ApiInstanceSpec): Backend {
  if (rollout.from === undefined)
    throw new Error('the main route cannot lead to spec.rollout.from, which is not set');
  const { name, port } = rollout.from.service;
  return { group: '', kind: 'Service', name, port };
}

function mainOf(
  instance: string,
  { rollout }: ApiInstanceSpec,
  backend: Backend | undefined,
): RouteIntent['main'] | undefined {
  if (backend === undefined) return undefined;
  if (backend.name === names(instance).stableService) return 'stable';
  return backend.name === rollout.from?.service.name ? 'from' : undefined;
}

/** The revision whose Service has this name; undefined for every other name. */
function revisionNamed(instance: string, service: string | undefined): number | undefined {
  const number = Number(/-r([0-9]{1,9})-[0-9a-f]{5}$/.exec(service ?? '')?.[1]);
  return names(instance).revision(number) === service ? number : undefined;
}

function percent(weight: number, total: number): number {
  if (weight <= 0 || weight === total) return weight <= 0 ? 0 : 100;
  return Math.min(99, Math.max(1, Math.round((weight / total) * 100)));
}

/** Left out where the user left it out: rule timeouts are an extended feature, which not every Gateway has. */
function timeouts({ expose }: ApiInstanceSpec): Pick<RouteRule, 'timeouts'> {
  const seconds = routerSeconds({ request: expose.timeouts.request });
  if (seconds === routerSeconds(undefined)) return {};
  return { timeouts: { request: `${seconds}s` } };
}
