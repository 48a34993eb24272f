/** Where the API server keeps a kind. */
export interface ResourceMapping {
  /** The plural in the path, such as `endpointslices`. */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** `apiVersion kind` -> where it lives. */
export type ResourceMappings = Readonly<Record<string, ResourceMapping>>;

const namespaced = (plural: string): ResourceMapping => ({ plural, namespaced: true });
const clusterScoped = (plural: string): ResourceMapping => ({ plural, namespaced: false });

/** The built-in kinds that the operator touches. A table, because discovery would cost calls at every start. */
export const builtInResources: ResourceMappings = {
  'v1 Namespace': clusterScoped('namespaces'),
  'v1 Pod': namespaced('pods'),
  'v1 Service': namespaced('services'),
  'v1 ConfigMap': namespaced('configmaps'),
  'v1 Secret': namespaced('secrets'),
  'v1 ServiceAccount': namespaced('serviceaccounts'),
  'events.k8s.io/v1 Event': namespaced('events'),
  'coordination.k8s.io/v1 Lease': namespaced('leases'),
  'apps/v1 Deployment': namespaced('deployments'),
  'apps/v1 ReplicaSet': namespaced('replicasets'),
  'apps/v1 ControllerRevision': namespaced('controllerrevisions'),
  'batch/v1 Job': namespaced('jobs'),
  'networking.k8s.io/v1 Ingress': namespaced('ingresses'),
  'networking.k8s.io/v1 IngressClass': clusterScoped('ingressclasses'),
  'networking.k8s.io/v1 NetworkPolicy': namespaced('networkpolicies'),
  'gateway.networking.k8s.io/v1 HTTPRoute': namespaced('httproutes'),
  'policy/v1 PodDisruptionBudget': namespaced('poddisruptionbudgets'),
  'discovery.k8s.io/v1 EndpointSlice': namespaced('endpointslices'),
  'apiextensions.k8s.io/v1 CustomResourceDefinition': clusterScoped('customresourcedefinitions'),
};

/**
 * The URL path of a kind: of its collection without `name`, of one object with it. Throws for a kind that is in no
 * mapping, and for a namespaced object without a namespace.
 */
export function resourcePath(
  mappings: ResourceMappings,
  at: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace?: string | undefined;
    readonly name?: string;
    readonly subresource?: string | undefined;
  },
): string {
  const mapping = mappings[`${at.apiVersion} ${at.kind}`];
  if (mapping === undefined)
    throw new Error(`no resource mapping for ${at.apiVersion} ${at.kind}: add one to the client's mappings`);
  if (mapping.namespaced && at.name !== undefined && at.namespace === undefined)
    throw new Error(`${at.kind} ${at.name} has no namespace`);
  const segments = [at.apiVersion.includes('/') ? 'apis' : 'api', ...at.apiVersion.split('/')];
  if (mapping.namespaced && at.namespace !== undefined) segments.push('namespaces', at.namespace);
  segments.push(mapping.plural);
  if (at.name !== undefined) segments.push(at.name);
  if (at.subresource !== undefined) segments.push(at.subresource);
  return `/${segments.map(encodeURIComponent).join('/')}`;
}
