import { z } from 'zod';
import { keyedList, matching, rule, transition } from './rule.ts';
import { conditions, configMapKeyRef, secretKeyRef, type apiVersion, type ObjectMeta } from './shared.ts';

/** The longest SQL that one inline field takes, in characters; longer SQL goes into a ConfigMap. */
export const inlineSqlMax = 262_144;

const exactlyOneSource = {
  cel: 'has(self.sql) != has(self.sqlFrom)',
  js: (value: { sql?: unknown; sqlFrom?: unknown }) =>
    (value.sql === undefined) !== (value.sqlFrom === undefined),
};

/** Where SQL comes from when it is not inline. */
export const sqlSource = z
  .object({ configMapKeyRef: configMapKeyRef.describe('The ConfigMap key that holds the SQL.') })
  .describe('SQL kept outside this object.');

/** One forward-only migration. */
export const migration = rule(
  z.object({
    name: z
      .string()
      .min(1)
      .max(128)
      .regex(/^[A-Za-z0-9][-_.A-Za-z0-9]*$/)
      .describe(
        'Name in the ledger, unique in the list. It never changes once the migration has been applied; order is the order of the list.',
      ),
    sql: z
      .string()
      .min(1)
      .max(inlineSqlMax)
      .optional()
      .describe('The SQL, inline. Exactly one of sql and sqlFrom.'),
    sqlFrom: sqlSource.optional().describe('The SQL, in a ConfigMap. Exactly one of sql and sqlFrom.'),
  }),
  {
    ...exactlyOneSource,
    message: 'a migration has its SQL either in sql or in sqlFrom: set exactly one of the two',
  },
);

/** The API SQL. */
export const api = rule(
  z.object({
    sql: z
      .string()
      .min(1)
      .max(inlineSqlMax)
      .optional()
      .describe('The API SQL, inline. Exactly one of sql and sqlFrom.'),
    sqlFrom: z
      .array(sqlSource)
      .min(1)
      .max(64)
      .optional()
      .describe(
        'ConfigMap keys whose texts, joined in this order, are the API SQL. Exactly one of sql and sqlFrom.',
      )
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  }),
  {
    ...exactlyOneSource,
    message: 'the API SQL is either in api.sql or in api.sqlFrom: set exactly one of the two',
  },
);

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

/** `spec` of an ApiSchema. */
export const apiSchemaSpec = z
  .object({
    database: z
      .object({
        uriSecretRef: secretKeyRef.describe(
          'Key of a Secret that holds a libpq URI (postgres://user:password@host:port/database) of the role that owns the database objects. A direct connection: migrations take a session lock, which a transaction pooler would lose.',
        ),
      })
      .describe('The database to change.'),
    schema: exposedSchema,
    migrations: keyedList(z.array(migration).max(2000), 'name')
      .default([])
      .describe('Forward-only changes of data structures, applied once each, in this order.'),
    api: api.describe(
      'The API that PostgREST exposes: views, functions, types, grants. No state lives in it; it is rebuilt for every release.',
    ),
    deletionPolicy: z
      .enum(['Retain', 'Delete'])
      .default('Retain')
      .describe(
        'What happens in the database when this object is deleted. Retain leaves everything. Delete drops the releases and the rows of the ledger that belong to them; tables and data are never dropped.',
      ),
    suspend: z
      .boolean()
      .default(false)
      .describe('When true the operator changes nothing in the database; what is served stays served.'),
  })
  .describe('What the database must look like: forward-only migrations and the API on top of them.');
/** `spec` of an ApiSchema, defaults filled in. */
export type ApiSchemaSpec = z.infer<typeof apiSchemaSpec>;

/** One published release, as status and the ledger name it. */
export const release = z.object({
  id: z
    .string()
    .max(8)
    .regex(/^[0-9a-f]{8}$/)
    .describe('8 hex digits: hash of the API SQL and of the migrations under it.'),
  schema: z.string().max(63).describe('The PostgreSQL schema that holds it.'),
  builtAt: z.iso.datetime().describe('When it was published (RFC 3339).').meta({ format: 'date-time' }),
});
/** One published release. */
export type Release = z.infer<typeof release>;

/** `status` of an ApiSchema. */
export const apiSchemaStatus = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .optional()
      .describe('The metadata.generation that this status speaks of.'),
    conditions: conditions.optional(),
    release: release
      .optional()
      .describe('The newest release: what instances that follow this schema will serve.'),
    releases: z
      .array(release)
      .max(50)
      .optional()
      .describe('The newest published releases, newest first; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    migrations: z
      .object({
        applied: z.int().min(0).describe('How many migrations of the spec are in the ledger.'),
        pending: z.int().min(0).describe('How many are not.'),
        last: z
          .array(
            z.object({
              name: z.string().max(128).describe('Name of the migration.'),
              appliedAt: z.iso
                .datetime()
                .describe('When it was committed (RFC 3339).')
                .meta({ format: 'date-time' }),
              durationMs: z.int().min(0).describe('How long its transaction took, in milliseconds.'),
            }),
          )
          .max(50)
          .describe('The newest applied migrations, newest first; at most 50.')
          .meta({ 'x-kubernetes-list-type': 'atomic' }),
      })
      .optional()
      .describe('How far the migrations are.'),
    lastError: z
      .object({
        migration: z
          .string()
          .max(128)
          .optional()
          .describe('The migration that failed; absent when the API SQL did.'),
        statement: z.int().min(1).optional().describe('Which statement of it, counted from 1.'),
        line: z.int().min(1).optional().describe('Which line of its SQL, counted from 1.'),
        sqlstate: z.string().max(5).optional().describe('The SQLSTATE that PostgreSQL gave.'),
        message: z.string().max(4096).describe("PostgreSQL's message, or ours."),
        hint: z.string().max(4096).optional().describe("PostgreSQL's hint, or what to do."),
      })
      .optional()
      .describe('Why the newest spec could not be applied; absent when it could.'),
  })
  .describe('What the operator saw and did.');
/** `status` of an ApiSchema. */
export type ApiSchemaStatus = z.infer<typeof apiSchemaStatus>;

/** An ApiSchema as the API server returns it; `spec` still has to pass `apiSchemaSpec.safeParse`. */
export interface ApiSchema {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'ApiSchema';
  readonly metadata: ObjectMeta;
  readonly spec: ApiSchemaSpec;
  readonly status?: ApiSchemaStatus;
}
