import { createHash } from 'node:crypto';
import { group } from '../api/v1alpha1/shared.ts';
import type { OwnerReference } from '../runtime/object.ts';

/** The object that owns what a builder makes. */
export interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
}

/** The names of everything that an instance has. */
export interface Names {
  /** In-cluster clients use it; the ingress's main route leads to it. */
  readonly stableService: string;
  readonly ingress: string;
  readonly canaryIngress: string;
  readonly pooler: string;
  readonly serviceAccount: string;
  readonly budget: string;
  /** The policy of the PostgREST pods, and that of the pooler's. */
  readonly networkPolicy: (component: Component) => string;
  /** A revision's Deployment, Service, ConfigMap and ControllerRevision. */
  readonly revision: (number: number) => string;
  /** The ConfigMap with the settings that the pods of a revision's Deployment read anew when they are told to. */
  readonly settings: (workload: number) => string;
}

/**
 * Names are derived from the instance alone. A revision's and a policy's carry five digits of a hash of the instance's
 * name, so that revision 1 of `todo` and an instance called `todo-r1` do not meet.
 */
export function names(instance: string): Names {
  const tag = createHash('sha256').update(instance).digest('hex').slice(0, 5);
  return {
    stableService: instance,
    ingress: instance,
    canaryIngress: `${instance}-canary`,
    pooler: `${instance}-pooler`,
    serviceAccount: instance,
    budget: instance,
    networkPolicy: (component) => `${instance}-${tag}-${component}`,
    revision: (number) => `${instance}-r${number}-${tag}`,
    settings: (workload) => `${instance}-r${workload}-${tag}-settings`,
  };
}

/** Label that names the instance. */
export const instanceLabel = `${group}/instance`;
/** Label that names the revision. */
export const revisionLabel = `${group}/revision`;

/** What a part of an instance is for. */
export type Component = 'api' | 'pooler';

/** The labels of an instance's objects. */
export function labels(instance: string, component: Component = 'api'): Record<string, string> {
  return {
    'app.kubernetes.io/name': component === 'api' ? 'postgrest' : 'pgbouncer',
    'app.kubernetes.io/instance': instance,
    'app.kubernetes.io/component': component,
    'app.kubernetes.io/managed-by': 'postgrest-operator',
    [instanceLabel]: instance,
  };
}

/** The labels of a revision's objects. */
export function revisionLabels(instance: string, number: number): Record<string, string> {
  return { ...labels(instance), [revisionLabel]: String(number) };
}

/** The labels that select the pods of a revision, and nobody else's. */
export function revisionSelector(instance: string, number: number): Record<string, string> {
  return { [instanceLabel]: instance, [revisionLabel]: String(number) };
}

/** The same as a label selector in text, for the scale subresource. */
export function selectorText(instance: string, number: number): string {
  return `${instanceLabel}=${instance},${revisionLabel}=${number}`;
}

/** The labels that select the PostgREST pods of all revisions. */
export function instanceSelector(instance: string): Record<string, string> {
  return { [instanceLabel]: instance, 'app.kubernetes.io/component': 'api' };
}

/** The labels that select the pods of the pooler. */
export function poolerSelector(instance: string): Record<string, string> {
  return { [instanceLabel]: instance, 'app.kubernetes.io/component': 'pooler' };
}

/** The revision that labels or a selector name; undefined when they name none. */
export function revisionOf(given: Readonly<Record<string, string>> | undefined): number | undefined {
  const number = Number(given?.[revisionLabel]);
  return Number.isInteger(number) && number > 0 ? number : undefined;
}

/** Metadata of an owned object: named, labelled, and collected with its owner. */
export function ownedMetadata(
  owner: Owner,
  name: string,
  objectLabels: Readonly<Record<string, string>>,
): {
  name: string;
  namespace: string;
  labels: Readonly<Record<string, string>>;
  ownerReferences: readonly OwnerReference[];
} {
  const { apiVersion, kind, uid } = owner;
  return {
    name,
    namespace: owner.namespace,
    labels: objectLabels,
    ownerReferences: [
      { apiVersion, kind, name: owner.name, uid, controller: true, blockOwnerDeletion: true },
    ],
  };
}
