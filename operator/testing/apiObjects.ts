import type { KubeObject } from '../runtime/object.ts';

const apiVersion = 'pgrst.dev/v1alpha1';

/** The least that an ApiSchema can be. */
export const minimalApiSchema: KubeObject = {
  apiVersion,
  kind: 'ApiSchema',
  metadata: { name: 'todo' },
  spec: {
    database: { uriSecretRef: { name: 'todo-owner', key: 'uri' } },
    schema: 'api',
    api: { sql: 'create view api.tasks as select * from public.tasks;' },
  },
};

/** An ApiSchema with every field. */
export const fullApiSchema: KubeObject = {
  ...minimalApiSchema,
  spec: {
    database: {
      uriSecretRef: { name: 'todo-owner', key: 'uri' },
      tls: { mode: 'verify-full', caSecretRef: { name: 'ca', key: 'ca.crt' } },
    },
    schema: 'api',
    strategy: 'Versioned',
    baseline: '001-tasks',
    migrations: [
      {
        name: '001-tasks',
        sql: 'create table public.tasks (id int);',
        idempotent: true,
        statementTimeout: '30s',
        lint: { ignore: [{ rule: 'pgrst/grant-to-public', reason: 'everybody may read it' }] },
      },
      { name: '002_due.date', sqlFrom: { configMapKeyRef: { name: 'todo-sql', key: '002.sql' } } },
    ],
    api: {
      sqlFrom: [
        { configMapKeyRef: { name: 'todo-sql', key: 'api.sql' } },
        { configMapKeyRef: { name: 'todo-sql', key: 'grants.sql' } },
      ],
    },
    contractions: [{ name: '003-drop', sql: 'drop table public.old', approval: 'Automatic' }],
    tests: { sqlFrom: [{ configMapKeyRef: { name: 'todo-sql', key: 'tests.sql' } }] },
    roles: [
      {
        name: 'authenticator',
        login: true,
        passwordSecretRef: { name: 'authenticator', key: 'password' },
        inherits: ['web_anon'],
      },
    ],
    secrets: [{ name: 'jwt', secretKeyRef: { name: 'jwt', key: 'secret' } }],
    dependsOn: [{ name: 'base' }],
    locks: { timeout: '250ms', retryFor: '10m' },
    lint: { ignore: [{ rule: 'prefer-identity', reason: 'as the others do' }], failOn: 'Warning' },
    drift: 'Block',
    breaking: 'RequireApproval',
    beforeMigration: { jobTemplate: { spec: { template: { spec: { restartPolicy: 'Never' } } } } },
    deletionPolicy: 'Delete',
    suspend: true,
  },
};

/** The least that an ApiInstance can be. */
export const minimalApiInstance: KubeObject = {
  apiVersion,
  kind: 'ApiInstance',
  metadata: { name: 'todo' },
  spec: {
    schemaRef: { name: 'todo' },
    database: { uriSecretRef: { name: 'todo-authenticator', key: 'uri' } },
    expose: { host: 'todo.example.com' },
  },
};

/** An ApiInstance with every field. */
export const fullApiInstance: KubeObject = {
  ...minimalApiInstance,
  spec: {
    schemaRef: { name: 'todo', release: '0123abcd' },
    replicas: 3,
    postgrest: {
      image: 'postgrest/postgrest:v16.4',
      config: { 'db-max-rows': '1000', 'db-anon-role': 'web_anon' },
      jwtSecretRef: { name: 'todo-jwt', key: 'jwks.json' },
      resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '1.5Gi' } },
      podTemplate: {
        labels: { 'example.com/team': 'todo' },
        annotations: { 'example.com/note': 'ours' },
        nodeSelector: { 'kubernetes.io/os': 'linux' },
        tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [] } },
        topologySpreadConstraints: [
          { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'DoNotSchedule' },
        ],
        priorityClassName: 'high',
        imagePullSecrets: [{ name: 'registry' }],
      },
    },
    database: { uriSecretRef: { name: 'todo-authenticator', key: 'uri' } },
    pooler: { replicas: 2, poolSize: 10, maxServerConnections: 30, image: 'pgbouncer:1.24' },
    expose: {
      host: 'api.example.com',
      path: '/v1/todo',
      router: 'IngressNginx',
      className: 'nginx-internal',
      tls: { secretName: 'api-tls' },
      routes: [
        { path: '/auth/login', to: '/rpc/login' },
        { path: '/files', service: { name: 'files', port: 8000 } },
      ],
      timeouts: { statement: '20s', request: '30s' },
      bodySize: '10Mi',
      rateLimit: { requestsPerSecond: 50, burst: 3 },
      cors: { allowOrigins: ['https://app.example.com', 'http://localhost:5173'] },
      preview: { valueSecretRef: { name: 'preview', key: 'value' } },
      annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' },
    },
    rollout: {
      from: { service: { name: 'old-api', port: 80 } },
      analysis: {
        maxErrorRate: '0.5%',
        maxP95: '500ms',
        minRequests: 50,
        window: '2m',
        probes: [{ path: '/tasks?limit=1', status: 200, maxLatency: '1s' }],
        prometheus: {
          address: 'http://prometheus.monitoring:9090',
          queries: [{ name: 'saturation', query: 'pgbouncer_waiting{instance="{{instance}}"}', max: 10 }],
        },
      },
      breaking: 'Hold',
      capacity: 'ByWeight',
      progressDeadline: '5m',
      steps: [
        { weight: 10 },
        { pause: { duration: '1h30m5s' } },
        { weight: 50 },
        { pause: {} },
        { weight: 100 },
      ],
      warmFor: '30m',
      revisionHistoryLimit: 3,
    },
    networkPolicy: { allowFrom: [{ namespaceSelector: { matchLabels: { team: 'web' } } }] },
    suspend: true,
  },
};

/** The object with another value at a path such as `spec.rollout.steps`; undefined removes what is there. */
export function withValue(object: KubeObject, path: string, value: unknown): KubeObject {
  const copy = structuredClone(object) as Record<string, unknown>;
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  let at: Record<string, unknown> = copy;
  for (const key of keys) {
    const next = (at[key] ?? {}) as Record<string, unknown>;
    at[key] = next;
    at = next;
  }
  at[last] = value;
  return JSON.parse(JSON.stringify(copy)) as KubeObject;
}
