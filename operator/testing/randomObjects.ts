import fc from 'fast-check';
import { ownedParameters } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import { minimalApiInstance, minimalApiSchema } from './apiObjects.ts';

/** Short texts of these characters: they break a rule as often as they keep it. */
function textOf(characters: string, maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...characters), maxLength });
}

/** Mostly a value that is right, so that a single wrong one is what decides. */
function mostly<T, U>(right: fc.Arbitrary<T>, wrong: fc.Arbitrary<U>): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 6, arbitrary: right }, { weight: 1, arbitrary: wrong });
}

const optional = { requiredKeys: [] };
const name = mostly(fc.constantFrom('todo', 'a.b', 'x-1'), textOf('a1.-_A', 5));
const secret = fc.record({ name, key: mostly(fc.constant('uri'), textOf('aA0._-/ ', 4)) });
const sqlFrom = fc.record({ configMapKeyRef: secret });
const source = mostly(
  fc.oneof(fc.record({ sql: fc.constant('select 1') }), fc.record({ sqlFrom })),
  fc.record({ sql: textOf('a ', 2), sqlFrom }, optional),
);
const migration = fc
  .tuple(mostly(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'), textOf('a1.-_ /', 3)), source)
  .map(([given, sql]) => ({ name: given, ...sql }));
const duration = mostly(fc.constantFrom('30s', '1h30m'), textOf('0123456789hms. ', 6));
const weight = mostly(fc.integer({ min: 0, max: 100 }), fc.integer({ min: -1, max: 101 }));
const pause = fc.record({ duration }, optional);
const step = mostly(
  fc.oneof(fc.record({ weight }), fc.record({ pause })),
  fc.record({ weight, pause }, optional),
);
const parameters = fc.dictionary(
  mostly(
    fc.constantFrom('db-max-rows', 'log-level'),
    fc.oneof(fc.constantFrom(...ownedParameters), textOf('a1-A_.', 4)),
  ),
  fc.string({ maxLength: 3 }),
  { maxKeys: 3 },
);
const annotations = fc.dictionary(
  mostly(
    fc.constantFrom(
      'example.com/a',
      'nginx.ingress.kubernetes.io/proxy-body-size',
      'nginx-ingress.kubernetes.io/canary',
    ),
    fc.constantFrom(
      'nginx.ingress.kubernetes.io/canary',
      'nginx.ingress.kubernetes.io/canary-by-header',
      'pgrst.dev/a',
    ),
  ),
  fc.string({ maxLength: 3 }),
  { maxKeys: 3 },
);

function objects(base: KubeObject, spec: fc.Arbitrary<Record<string, unknown>>): fc.Arbitrary<KubeObject> {
  const metadata = fc.record({
    name: mostly(fc.constant('todo'), fc.constantFrom('a'.repeat(41), 'a'.repeat(64), '1a', 'a.b')),
  });
  return fc
    .record({ metadata, spec })
    .map((random) => ({ ...base, ...random, spec: { ...(base['spec'] as object), ...random.spec } }));
}

/** ApiSchemas, some of which break one rule or another. */
export const apiSchemaObject: fc.Arbitrary<KubeObject> = objects(
  minimalApiSchema,
  fc.record(
    {
      schema: mostly(
        fc.constantFrom('api', 'pg', 'pgrst', 'publics', '_1'),
        fc.oneof(fc.constantFrom('public', 'pg_x', 'pgrst_x', 'information_schema'), textOf('aA1_-.', 4)),
      ),
      migrations: fc.array(migration, { maxLength: 3 }),
      suspend: fc.boolean(),
    },
    optional,
  ),
);

/** ApiInstances, some of which break one rule or another. */
export const apiInstanceObject: fc.Arbitrary<KubeObject> = objects(
  minimalApiInstance,
  fc.record(
    {
      replicas: mostly(fc.integer({ min: 1, max: 200 }), fc.constantFrom(0, 201)),
      schemaRef: fc.record(
        { name, release: mostly(fc.constant('0123abcd'), textOf('09afg', 8)) },
        { requiredKeys: ['name'] },
      ),
      postgrest: fc.record({ config: parameters }),
      expose: fc.record(
        {
          host: mostly(fc.constantFrom('todo.example.com', 'a'), textOf('a1.-A', 7)),
          path: mostly(fc.constantFrom('/', '/todo'), textOf('/a.-~%', 6)),
          annotations,
        },
        { requiredKeys: ['host'] },
      ),
      rollout: fc.record({ steps: fc.array(step, { maxLength: 3 }), warmFor: duration }, optional),
    },
    optional,
  ),
);
