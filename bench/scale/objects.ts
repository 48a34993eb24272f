import type { KubeObject } from '../../operator/runtime/object.ts';

/** How many ApiInstances follow one ApiSchema; a team's namespace has one ApiSchema and its instances. */
export const instancesPerSchema = 10;

/** The namespace of a team, by its number from 0 up. */
export function namespaceOf(team: number): string {
  return `team-${String(team).padStart(4, '0')}`;
}

/** Name of the ApiSchema in every namespace. */
export const schemaName = 'shop';

/** Where the operator looks for the ingress controller by default. */
export const ingressService = { namespace: 'ingress-nginx', name: 'ingress-nginx-controller' };

/** A namespace, its Secret with both URIs, its ApiSchema and its instances. */
export function teamObjects(team: number, instances: number, databaseUri: string): KubeObject[] {
  const namespace = namespaceOf(team);
  const authenticator = new URL(databaseUri);
  authenticator.username = 'authenticator';
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'database', namespace },
      stringData: { owner: databaseUri, authenticator: authenticator.href },
    },
    schema(team, 1),
    ...Array.from({ length: instances }, (_, n) => instance(namespace, `api-${String(n)}`)),
  ];
}

/** A team's ApiSchema; each version of it makes a release that differs from the one before. */
export function schema(team: number, version: number): KubeObject {
  return {
    apiVersion: 'pgrst.dev/v1alpha1',
    kind: 'ApiSchema',
    metadata: { name: schemaName, namespace: namespaceOf(team) },
    spec: {
      database: { uriSecretRef: { name: 'database', key: 'owner' } },
      schema: 'api',
      migrations: [
        {
          name: '001-items',
          sql: 'create table items (id bigint generated always as identity primary key, title text not null);',
        },
      ],
      api: {
        sql: `create view api.items with (security_invoker = true) as
          select id, title, ${String(version)} as version from public.items;`,
      },
    },
  };
}

// With a pooler, which is how an instance with the most objects looks.
function instance(namespace: string, name: string): KubeObject {
  return {
    apiVersion: 'pgrst.dev/v1alpha1',
    kind: 'ApiInstance',
    metadata: { name, namespace },
    spec: {
      schemaRef: { name: schemaName },
      replicas: 2,
      database: { uriSecretRef: { name: 'database', key: 'authenticator' } },
      pooler: {},
      expose: { host: hostOf(namespace, name) },
      rollout: { steps: [{ weight: 50 }], warmFor: '10s', revisionHistoryLimit: 1 },
    },
  };
}

/** The host of an instance: what its name is in the fake ingress controller. */
export function hostOf(namespace: string, name: string): string {
  return `${name}.${namespace}.example.test`;
}

/** The instance that has a host; undefined when none can have it. */
export function keyOfHost(host: string): { readonly namespace: string; readonly name: string } | undefined {
  const [name, namespace] = host.split('.');
  return name === undefined || namespace === undefined ? undefined : { namespace, name };
}

/** What an ingress controller with one replica looks like. */
export function ingressObjects(ip: string, port: number): KubeObject[] {
  const { namespace, name } = ingressService;
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port, protocol: 'TCP' }],
      endpoints: [{ addresses: [ip], conditions: { ready: true } }],
    },
  ];
}
