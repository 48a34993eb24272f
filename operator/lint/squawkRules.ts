import type { LintRule } from './finding.ts';

const blocks = 'Everybody who uses the table waits meanwhile, the API included.';
const older =
  'Older releases stay callable until nobody keeps them, and PostgreSQL follows in their views, not in bodies that are text.';

/** The rules of squawk that say something about how the operator runs SQL; its own message comes first. */
export const squawkRules: Readonly<Record<string, LintRule>> = {
  'adding-field-with-default': {
    level: 'warning',
    why: `The whole table is rewritten. ${blocks}`,
    fix: 'Add the column without a default (or with one that is not volatile), fill it in pieces, then set the default.',
  },
  'adding-foreign-key-constraint': {
    level: 'warning',
    why: `All rows are checked while writes to both tables wait.`,
    fix: 'ADD CONSTRAINT ... NOT VALID in one migration, VALIDATE CONSTRAINT in the next.',
  },
  'adding-not-nullable-field': {
    level: 'warning',
    why: `All rows are checked. ${blocks}`,
    fix: 'CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in the next migration, then SET NOT NULL.',
  },
  'adding-required-field': {
    level: 'warning',
    why: 'It fails on a table with rows, and afterwards INSERTs of older releases fail, which do not know the column.',
    fix: 'Give the column a default, or let it be null.',
  },
  'adding-serial-primary-key-field': {
    level: 'warning',
    why: `An index is built. ${blocks}`,
    fix: 'CREATE UNIQUE INDEX CONCURRENTLY in a migration, then ADD CONSTRAINT ... PRIMARY KEY USING INDEX.',
  },
  'ban-alter-domain-with-add-constraint': {
    level: 'warning',
    why: 'Every table with a column of the domain is read while writes to it wait.',
    fix: 'ADD CONSTRAINT ... NOT VALID in one migration, VALIDATE CONSTRAINT in the next.',
  },
  'ban-drop-column': {
    level: 'error',
    why: `The data is gone for good. ${older}`,
    fix: 'Make it a contraction (spec.contractions): it waits until no kept release needs the column.',
  },
  'ban-drop-database': {
    level: 'error',
    why: 'Everything in it is gone for good.',
    fix: 'Do it by hand, outside of the API.',
  },
  'ban-drop-not-null': {
    level: 'warning',
    why: 'Older releases and their clients may not expect null.',
    fix: 'Let the views of the older releases be gone first, or show a value in place of null.',
  },
  'ban-drop-table': {
    level: 'error',
    why: `The data is gone for good. ${older}`,
    fix: 'Make it a contraction (spec.contractions): it waits until no kept release needs the table.',
  },
  'ban-truncate-cascade': {
    level: 'error',
    why: 'Tables that the statement does not name are emptied with it.',
    fix: 'Name each table, without CASCADE.',
  },
  'changing-column-type': {
    level: 'warning',
    why: `The table may be rewritten, and a column that a view of any release uses cannot change its type. ${blocks}`,
    fix: 'Add a column of the new type, fill it by a trigger and in pieces, and let the new release use it.',
  },
  'constraint-missing-not-valid': {
    level: 'warning',
    why: `All rows are checked. ${blocks}`,
    fix: 'ADD CONSTRAINT ... NOT VALID in one migration, VALIDATE CONSTRAINT in the next.',
  },
  'disallowed-unique-constraint': {
    level: 'warning',
    why: `An index is built. ${blocks}`,
    fix: 'CREATE UNIQUE INDEX CONCURRENTLY in a migration, then ADD CONSTRAINT ... UNIQUE USING INDEX.',
  },
  'identifier-too-long': {
    level: 'warning',
    why: 'PostgreSQL cuts names to 63 bytes without an error.',
    fix: 'Shorten the name.',
  },
  'renaming-column': {
    level: 'warning',
    why: older,
    fix: 'Name the column otherwise in the view of the new release only.',
  },
  'renaming-table': {
    level: 'warning',
    why: older,
    fix: 'Name it otherwise in the API SQL only.',
  },
  'require-concurrent-index-creation': {
    level: 'warning',
    why: 'Writes to the table wait until the index is built.',
    fix: 'CREATE INDEX CONCURRENTLY, with a name; the operator runs it by itself and takes it up again after an interruption.',
  },
  'require-concurrent-index-deletion': {
    level: 'warning',
    why: blocks,
    fix: 'DROP INDEX CONCURRENTLY.',
  },
  'require-concurrent-partition-detach': {
    level: 'warning',
    why: blocks,
    fix: 'ALTER TABLE ... DETACH PARTITION ... CONCURRENTLY.',
  },
  'require-concurrent-reindex': {
    level: 'warning',
    why: blocks,
    fix: 'REINDEX ... CONCURRENTLY.',
  },
};

/** squawk's rules that would be wrong or idle here, and why. */
export const switchedOff: Readonly<Record<string, string>> = {
  'ban-concurrent-index-creation-in-transaction': 'the operator runs such statements outside of transactions',
  'ban-uncommitted-transaction': "transactions are the operator's; pgrst/transaction-control refuses others",
  'transaction-nesting': "transactions are the operator's; pgrst/transaction-control refuses others",
  'prefer-robust-stmts':
    'the ledger sees to it that nothing runs twice, and IF NOT EXISTS hides what is there',
  'require-lock-timeout': 'the operator sets lock_timeout',
  'require-statement-timeout': 'a field of the migration, statementTimeout',
  'require-timeout-settings': 'the operator sets lock_timeout',
  'ban-char-field': 'taste',
  'ban-create-domain-with-constraint': 'taste: a new domain disturbs nobody',
  'prefer-bigint-over-int': 'taste',
  'prefer-bigint-over-smallint': 'taste',
  'prefer-identity': 'taste',
  'prefer-text-field': 'taste',
  'prefer-timestamp-tz': 'taste',
  'require-table-schema': 'taste: the search_path is pinned',
};
