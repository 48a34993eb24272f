import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import type { KubeObject } from '../runtime/object.ts';
import { previewHeader } from './httpRoute.ts';
import { labels, names, ownedMetadata, revisionLabels, type Owner } from './names.ts';
import { nginxSize } from './nginxUnits.ts';
import { pathPrefix } from './pathPrefix.ts';
import { defaultRequestTimeout, routerSeconds } from './timeouts.ts';

const prefix = 'nginx.ingress.kubernetes.io';

/** A share of the traffic as ingress-nginx is told of it. */
export interface CanaryShare {
  readonly revision: number;
  /** Percent, 0 to 100. */
  readonly weight: number;
  /** Cookie that beats the weight: `always` leads to the canary, `never` to the main route. */
  readonly cookie: string;
  /** What the header X-Pgrst-Preview must say to reach the canary whatever the cookie and the weight. */
  readonly preview?: string | undefined;
}

/**
 * Whether ingress-nginx takes a text as the value of the preview header: it drops any other, and then the header works
 * with the word `always`, which is no secret.
 */
export function isPreviewValue(text: string): boolean {
  return /^[-._~:/A-Za-z0-9]{1,4096}$/.test(text);
}

/**
 * A path of the instance that leads to the stable Service and that nobody knows, for the time in which the main route
 * does not lead there. ingress-nginx answers 503 for a while from a Service that it has just learnt of; of this one it
 * has known for long when the main route turns to it.
 */
export function knownPath(owner: Pick<Owner, 'uid'>, { expose }: ApiInstanceSpec): string {
  return `${pathPrefix(expose.path)}/.pgrst-${owner.uid.slice(0, 8)}`;
}

/**
 * The way in: host and path lead to the stable Service, or (`main` is `from`) to the service of `rollout.from`, and then
 * `knownPath` to the stable one. The API refuses annotations that would make it a canary; where the spec has a field for
 * what an annotation says, the field counts. Throws when main is `from` and the spec names no such service.
 */
export function mainIngress(
  owner: Owner,
  spec: ApiInstanceSpec,
  main: 'stable' | 'from' = 'stable',
): KubeObject {
  const { ingress, stableService } = names(owner.name);
  const stable = { name: stableService, port: { name: 'http' } };
  const paths =
    main === 'stable'
      ? [pathOf(spec.expose.path, stable)]
      : [pathOf(spec.expose.path, fromService(spec)), pathOf(knownPath(owner, spec), stable)];
  const annotations = { ...lostPods, ...spec.expose.annotations, ...expressed(spec) };
  return ingressOf(owner, spec, ingress, labels(owner.name), annotations, paths);
}

/**
 * The same host and path, leading to one revision for a share of the requests. ingress-nginx takes the other
 * annotations from the main Ingress and ignores them here, so there are none; it takes one canary per rule. It looks at
 * the header first, then at the cookie, then at the weight.
 */
export function canaryIngress(owner: Owner, spec: ApiInstanceSpec, share: CanaryShare): KubeObject {
  const { canaryIngress: name, revision } = names(owner.name);
  const { preview } = share;
  const annotations = {
    [`${prefix}/canary`]: 'true',
    [`${prefix}/canary-weight`]: String(share.weight),
    [`${prefix}/canary-by-cookie`]: share.cookie,
    ...(preview !== undefined && isPreviewValue(preview)
      ? {
          [`${prefix}/canary-by-header`]: previewHeader,
          [`${prefix}/canary-by-header-value`]: preview,
        }
      : {}),
  };
  const objectLabels = revisionLabels(owner.name, share.revision);
  const backend = { name: revision(share.revision), port: { name: 'http' } };
  return ingressOf(owner, spec, name, objectLabels, annotations, [pathOf(spec.expose.path, backend)]);
}

/** A Service as a backend of an Ingress. */
interface Backend {
  readonly name: string;
  readonly port: { readonly name: string } | { readonly number: number };
}

function fromService({ rollout }: ApiInstanceSpec): Backend {
  if (!rollout.from) throw new Error('the main route is to lead to spec.rollout.from, which is not set');
  const { name, port } = rollout.from.service;
  return { name, port: { number: port } };
}

function pathOf(path: string, service: Backend): object {
  return { path, pathType: 'Prefix', backend: { service } };
}

/**
 * What a request does that meets a pod which is gone and still listed, for the 1 to 4 s until ingress-nginx has heard of
 * it. Its round robin does not know where a request was tried already: of the three tries that it has by itself all can
 * meet the same dead pod (measured: 6 of 170 requests after a kill -9 of one of two pods). A refused connection costs less
 * than a millisecond; one that nobody answers, because the node is lost, costs 2 s here instead of 5.
 */
const lostPods = {
  [`${prefix}/proxy-connect-timeout`]: '2',
  [`${prefix}/proxy-next-upstream-tries`]: '10',
  [`${prefix}/proxy-next-upstream-timeout`]: '10',
};

/** The annotations that fields of the spec stand for; none where ingress-nginx does the same by itself. */
function expressed({ expose }: ApiInstanceSpec): Record<string, string> {
  const { timeouts, bodySize, rateLimit } = expose;
  const wait = String(routerSeconds({ request: timeouts.request }));
  return {
    ...(durationMs(timeouts.request) === durationMs(defaultRequestTimeout)
      ? {}
      : { [`${prefix}/proxy-read-timeout`]: wait, [`${prefix}/proxy-send-timeout`]: wait }),
    ...(bodySize === undefined ? {} : { [`${prefix}/proxy-body-size`]: nginxSize(bodySize) }),
    ...(rateLimit
      ? {
          [`${prefix}/limit-rps`]: String(rateLimit.requestsPerSecond),
          [`${prefix}/limit-burst-multiplier`]: String(rateLimit.burst),
        }
      : {}),
  };
}

function ingressOf(
  owner: Owner,
  { expose }: ApiInstanceSpec,
  name: string,
  objectLabels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  paths: readonly object[],
): KubeObject {
  const { host, className, tls } = expose;
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...ownedMetadata(owner, name, objectLabels), annotations },
    spec: {
      ingressClassName: className,
      ...(tls ? { tls: [{ hosts: [host], secretName: tls.secretName }] } : {}),
      rules: [{ host, http: { paths } }],
    },
  };
}
