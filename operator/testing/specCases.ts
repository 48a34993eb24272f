import { fullApiInstance, fullApiSchema, minimalApiInstance, minimalApiSchema } from './apiObjects.ts';
import { configCases } from './configSpecCases.ts';
import { exposeCases } from './exposeSpecCases.ts';
import { podCases } from './podSpecCases.ts';
import { poolerCases } from './poolerSpecCases.ts';
import { rolloutCases } from './rolloutSpecCases.ts';
import {
  accepted,
  durationForm,
  instanceWith,
  many,
  refused,
  schemaWith,
  type SpecCase,
} from './specCase.ts';

const [s, i] = [schemaWith, instanceWith];
const migrationSource = 'a migration has its SQL either in sql or in sqlFrom: set exactly one of the two';
const apiSource = 'the API SQL is either in api.sql or in api.sqlFrom: set exactly one of the two';
const schemaWord = 'schema must not be public, information_schema or begin with pg_ or pgrst_';
const schemaLetters = "schema has lower case letters, digits and '_' and does not begin with a digit";
const stepChoice = 'a step is either a weight or a pause: set exactly one of the two';
const pathForm = "path begins with '/' and does not end with it";
const hostForm = "host is a DNS name in lower case letters, digits, '-' and '.'";
const instanceName = 'metadata.name of an ApiInstance has at most 40 characters';
const ownedAnnotations = 'the operator steers traffic by nginx.ingress.kubernetes.io/canary*';
const from = { configMapKeyRef: { name: 'todo-sql', key: 'api.sql' } };

/** What is accepted and what is refused as an ApiSchema. */
export const apiSchemaCases: readonly SpecCase[] = [
  accepted('the least that there can be', minimalApiSchema),
  accepted('every field', fullApiSchema),
  accepted('a name of 63 characters', s('metadata.name', 'a'.repeat(63))),
  refused('a name of 64 characters', s('metadata.name', 'a'.repeat(64)), {
    rule: 'metadata.name of an ApiSchema has at most 63 characters',
  }),
  refused('no spec', s('spec', undefined), { both: 'spec: Required value' }),
  refused('no database', s('spec.database', undefined), { both: 'spec.database: Required value' }),
  refused('no schema', s('spec.schema', undefined), { both: 'spec.schema: Required value' }),
  refused('no API SQL', s('spec.api', undefined), { both: 'spec.api: Required value' }),
  refused('API SQL both inline and in ConfigMaps', s('spec.api', { sql: 'select 1', sqlFrom: [from] }), {
    rule: apiSource,
  }),
  refused('API SQL neither inline nor in ConfigMaps', s('spec.api', {}), { rule: apiSource }),
  refused('API SQL in no ConfigMap at all', s('spec.api', { sqlFrom: [] }), {
    both: 'should have at least 1 items',
  }),
  refused('empty API SQL', s('spec.api', { sql: '' }), { both: 'should be at least 1 chars long' }),
  accepted('inline API SQL of 262144 characters', s('spec.api', { sql: 'x'.repeat(262_144) })),
  refused('inline API SQL of 262145 characters', s('spec.api', { sql: 'x'.repeat(262_145) }), {
    both: 'may not be more than 262144',
  }),
  refused(
    'a migration both inline and in a ConfigMap',
    s('spec.migrations', [{ name: 'a', sql: 'x', sqlFrom: from }]),
    {
      rule: migrationSource,
    },
  ),
  refused('a migration without SQL', s('spec.migrations', [{ name: 'a' }]), { rule: migrationSource }),
  refused('a migration without a name', s('spec.migrations', [{ sql: 'select 1' }]), {
    both: 'spec.migrations[0].name: Required value',
  }),
  refused('a migration whose name has a blank', s('spec.migrations', [{ name: 'a b', sql: 'x' }]), {
    both: 'spec.migrations[0].name: Invalid value',
  }),
  refused(
    'two migrations of one name',
    s('spec.migrations', [
      { name: 'a', sql: 'x' },
      { name: 'a', sql: 'y' },
    ]),
    {
      both: 'spec.migrations[1]: Duplicate value',
    },
  ),
  refused(
    'a contraction with both sources',
    s('spec.contractions', [{ name: 'c', sql: 'x', sqlFrom: from }]),
    {
      rule: 'a contraction has its SQL either in sql or in sqlFrom: set exactly one of the two',
    },
  ),
  refused('tests with both sources', s('spec.tests', { sql: 'x', sqlFrom: [from] }), {
    rule: 'the tests are either in tests.sql or in tests.sqlFrom: set exactly one of the two',
  }),
  refused('a strategy that there is not', s('spec.strategy', 'BlueGreen'), {
    both: 'spec.strategy: Unsupported value',
  }),
  refused(
    'a certificate authority without verification',
    s('spec.database.tls', { mode: 'require', caSecretRef: { name: 'ca', key: 'ca' } }),
    {
      rule: 'caSecretRef is used by the modes verify-ca and verify-full only',
    },
  ),
  accepted(
    'a certificate authority',
    s('spec.database.tls', { mode: 'verify-full', caSecretRef: { name: 'ca', key: 'ca' } }),
  ),
  refused(
    'a password for a role without login',
    s('spec.roles', [{ name: 'web', passwordSecretRef: { name: 'pw', key: 'pw' } }]),
    {
      rule: 'a password is for a role that can log in',
    },
  ),
  ...['pg_monitor', 'public', 'none', 'current_user'].map((name) =>
    refused(`the role name ${name}`, s('spec.roles', [{ name }]), {
      rule: 'this role name is reserved by PostgreSQL',
    }),
  ),
  refused('a role name with a line break', s('spec.roles', [{ name: 'a\nb' }]), {
    both: 'spec.roles[0].name: Invalid value',
  }),
  accepted('a role name with quotes and blanks', s('spec.roles', [{ name: 'a "b\' c' }])),
  refused(
    'the same secret twice',
    s(
      'spec.secrets',
      [0, 1].map(() => ({ name: 'jwt', secretKeyRef: { name: 's', key: 'k' } })),
    ),
    {
      both: 'spec.secrets[1]: Duplicate value',
    },
  ),
  refused('an ignored rule without a reason', s('spec.lint', { ignore: [{ rule: 'ban-drop-column' }] }), {
    both: 'spec.lint.ignore[0].reason: Required value',
  }),
  refused(
    'a statement timeout of one day',
    s('spec.migrations', [{ name: 'm', sql: 'x', statementTimeout: '1d' }]),
    { rule: durationForm },
  ),
  accepted(
    'a statement timeout in milliseconds',
    s('spec.migrations', [{ name: 'm', sql: 'x', statementTimeout: '1500ms' }]),
  ),
  accepted(
    'a Job before migrations, whatever it holds',
    s('spec.beforeMigration', {
      jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', unheardOf: { b: 1 } }] } } } },
    }),
  ),
  refused(
    '5001 migrations',
    s(
      'spec.migrations',
      Array.from({ length: 5001 }, (_, n) => ({ name: `m${n}`, sql: 'x' })),
    ),
    {
      both: 'must have at most 5000 items',
    },
  ),
  accepted(
    '5000 migrations',
    s(
      'spec.migrations',
      Array.from({ length: 5000 }, (_, n) => ({ name: `m${n}`, sql: 'x' })),
    ),
  ),
  accepted('a schema name of 40 characters', s('spec.schema', `a${'_'.repeat(39)}`)),
  refused('a schema name of 41 characters', s('spec.schema', 'a'.repeat(41)), {
    both: 'may not be more than 40',
  }),
  accepted('a schema that only begins like public', s('spec.schema', 'public_api')),
  refused('the schema public', s('spec.schema', 'public'), { rule: schemaWord }),
  refused('the schema information_schema', s('spec.schema', 'information_schema'), { rule: schemaWord }),
  refused('a schema of PostgreSQL', s('spec.schema', 'pg_catalog'), { rule: schemaWord }),
  refused('a schema of the operator', s('spec.schema', 'pgrst_ledger'), { rule: schemaWord }),
  refused('a schema with upper case letters', s('spec.schema', 'Api'), { rule: schemaLetters }),
  refused('a schema that begins with a digit', s('spec.schema', '1api'), { rule: schemaLetters }),
  refused('a schema that would need quotes', s('spec.schema', 'my-api'), { rule: schemaLetters }),
  refused('a Secret name that no Secret can have', s('spec.database.uriSecretRef.name', 'Todo'), {
    both: 'spec.database.uriSecretRef.name: Invalid value',
  }),
  refused('a Secret reference without a key', s('spec.database.uriSecretRef', { name: 'todo' }), {
    both: 'spec.database.uriSecretRef.key: Required value',
  }),
  refused('an unknown deletion policy', s('spec.deletionPolicy', 'Forget'), {
    both: 'supported values: "Retain", "Delete"',
  }),
  refused('suspend as a string', s('spec.suspend', 'yes'), { both: 'must be of type boolean' }),
  refused('a misspelt field', s('spec.migration', []), { server: 'unknown field "spec.migration"' }),
];

/** What is accepted and what is refused as an ApiInstance. */
export const apiInstanceCases: readonly SpecCase[] = [
  accepted('the least that there can be', minimalApiInstance),
  accepted('every field', fullApiInstance),
  accepted('a name of 40 characters', i('metadata.name', 'a'.repeat(40))),
  refused('a name of 41 characters', i('metadata.name', 'a'.repeat(41)), { rule: instanceName }),
  refused('a name with a dot', i('metadata.name', 'to.do'), { rule: instanceName }),
  refused('a name that begins with a digit', i('metadata.name', '1todo'), { rule: instanceName }),
  refused('no schemaRef', i('spec.schemaRef', undefined), { both: 'spec.schemaRef: Required value' }),
  refused('no host', i('spec.expose', {}), { both: 'spec.expose.host: Required value' }),
  refused('no replicas at all', i('spec.replicas', 0), { both: 'should be greater than or equal to 1' }),
  refused('201 replicas', i('spec.replicas', 201), { both: 'should be less than or equal to 200' }),
  refused('two and a half replicas', i('spec.replicas', 2.5), { both: 'must be of type integer' }),
  refused('a release id that is none', i('spec.schemaRef.release', 'v2'), {
    both: 'spec.schemaRef.release: Invalid value',
  }),
  refused(
    '65 PostgREST parameters',
    i(
      'spec.postgrest.config',
      many(65, (n) => `app-settings-${n}`),
    ),
    {
      both: 'must have at most 64 items',
    },
  ),
  refused(
    'a resource that a container does not have',
    i('spec.postgrest.resources', { limits: { gpu: '1' } }),
    {
      rule: 'resources are cpu, ephemeral-storage, memory',
    },
  ),
  refused('a quantity with a blank', i('spec.postgrest.resources', { limits: { cpu: '1 m' } }), {
    both: 'spec.postgrest.resources.limits.cpu: Invalid value',
  }),
  refused('a pooler without pods', i('spec.pooler', { replicas: 0 }), {
    both: 'spec.pooler.replicas: Invalid value',
  }),
  accepted('a pooler with its defaults', i('spec.pooler', {})),
  ...['todo', 'a.b.c', '1.example.com', 'x'.repeat(253)].map((host) =>
    accepted(`the host ${host.slice(0, 20)}`, i('spec.expose.host', host)),
  ),
  ...['Todo.example.com', 'todo_1', '*.example.com', 'a..b', 'todo.', '-todo', 'todo:80', 'täglich.de'].map(
    (host) => refused(`the host ${host}`, i('spec.expose.host', host), { rule: hostForm }),
  ),
  refused('an IP address as the host', i('spec.expose.host', '192.0.2.1'), {
    rule: 'host is a DNS name: an Ingress takes no IP address',
  }),
  refused('a host of 254 characters', i('spec.expose.host', 'x'.repeat(254)), {
    both: 'may not be more than 253',
  }),
  ...['/', '/todo', '/v1/to-do_x~y.z', '/V1'].map((path) =>
    accepted(`the path ${path}`, i('spec.expose.path', path)),
  ),
  ...['todo', '/todo/', '//', '/a//b', '/a/../b', '/./a', '/a b', '/a?b', '/(.*)', '/%2e', '/.hidden'].map(
    (path) => refused(`the path ${path}`, i('spec.expose.path', path), { rule: pathForm }),
  ),
  refused(
    'an annotation that steers the canary',
    i('spec.expose.annotations', {
      'nginx.ingress.kubernetes.io/canary-weight': '5',
    }),
    { rule: ownedAnnotations },
  ),
  refused('an annotation of the operator', i('spec.expose.annotations', { 'pgrst.dev/x': 'y' }), {
    rule: ownedAnnotations,
  }),
  refused(
    '33 annotations',
    i(
      'spec.expose.annotations',
      many(33, (n) => `example.com/a${n}`),
    ),
    {
      both: 'must have at most 32 items',
    },
  ),
  refused('a step with both', i('spec.rollout.steps', [{ weight: 5, pause: {} }]), { rule: stepChoice }),
  refused('a step with neither', i('spec.rollout.steps', [{}]), { rule: stepChoice }),
  refused('a weight of 101', i('spec.rollout.steps', [{ weight: 101 }]), {
    both: 'should be less than or equal to 100',
  }),
  refused('a pause written as a string', i('spec.rollout.steps', [{ pause: '30s' }]), {
    both: 'must be of type object',
  }),
  refused('a misspelt duration', i('spec.rollout.steps', [{ pause: { durtion: '30s' } }]), {
    server: 'unknown field "spec.rollout.steps[0].pause.durtion"',
  }),
  refused(
    '21 steps',
    i(
      'spec.rollout.steps',
      Array.from({ length: 21 }, () => ({ weight: 1 })),
    ),
    {
      both: 'must have at most 20 items',
    },
  ),
  ...['30s', '15m', '2h', '1h30m', '1h5s', '0s', '99999h99999m'].map((duration) =>
    accepted(`the duration ${duration}`, i('spec.rollout.warmFor', duration)),
  ),
  ...['30', '1d', '1.5h', '30s5m', ' 30s', '-30s', '30S', '1h 5m', '999999h'].map((duration) =>
    refused(`the duration ${duration}`, i('spec.rollout.warmFor', duration), { rule: durationForm }),
  ),
  refused('no history', i('spec.rollout.revisionHistoryLimit', 0), {
    both: 'spec.rollout.revisionHistoryLimit: Invalid value',
  }),
  refused('a misspelt field', i('spec.postgrest.configs', {}), {
    server: 'unknown field "spec.postgrest.configs"',
  }),
  ...configCases,
  ...exposeCases,
  ...rolloutCases,
  ...podCases,
  ...poolerCases,
];
