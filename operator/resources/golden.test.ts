import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { builtObjects, owner, password } from '../testing/resourceCases.ts';

const objects = builtObjects();

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

test.each(['deploymentPooled', 'deploymentDirect', 'deploymentWithAdditions', 'poolerDeployment'])(
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
