import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { images, instanceContent, instanceSpec, owner } from '../testing/resourceCases.ts';
import type { KubeObject } from '../runtime/object.ts';
import { poolerBudget, revisionBudget } from './budget.ts';
import { gateConfigMap } from './gate.ts';
import { canaryIngress, mainIngress } from './ingress.ts';
import { deployment, podTemplate } from './podTemplate.ts';
import { poolerDeployment, poolerSecret, poolerService } from './pooler.ts';
import { controllerRevision } from './revision.ts';
import { revisionService, stableService } from './service.ts';
import { serviceAccount } from './serviceAccount.ts';

const password = 'p@ss/w"or\'d %1';
const uri = {
  host: 'db.shop.svc',
  port: 5432,
  database: 'shop',
  user: 'authenticator',
  password,
  sslmode: 'require',
};
const pooler = { replicas: 3, poolSize: 20, maxServerConnections: 40 };
const spec = instanceSpec({
  pooler,
  postgrest: { config: { 'db-anon-role': 'web_anon' }, jwtSecretRef: { name: 'todo-jwt', key: 'secret' } },
  expose: {
    host: 'shop.example.com',
    path: '/todo',
    annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '8m' },
  },
});
const pooled = instanceContent(spec);
const direct = instanceContent({
  postgrest: { image: 'mine:1', resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } },
});

const objects: Record<string, KubeObject> = {
  serviceAccount: serviceAccount(owner),
  controllerRevision: controllerRevision(owner, 3, pooled, podTemplate(owner.name, 3, pooled)),
  deploymentPooled: deployment(owner, 3, podTemplate(owner.name, 3, pooled), 2),
  deploymentDirect: deployment(owner, 4, podTemplate(owner.name, 4, direct), 0),
  gateConfigMap: gateConfigMap(owner, 3, pooled),
  gateConfigMapAtRoot: gateConfigMap(owner, 4, direct),
  stableService: stableService(owner, 3),
  revisionService: revisionService(owner, 3),
  mainIngress: mainIngress(owner, spec),
  canaryIngress: canaryIngress(owner, spec, { revision: 4, weight: 10, cookie: 'pgrst-7c3ae1a4' }),
  revisionBudget: revisionBudget(owner, 3),
  poolerSecret: poolerSecret(owner, uri, pooler),
  poolerDeployment: poolerDeployment(owner, pooler, images, '4711'),
  poolerService: poolerService(owner),
  poolerBudget: poolerBudget(owner),
};

test.each(Object.entries(objects))('%s is built as its golden file has it', async (name, object) => {
  await expect(stringify(object, { lineWidth: 0, aliasDuplicateObjects: false })).toMatchFileSnapshot(
    `__golden__/${name}.yaml`,
  );
});

test('no credential value appears in any object but the pooler Secret', () => {
  const spelled = [password, encodeURIComponent(password), Buffer.from(password).toString('base64')];
  for (const [name, object] of Object.entries(objects)) {
    const text = JSON.stringify(object);
    const found = spelled.filter(
      (form) => text.includes(form) || text.includes(JSON.stringify(form).slice(1, -1)),
    );
    expect(found, name).toEqual([]);
    if (name !== 'poolerSecret') expect(text, name).not.toContain('"data":{"pgbouncer.ini"');
  }
});

test.each(Object.entries(objects))('%s belongs to its instance and says so', (_, { metadata }) => {
  expect(metadata.namespace).toBe('shop');
  expect(metadata.labels).toMatchObject({
    'pgrst.dev/instance': 'todo',
    'app.kubernetes.io/managed-by': 'postgrest-operator',
  });
  expect(metadata.ownerReferences).toEqual([
    {
      apiVersion: 'pgrst.dev/v1alpha1',
      kind: 'ApiInstance',
      name: 'todo',
      uid: owner.uid,
      controller: true,
      blockOwnerDeletion: true,
    },
  ]);
});

interface Container {
  readonly securityContext: object;
}
interface PodSpec {
  readonly automountServiceAccountToken: boolean;
  readonly securityContext: object;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
}

test.each(['deploymentPooled', 'deploymentDirect', 'poolerDeployment'])(
  'the pods of %s pass Pod Security restricted and hold no token',
  (name) => {
    const { template } = objects[name]?.['spec'] as { template: { spec: PodSpec } };
    const { initContainers = [], containers, automountServiceAccountToken, securityContext } = template.spec;
    expect(automountServiceAccountToken).toBe(false);
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    for (const container of [...initContainers, ...containers]) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  },
);
