import { apiVersion } from '../../api/v1alpha1/shared.ts';
import { instanceLabel } from '../../resources/names.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { Selection } from '../../runtime/kubeClient.ts';
import type { KubeObject, ObjectRef } from '../../runtime/object.ts';
import type { Indexer } from '../../runtime/store.ts';

/** What an ApiInstance's reconcile reads without asking the API server, and what wakes it. */
export interface Caches {
  readonly instances: Informer;
  readonly schemas: Informer;
  readonly deployments: Informer;
  readonly services: Informer;
  readonly configMaps: Informer;
  readonly ingresses: Informer;
  readonly pods: Informer;
  readonly budgets: Informer;
  readonly accounts: Informer;
  readonly policies: Informer;
  /** Undefined where the operator was not told of a Gateway: the cluster may not know the kind. */
  readonly httpRoutes: Informer | undefined;
}

/** Files objects of ours under `namespace/instance`. */
const byInstance: Indexer = ({ metadata }) => {
  const instance = metadata.labels?.[instanceLabel];
  return instance === undefined ? [] : [`${metadata.namespace ?? ''}/${instance}`];
};

/** Files instances under the `namespace/name` of the ApiSchema that they serve. */
const bySchema: Indexer = (object) => {
  const spec = object['spec'] as { schemaRef?: { name?: string } } | undefined;
  const name = spec?.schemaRef?.name;
  return name === undefined ? [] : [`${object.metadata.namespace ?? ''}/${name}`];
};

/** Files whatever routes by host under each of its hosts. */
const byHost: Indexer = (object) => {
  const spec = object['spec'] as
    | { readonly rules?: readonly { readonly host?: string }[]; readonly hostnames?: readonly string[] }
    | undefined;
  const hosts = [...(spec?.rules ?? []).map(({ host }) => host), ...(spec?.hostnames ?? [])];
  return [...new Set(hosts.filter((host) => host !== undefined))];
};

/** How the caches are filled: the selection of each, and its indexes. */
export const cacheSelections: Readonly<
  Record<keyof Caches, Selection & { indexers: Readonly<Record<string, Indexer>> }>
> = {
  instances: { apiVersion, kind: 'ApiInstance', indexers: { schema: bySchema } },
  schemas: { apiVersion, kind: 'ApiSchema', indexers: {} },
  // Not only ours: an object of somebody else under a name that we need has to be seen to be left alone.
  services: { apiVersion: 'v1', kind: 'Service', indexers: { instance: byInstance } },
  ingresses: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    indexers: { instance: byInstance, host: byHost },
  },
  httpRoutes: {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    indexers: { instance: byInstance, host: byHost },
  },
  policies: {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    indexers: { instance: byInstance },
  },
  deployments: { apiVersion: 'apps/v1', kind: 'Deployment', indexers: { instance: byInstance } },
  // Any of them may hold SQL: the controller of ApiSchemas shares this cache. Metadata only.
  configMaps: { apiVersion: 'v1', kind: 'ConfigMap', metadataOnly: true, indexers: { instance: byInstance } },
  // Those of the revisions and those of the pooler.
  pods: {
    apiVersion: 'v1',
    kind: 'Pod',
    labelSelector: instanceLabel,
    indexers: { instance: byInstance },
  },
  budgets: { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', indexers: { instance: byInstance } },
  accounts: { apiVersion: 'v1', kind: 'ServiceAccount', indexers: { instance: byInstance } },
};

/** The object as a cache has it, for telling whether an apply would change anything. */
export function lookUp(caches: Caches, ref: ObjectRef): KubeObject | undefined {
  const cache = (Object.keys(cacheSelections) as (keyof Caches)[]).find(
    (name) => cacheSelections[name].kind === ref.kind && !cacheSelections[name].metadataOnly,
  );
  return cache === undefined ? undefined : caches[cache]?.get(`${ref.namespace ?? ''}/${ref.name}`);
}
