import { apiInstanceSpec, type ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import { instanceBudget, poolerBudget } from '../resources/budget.ts';
import { gateConfigMap } from '../resources/gate.ts';
import { canaryIngress, mainIngress } from '../resources/ingress.ts';
import type { Owner } from '../resources/names.ts';
import { networkPolicies, type Callers } from '../resources/networkPolicy.ts';
import { deployment, podTemplate } from '../resources/podTemplate.ts';
import { poolerSecret, serverLine } from '../resources/pooler/configuration.ts';
import type { PoolerCredentials } from '../resources/pooler/credentials.ts';
import { poolerDeployment, poolerService } from '../resources/pooler/deployment.ts';
import {
  controllerRevision,
  revisionContent,
  type OperandImages,
  type RevisionContent,
} from '../resources/revision.ts';
import { revisionService, stableService } from '../resources/service.ts';
import { serviceAccount } from '../resources/serviceAccount.ts';
import type { KubeObject } from '../runtime/object.ts';

/** The instance that the tests of the builders are about. */
export const owner: Owner = {
  apiVersion: 'pgrst.dev/v1alpha1',
  kind: 'ApiInstance',
  name: 'todo',
  namespace: 'shop',
  uid: '7c3ae1a4-51a1-4c4c-9d36-0a4f6a2f4b11',
};

/** The operator's default images in tests. */
export const images: OperandImages = {
  postgrest: 'postgrest:12.0.2',
  gate: 'gate:1.26',
  pgbouncer: 'pgbouncer:1.24',
  pgbouncerExporter: 'pgbouncer-exporter:0.12',
};

/** A spec with every default filled in, and `more` over it. */
export function instanceSpec(more: Record<string, unknown> = {}): ApiInstanceSpec {
  return apiInstanceSpec.parse({
    schemaRef: { name: 'todo' },
    database: { uriSecretRef: { name: 'todo-db', key: 'uri' } },
    expose: { host: 'todo.example.com' },
    ...more,
  });
}

/** The content of a revision of that spec. */
export function instanceContent(more: Record<string, unknown> = {}): RevisionContent {
  return revisionContent({
    spec: instanceSpec(more),
    exposedSchema: 'api',
    release: { id: '12ab34cd', schema: 'api_12ab34cd' },
    images,
  });
}

/** What a user may add to pods, all of it. */
const podAdditions = {
  labels: { 'example.com/team': 'shop' },
  annotations: { 'example.com/note': 'ours' },
  nodeSelector: { 'kubernetes.io/os': 'linux' },
  tolerations: [{ key: 'spot', operator: 'Exists', effect: 'NoSchedule' }],
  affinity: {
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        {
          weight: 1,
          podAffinityTerm: {
            topologyKey: 'kubernetes.io/hostname',
            labelSelector: { matchLabels: { 'example.com/team': 'shop' } },
          },
        },
      ],
    },
  },
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: 'topology.kubernetes.io/zone', whenUnsatisfiable: 'ScheduleAnyway' },
  ],
  priorityClassName: 'system-cluster-critical',
  imagePullSecrets: [{ name: 'registry' }],
};
const allowFrom = [{ namespaceSelector: { matchLabels: { team: 'web' } } }];
const callers: Callers = {
  ingress: { namespace: 'ingress-nginx' },
  gateway: undefined,
  operator: { namespace: 'pgrst-system' },
};

/** The one credential in `builtObjects`. */
export const password = 'p@ss/w"or\'d %1';

/** What an operator would have made for a pooler once. */
export const poolerCredentials: PoolerCredentials = {
  seed: 'seed',
  client: 'client-password',
  admin: { password: 'admin-password', verifier: 'SCRAM-SHA-256$4096:admin' },
  stats: { password: 'stats-password', verifier: 'SCRAM-SHA-256$4096:stats' },
};

/** Every object that the builders make, of an instance with a pooler and all options, and of one without any. */
export function builtObjects(by: Owner = owner): Record<string, KubeObject> {
  const uri = {
    host: 'db.shop.svc',
    port: 5432,
    database: 'shop',
    user: 'authenticator',
    password,
    sslmode: 'require',
  };
  const pooler = { replicas: 3, poolSize: 20, maxServerConnections: 40 };
  const annotations = { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' };
  const full = {
    pooler,
    postgrest: { config: { 'db-anon-role': 'web_anon' }, jwtSecretRef: { name: 'todo-jwt', key: 'secret' } },
    expose: { host: 'shop.example.com', path: '/todo', annotations },
  };
  const spec = instanceSpec(full);
  const pooled = instanceContent(full);
  const direct = instanceContent({
    postgrest: { image: 'mine:1', resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } },
  });
  const template = podTemplate(by.name, 3, pooled);
  const added = instanceContent({
    postgrest: { podTemplate: podAdditions },
    expose: {
      host: 'shop.example.com',
      timeouts: { statement: '20s', request: '90s' },
      cors: { allowOrigins: ['https://app.example.com', 'http://localhost:5173'] },
    },
  });
  const [policyOfApi, policyOfPooler] = networkPolicies(
    by,
    { ...spec, networkPolicy: { allowFrom } },
    callers,
  );
  if (!policyOfApi || !policyOfPooler) throw new Error('an instance with a pooler has two policies');
  return {
    serviceAccount: serviceAccount(by),
    controllerRevision: controllerRevision(by, 3, pooled, template, 3),
    deploymentPooled: deployment(by, 3, template, 2),
    deploymentDirect: deployment(by, 4, podTemplate(by.name, 4, direct), 0),
    deploymentWithAdditions: deployment(by, 5, podTemplate(by.name, 5, added), 1, '2026-11-21T12:00:00.000Z'),
    policyOfApi,
    policyOfPooler,
    gateConfigMap: gateConfigMap(by, 3, pooled),
    gateConfigMapAtRoot: gateConfigMap(by, 4, direct),
    stableService: stableService(by, 3),
    revisionService: revisionService(by, 3),
    mainIngress: mainIngress(by, spec),
    canaryIngress: canaryIngress(by, spec, { revision: 4, weight: 10, cookie: 'pgrst-7c3ae1a4' }),
    instanceBudget: instanceBudget(by),
    poolerSecret: poolerSecret(by, { uri, spec: pooler, credentials: poolerCredentials, processes: 3 }),
    poolerDeployment: poolerDeployment(by, {
      spec: pooler,
      images,
      credentials: poolerCredentials,
      server: serverLine({ uri }),
    }).object,
    poolerService: poolerService(by),
    poolerBudget: poolerBudget(by),
  };
}
