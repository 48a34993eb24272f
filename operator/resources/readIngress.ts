import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import { names, type Owner } from './names.ts';

const prefix = 'nginx.ingress.kubernetes.io';

interface IngressPath {
  readonly path?: string;
  readonly pathType?: string;
  readonly backend?: {
    readonly service?: {
      readonly name?: string;
      readonly port?: { readonly name?: string; readonly number?: number };
    };
  };
}

interface Ingress extends KubeObject {
  readonly spec?: {
    readonly ingressClassName?: string;
    readonly rules?: readonly {
      readonly host?: string;
      readonly http?: { readonly paths?: readonly IngressPath[] };
    }[];
  };
}

/**
 * Where a main Ingress leads, hand edits included: the path of the instance decides, and what it leads to. Undefined
 * when that path is gone, leads elsewhere, or the Ingress was made a canary, which is no way in by itself.
 */
export function readMain(
  instance: string,
  spec: ApiInstanceSpec,
  ingress: KubeObject,
): 'stable' | 'from' | undefined {
  if (isCanary(ingress)) return undefined;
  const main = pathsOf(ingress).find(({ path }) => path === spec.expose.path);
  if (!main) return undefined;
  if (leadsAway(spec, main)) return 'from';
  return main.backend?.service?.name === names(instance).stableService ? 'stable' : undefined;
}

/**
 * What a canary Ingress says, hand edits included: the revision is that of the Service it leads to, whatever its label
 * says; a weight that is missing or no number is 0 for ingress-nginx too. Undefined when it leads to no revision.
 */
export function readCanary(
  instance: string,
  ingress: KubeObject,
): { revision: number; weight: number } | undefined {
  const service = pathsOf(ingress)[0]?.backend?.service?.name;
  const revision = Number(/-r([0-9]{1,9})-[0-9a-f]{5}$/.exec(service ?? '')?.[1]);
  if (names(instance).revision(revision) !== service) return undefined;
  const weight = Number(ingress.metadata.annotations?.[`${prefix}/canary-weight`] ?? '0');
  const isShare = isCanary(ingress) && Number.isInteger(weight);
  return { revision, weight: isShare ? Math.min(Math.max(weight, 0), 100) : 0 };
}

/**
 * The Ingress of somebody else that gets the traffic of the instance's host and path in its class, whatever we do:
 * ingress-nginx gives it to the older of two (its sortIngressSlice), so a younger one is none. `ingresses` are all that
 * there are, ours among them. While our main route leads to the service of `rollout.from`, an older Ingress that leads
 * there too, and matches as ours does, is none either: whoever wins, the same answers, and our canary counts for both.
 */
export function rivalIngress(
  owner: Owner,
  spec: ApiInstanceSpec,
  ingresses: readonly KubeObject[],
): KubeObject | undefined {
  const own = ingresses.find(
    ({ metadata }) => isOwned(owner, metadata) && metadata.name === names(owner.name).ingress,
  );
  const isAway = own === undefined || readMain(owner.name, spec, own) === 'from';
  return ingresses.find((ingress) => {
    const { metadata } = ingress;
    if (isOwned(owner, metadata) || isCanary(ingress) || classOf(ingress) !== spec.expose.className)
      return false;
    if (own && isYounger(ingress, own)) return false;
    const isSame = (path: IngressPath) =>
      isAway && metadata.namespace === owner.namespace && path.pathType === 'Prefix' && leadsAway(spec, path);
    return claims(ingress, spec).some((path) => !isSame(path));
  });
}

/** Whether a path leads to the service of `rollout.from`. */
function leadsAway({ rollout }: ApiInstanceSpec, { backend }: IngressPath): boolean {
  const from = rollout.from?.service;
  return (
    from !== undefined && backend?.service?.name === from.name && backend.service.port?.number === from.port
  );
}

function isYounger({ metadata }: KubeObject, than: KubeObject): boolean {
  return (metadata.creationTimestamp ?? '') > (than.metadata.creationTimestamp ?? '');
}

/** The paths of an Ingress that are the instance's. */
function claims(ingress: KubeObject, { expose }: ApiInstanceSpec): readonly IngressPath[] {
  return ((ingress as Ingress).spec?.rules ?? [])
    .filter(({ host }) => host === expose.host)
    .flatMap(({ http }) => http?.paths ?? [])
    .filter(({ path }) => withoutSlash(path ?? '/') === withoutSlash(expose.path));
}

function pathsOf(ingress: KubeObject): readonly IngressPath[] {
  return ((ingress as Ingress).spec?.rules ?? []).flatMap(({ http }) => http?.paths ?? []);
}

/** For pathType Prefix `/todo` and `/todo/` are the same. */
function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '');
}

function isCanary({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[`${prefix}/canary`] === 'true';
}

/** The class, or the annotation that it had before there was a field for it. */
function classOf(ingress: KubeObject): string | undefined {
  return (
    (ingress as Ingress).spec?.ingressClassName ??
    ingress.metadata.annotations?.['kubernetes.io/ingress.class']
  );
}

function isOwned(owner: Owner, { ownerReferences }: KubeObject['metadata']): boolean {
  return ownerReferences?.some(({ uid }) => uid === owner.uid) ?? false;
}
