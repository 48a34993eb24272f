import { z } from 'zod';
import { keyedList, rule } from './rule.ts';
import { configMapKeyRef, duration } from './shared.ts';

/** The longest SQL that one inline field takes, in characters; longer SQL goes into a ConfigMap. */
export const inlineSqlMax = 262_144;

const exactlyOneSource = {
  cel: 'has(self.sql) != has(self.sqlFrom)',
  js: (value: { sql?: unknown; sqlFrom?: unknown }) =>
    (value.sql === undefined) !== (value.sqlFrom === undefined),
};

const inlineSql = z.string().min(1).max(inlineSqlMax);

/** Where SQL comes from when it is not inline. */
export const sqlSource = z
  .object({ configMapKeyRef: configMapKeyRef.describe('The ConfigMap key that holds the SQL.') })
  .describe('SQL kept outside this object.');

/** A rule of the lint that is not wanted, and why. */
const ignoredRule = z.object({
  rule: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[a-z0-9]([-/a-z0-9]*[a-z0-9])?$/)
    .describe('Name of the rule, as the finding has it, such as ban-drop-column or pgrst/security-invoker.'),
  reason: z.string().min(1).max(512).describe('Why it does no harm here, for whoever reads this later.'),
});

/** `ignore` of a `lint`. */
export const ignoredRules = keyedList(z.array(ignoredRule).max(64), 'rule')
  .default([])
  .describe('Rules whose findings are left out, each with its reason.');

const migrationName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[A-Za-z0-9][-_.A-Za-z0-9]*$/);

const laneEntry = {
  sql: inlineSql.optional().describe('The SQL, inline. Exactly one of sql and sqlFrom.'),
  sqlFrom: sqlSource.optional().describe('The SQL, in a ConfigMap. Exactly one of sql and sqlFrom.'),
  statementTimeout: duration
    .optional()
    .describe(
      'How long one statement of it may take, such as 30s; then it fails and is rolled back. Absent: as long as it takes.',
    ),
  lint: z.object({ ignore: ignoredRules }).optional().describe('What the lint leaves out in this one.'),
};

/** One forward-only migration. */
export const migration = rule(
  z.object({
    name: migrationName.describe(
      'Name in the ledger, unique in the list. It never changes once the migration has been applied; order is the order of the list.',
    ),
    ...laneEntry,
    idempotent: z
      .boolean()
      .optional()
      .describe(
        'True: each statement of it may be run again after an interruption. Needed for what PostgreSQL runs outside of transactions only and leaves no trace of in the catalog, such as CALL of a procedure that commits. Default false.',
      ),
  }),
  {
    ...exactlyOneSource,
    message: 'a migration has its SQL either in sql or in sqlFrom: set exactly one of the two',
  },
);

/** One migration of the second lane, which takes something away. */
export const contraction = rule(
  z.object({
    name: migrationName.describe(
      'Name in the ledger, unique in the list. It never changes once the contraction has been applied; order is the order of the list.',
    ),
    ...laneEntry,
    approval: z
      .enum(['Manual', 'Automatic'])
      .default('Manual')
      .describe(
        'Manual: it waits for the annotation pgrst.dev/action: approve. Automatic: it runs as soon as nothing that has traffic needs what it removes, and ends the kept revisions that do.',
      ),
  }),
  {
    ...exactlyOneSource,
    message: 'a contraction has its SQL either in sql or in sqlFrom: set exactly one of the two',
  },
);

const partsOf = (what: string) => ({
  sql: inlineSql.optional().describe(`The ${what}, inline. Exactly one of sql and sqlFrom.`),
  sqlFrom: z
    .array(sqlSource)
    .min(1)
    .max(64)
    .optional()
    .describe(
      `ConfigMap keys whose texts, joined in this order, are the ${what}. Exactly one of sql and sqlFrom.`,
    )
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
});

/** The API SQL. */
export const api = rule(z.object(partsOf('API SQL')), {
  ...exactlyOneSource,
  message: 'the API SQL is either in api.sql or in api.sqlFrom: set exactly one of the two',
});

/** The pgTAP tests. */
export const tests = rule(z.object(partsOf('pgTAP tests')), {
  ...exactlyOneSource,
  message: 'the tests are either in tests.sql or in tests.sqlFrom: set exactly one of the two',
});
