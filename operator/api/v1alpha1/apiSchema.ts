import { z } from 'zod';
import type { ApiSchemaStatus } from './apiSchemaStatus.ts';
import { role, secret } from './roles.ts';
import { keyedList, matching, rule, transition } from './rule.ts';
import { duration, objectName, secretKeyRef, type apiVersion, type ObjectMeta } from './shared.ts';
import { api, contraction, ignoredRules, migration, tests } from './sql.ts';

/** `spec.schema`. */
const exposedSchema = transition(
  rule(
    matching(
      z
        .string()
        .min(1)
        .max(40)
        .describe(
          'The schema name that the API SQL uses. Each release is built under this name and published as <schema>_<release id>. At most 40 characters, so that the published name fits into 63. Immutable.',
        ),
      /^[a-z_][a-z0-9_]*$/,
      "schema has lower case letters, digits and '_' and does not begin with a digit: it is used unquoted, such as api",
    ),
    {
      cel: "!self.startsWith('pg_') && !self.startsWith('pgrst_') && !(self in ['public', 'information_schema'])",
      js: (name) => !/^(pg_|pgrst_)|^(public|information_schema)$/.test(name),
      message:
        'schema must not be public, information_schema or begin with pg_ or pgrst_: name a schema that holds nothing but the API, such as api',
    },
  ),
  {
    cel: 'self == oldSelf',
    message:
      'schema is immutable: the published releases carry it in their names; create another ApiSchema instead',
  },
);

/** `spec.database`. */
const database = z
  .object({
    uriSecretRef: secretKeyRef.describe(
      'Key of a Secret that holds a libpq URI (postgres://user:password@host:port/database) of the role that owns the database objects. A direct connection: migrations take a session lock, which a transaction pooler would lose.',
    ),
    tls: rule(
      z.object({
        mode: z
          .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
          .describe("As libpq's sslmode, and instead of the one in the URI."),
        caSecretRef: secretKeyRef
          .optional()
          .describe(
            "Key of a Secret with the certificate authority's certificates (PEM), for verify-ca and verify-full. Absent: the authorities that Node.js trusts.",
          ),
      }),
      {
        cel: "!has(self.caSecretRef) || self.mode in ['verify-ca', 'verify-full']",
        js: ({ mode, caSecretRef }) => caSecretRef === undefined || mode.startsWith('verify-'),
        message:
          'caSecretRef is used by the modes verify-ca and verify-full only: set one of them or remove it',
      },
    )
      .optional()
      .describe("How the connection is encrypted. Absent: what the URI's sslmode says."),
  })
  .describe('The database to change.');

const locks = z
  .object({
    timeout: duration
      .default('500ms')
      .describe(
        "How long a statement waits for a lock. Short, because everybody else queues behind it meanwhile, and shorter than PostgreSQL's deadlock_timeout (1s), so that a migration gives way before a client is cancelled. Concurrent index work waits as long as it takes.",
      ),
    retryFor: duration
      .default('4m')
      .describe(
        'How long a transaction that got no lock is tried again, with growing pauses, before the run gives up for a while (reason LockHeld).',
      ),
  })
  .prefault({})
  .describe('How a run behaves towards other sessions.');

const beforeMigration = z
  .object({
    jobTemplate: z
      .looseObject({})
      .describe(
        'Template of a Job (batch/v1 JobTemplateSpec). It gets the environment variables PGRST_SCHEMA and PGRST_PENDING (names of the pending migrations and contractions, separated by commas: the first 100, then `, and 4900 more`) and is deleted one day after it has ended, unless it says otherwise.',
      )
      .meta({ 'x-kubernetes-preserve-unknown-fields': true }),
  })
  .describe('A Job that runs, and must succeed, before migrations or contractions do: a backup, say.');

/** `spec` of an ApiSchema. */
export const apiSchemaSpec = z
  .object({
    database,
    schema: exposedSchema,
    strategy: transition(
      z
        .enum(['Versioned', 'InPlace'])
        .default('Versioned')
        .describe(
          'Versioned: each release is a schema of its own, beside the older ones. InPlace: one schema with a fixed name is replaced in one transaction; old pods serve the new one until they have reloaded, and there is nothing to roll back to. Immutable.',
        ),
      {
        cel: 'self == oldSelf',
        message: 'strategy is immutable: create another ApiSchema, with another schema name, instead',
      },
    ),
    migrations: keyedList(z.array(migration).max(5000), 'name')
      .default([])
      .describe('Forward-only changes of data structures, applied once each, in this order.'),
    contractions: keyedList(z.array(contraction).max(500), 'name')
      .default([])
      .describe(
        'Migrations that take something away. Their own lane: they run in this order after the migrations, and only when nothing that is kept needs what they remove.',
      ),
    baseline: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe(
        'Name of a migration: the database has it and all before it already. They are recorded without being run, when the ledger is still empty.',
      ),
    api: api.describe(
      'The API that PostgREST exposes: views, functions, types, grants. No state lives in it; it is rebuilt for every release.',
    ),
    tests: tests
      .optional()
      .describe(
        'pgTAP tests that run on each build, in its transaction, before it is published; what they write is rolled back.',
      ),
    roles: keyedList(z.array(role).max(100), 'name')
      .default([])
      .describe('Database roles that must exist. They are created and corrected, never dropped.'),
    secrets: keyedList(z.array(secret).max(32), 'name')
      .default([])
      .describe(
        "Values that SQL needs, such as a key to sign tokens. Only the owner's SECURITY DEFINER functions can read them.",
      ),
    dependsOn: keyedList(
      z
        .array(z.object({ name: objectName.describe('Name of the ApiSchema, in the same namespace.') }))
        .max(32),
      'name',
    )
      .default([])
      .describe('ApiSchemas over the same database that have to be applied first.'),
    locks,
    lint: z
      .object({
        ignore: ignoredRules,
        failOn: z
          .enum(['Error', 'Warning'])
          .default('Error')
          .describe('The level of a finding from which on nothing is run.'),
      })
      .prefault({})
      .describe('What is looked for in SQL before it runs.'),
    drift: z
      .enum(['Report', 'Block', 'Ignore'])
      .default('Report')
      .describe(
        'What to do when somebody else has changed a release, its grants or the ledger. Report: say so. Block: publish nothing new until it is put right. Ignore: do not look.',
      ),
    breaking: z
      .enum(['Allow', 'RequireApproval'])
      .default('Allow')
      .describe(
        'Whether a release that takes something away from clients (a relation, a column, a function, a grant) is published at once, or waits for the annotation pgrst.dev/action: approve.',
      ),
    beforeMigration: beforeMigration.optional(),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe(
        'What happens in the database when this object is deleted. Retain leaves everything. Delete drops the releases and the rows of the ledger that belong to them; tables and data are never dropped.',
      ),
    suspend: z
      .boolean()
      .default(false)
      .describe(
        'When true the operator changes nothing in the database, stops what runs, and shows in status.plan what it would do; what is served stays served.',
      ),
  })
  .describe('What the database must look like: forward-only migrations and the API on top of them.');
/** `spec` of an ApiSchema, defaults filled in. */
export type ApiSchemaSpec = z.infer<typeof apiSchemaSpec>;

/** An ApiSchema as the API server returns it; `spec` still has to pass `apiSchemaSpec.safeParse`. */
export interface ApiSchema {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'ApiSchema';
  readonly metadata: ObjectMeta;
  readonly spec: ApiSchemaSpec;
  readonly status?: ApiSchemaStatus;
}
