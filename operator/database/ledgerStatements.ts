import { quoteLiteral } from './quoteLiteral.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { sqlstateOf } from './sqlError.ts';

/** The two writes of the ledger around a migration that is one transaction. */
export interface LedgerStatements {
  /** The first write of the transaction. */
  readonly insert: string;
  /** The last one. */
  readonly update: string;
}

const insert = (values: readonly string[]): string =>
  `insert into pgrst_ledger.migrations (exposed_schema, name, position, checksum, applied_by, statements_done)
   values (${values.join(', ')})`;

const update = (schema: string, name: string): string =>
  `update pgrst_ledger.migrations
      set applied_at = clock_timestamp(), duration_ms = extract(epoch from clock_timestamp() - applied_at) * 1000
    where exposed_schema = ${schema} and name = ${name}`;

/** The statements as text. */
export function plainStatements(migration: MigrationToRun): LedgerStatements {
  const values = valuesOf(migration);
  return { insert: insert(values), update: update(values[0], values[1]) };
}

/**
 * The statements as calls of those that `prepareStatements` has made in the session: planning them anew for each migration
 * would cost the server more than running them.
 */
export function preparedStatements(migration: MigrationToRun): LedgerStatements {
  const values = valuesOf(migration);
  return {
    insert: `execute pgrst_insert_migration (${values.join(', ')})`,
    update: `execute pgrst_update_migration (${values[0]}, ${values[1]})`,
  };
}

/** Prepares the statements in the session; to be run one by one. */
export const prepareStatements: readonly string[] = [
  'deallocate all',
  `prepare pgrst_insert_migration (text, text, integer, text, text, integer) as
   ${insert(['$1', '$2', '$3', '$4', '$5', '$6'])}`,
  `prepare pgrst_update_migration (text, text) as ${update('$1', '$2')}`,
];

/**
 * Writes how long migrations took that ran one right behind the other, in this order, and whose rows were inserted when
 * each began: until the next one did, the last until now.
 */
export function durationsStatement(migrations: readonly MigrationToRun[]): string {
  const schema = quoteLiteral(migrations[0]?.exposedSchema ?? '');
  const [first, last] = [migrations[0], migrations.at(-1)].map((each) => String(each?.position ?? 0));
  return `update pgrst_ledger.migrations m
      set applied_at = t.ended, duration_ms = extract(epoch from t.ended - m.applied_at) * 1000
     from (select name, coalesce(lead(applied_at) over (order by position), clock_timestamp()) as ended
             from pgrst_ledger.migrations
            where exposed_schema = ${schema} and position between ${first ?? ''} and ${last ?? ''}) t
    where m.exposed_schema = ${schema} and m.name = t.name`;
}

/** Whether the session has not prepared the statements, or has thrown them away. */
export function isNotPrepared(error: unknown): boolean {
  return sqlstateOf(error) === '26000';
}

function valuesOf(migration: MigrationToRun) {
  return [
    quoteLiteral(migration.exposedSchema),
    quoteLiteral(migration.name),
    String(migration.position),
    quoteLiteral(migration.checksum),
    quoteLiteral(migration.appliedBy),
    String(migration.statements.length),
  ] as const;
}
