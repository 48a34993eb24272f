import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import { labels, names, ownedMetadata, revisionLabels, type Owner } from './names.ts';

const prefix = 'nginx.ingress.kubernetes.io';

/** A share of the traffic as ingress-nginx is told of it. */
export interface CanaryShare {
  readonly revision: number;
  /** Percent, 0 to 100. */
  readonly weight: number;
  /** Cookie that beats the weight: `always` leads to the canary, `never` to the main route. */
  readonly cookie: string;
}

/** The way in: host and path lead to the stable Service. The API refuses annotations that would make it a canary. */
export function mainIngress(owner: Owner, spec: ApiInstanceSpec): KubeObject {
  const { ingress, stableService } = names(owner.name);
  return ingressOf(owner, spec, ingress, labels(owner.name), spec.expose.annotations, stableService);
}

/**
 * The same host and path, leading to one revision for a share of the requests. ingress-nginx takes the other
 * annotations from the main Ingress and ignores them here, so there are none; it takes one canary per rule.
 */
export function canaryIngress(owner: Owner, spec: ApiInstanceSpec, share: CanaryShare): KubeObject {
  const { canaryIngress: name, revision } = names(owner.name);
  const annotations = {
    [`${prefix}/canary`]: 'true',
    [`${prefix}/canary-weight`]: String(share.weight),
    [`${prefix}/canary-by-cookie`]: share.cookie,
  };
  const objectLabels = revisionLabels(owner.name, share.revision);
  return ingressOf(owner, spec, name, objectLabels, annotations, revision(share.revision));
}

function ingressOf(
  owner: Owner,
  { expose }: ApiInstanceSpec,
  name: string,
  objectLabels: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>>,
  service: string,
): KubeObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { ...ownedMetadata(owner, name, objectLabels), annotations },
    spec: {
      ingressClassName: expose.className,
      rules: [
        {
          host: expose.host,
          http: {
            paths: [
              {
                path: expose.path,
                pathType: 'Prefix',
                backend: { service: { name: service, port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    },
  };
}

interface Ingress extends KubeObject {
  readonly spec?: {
    readonly rules?: readonly {
      readonly http?: {
        readonly paths?: readonly { readonly backend?: { readonly service?: { readonly name?: string } } }[];
      };
    }[];
  };
}

/**
 * What a canary Ingress says, hand edits included: the revision is that of the Service it leads to, whatever its label
 * says; a weight that is missing or no number is 0 for ingress-nginx too. Undefined when it leads to no revision.
 */
export function readCanary(
  instance: string,
  ingress: KubeObject,
): { revision: number; weight: number } | undefined {
  const { metadata, spec } = ingress as Ingress;
  const service = spec?.rules?.[0]?.http?.paths?.[0]?.backend?.service?.name;
  const revision = Number(/-r([0-9]{1,9})-[0-9a-f]{5}$/.exec(service ?? '')?.[1]);
  if (names(instance).revision(revision) !== service) return undefined;
  const isCanary = metadata.annotations?.[`${prefix}/canary`] === 'true';
  const weight = Number(metadata.annotations?.[`${prefix}/canary-weight`] ?? '0');
  return { revision, weight: isCanary && Number.isInteger(weight) ? Math.min(Math.max(weight, 0), 100) : 0 };
}
