import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parse } from 'yaml';
import { generatedFiles, isGenerated } from './files.ts';
import { kinds } from './kinds.ts';
import { schemasOf } from './schemas.ts';

const files = generatedFiles();
const fileOf = (path: string): string => files.get(path) ?? '';

test('there is a CRD, its copy in the chart, a page for each kind, two about PostgREST and one about PgBouncer', () => {
  expect([...files.keys()]).toEqual([
    'crds/pgrst.dev_apischemas.yaml',
    'docs/reference/apischema.md',
    'crds/pgrst.dev_apiinstances.yaml',
    'docs/reference/apiinstance.md',
    'docs/reference/postgrest-parameters.md',
    'docs/reference/postgrest-versions.md',
    'docs/reference/pooler.md',
    'charts/postgrest-operator/files/crds/pgrst.dev_apischemas.yaml',
    'charts/postgrest-operator/files/crds/pgrst.dev_apiinstances.yaml',
  ]);
});

test('every generated file says so in its first line', () => {
  for (const content of files.values()) expect(isGenerated(content)).toBe(true);
  expect(isGenerated('# By hand\n')).toBe(false);
});

test('a CRD has names, subresources and columns', () => {
  expect(parse(fileOf('crds/pgrst.dev_apiinstances.yaml'))).toMatchObject({
    metadata: { name: 'apiinstances.pgrst.dev' },
    spec: {
      scope: 'Namespaced',
      names: { kind: 'ApiInstance', shortNames: ['api'], categories: ['apis'] },
      versions: [
        {
          name: 'v1alpha1',
          subresources: {
            status: {},
            scale: {
              specReplicasPath: '.spec.replicas',
              statusReplicasPath: '.status.replicas',
              labelSelectorPath: '.status.selector',
            },
          },
          additionalPrinterColumns: [
            { name: 'Ready' },
            { name: 'Stable' },
            { name: 'Candidate' },
            { name: 'Weight' },
            { name: 'Reason' },
            { name: 'Age' },
          ],
        },
      ],
    },
  });
});

describe('the reference', () => {
  test.each([
    ['| `spec.suspend` | boolean | `false` |'],
    ['| `spec.schema` | string | **required** | 1 to 40 characters |'],
    ['| `spec.migrations` | list of object | `[]` | at most 5000 entries; unique name |'],
    ['*Rule:* a migration has its SQL either in sql or in sqlFrom: set exactly one of the two.'],
    ['| `spec.deletionPolicy` | `Retain` or `Delete` | `"Retain"` |'],
    ['published as &lt;schema>_&lt;release id>'],
    ['| `Served` | Every ApiInstance that follows this schema'],
    ['[`MigrationChanged`](../runbooks/MigrationChanged.md)'],
    ['| RELEASE | `.status.release.id` |'],
  ])('says %s', (text) => {
    expect(fileOf('docs/reference/apischema.md')).toContain(text);
  });

  test('has the reasons of its own kind only', () => {
    expect(fileOf('docs/reference/apischema.md')).not.toContain('`StepPaused`');
    expect(fileOf('docs/reference/apiinstance.md')).not.toContain('`MigrationChanged`');
  });
});

test('a kind that cannot be a CRD fails with all that is wrong', () => {
  const [kind] = kinds;
  if (!kind) throw new Error('there are no kinds');
  const spec = z.object({ a: z.string(), b: z.union([z.int(), z.boolean()]).describe('Either.') });
  expect(() => schemasOf({ ...kind, spec })).toThrow(
    [
      'ApiSchema cannot be a CRD:',
      '  .spec.b: anyOf cannot be expressed in a structural schema',
      '  .spec.b: has no single type',
      '  .spec.a: a string without maxLength',
    ]
      .slice(0, 3)
      .join('\n'),
  );
  expect(() => schemasOf({ ...kind, spec })).toThrow('.spec.a: has no description');
  expect(() => schemasOf({ ...kind, spec })).toThrow('.spec.a: a string without maxLength');
});
