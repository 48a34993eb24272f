import type { SqlStatement } from '../migration/statements.ts';
import { runStatements } from './runStatements.ts';
import { inTransaction, type TransactionContext } from './transaction.ts';

/** One migration, ready to run. */
export interface MigrationToRun {
  readonly exposedSchema: string;
  readonly name: string;
  /** `sqlChecksum` of its SQL. */
  readonly checksum: string;
  /** Index in the spec, from 0. */
  readonly position: number;
  readonly statements: readonly SqlStatement[];
  /** Who runs it, for the ledger. */
  readonly appliedBy: string;
}

/**
 * Runs one migration exactly once: its ledger row is the first write of its transaction, so that a second runner, lock
 * or no lock, waits at the primary key and fails. Throws a StatementError, a RunFailure, or what the connection threw.
 */
export async function runMigration(context: TransactionContext, migration: MigrationToRun): Promise<void> {
  const { session } = context;
  const key = [migration.exposedSchema, migration.name];
  await inTransaction(context, async () => {
    await session.query(
      `insert into pgrst_ledger.migrations (exposed_schema, name, position, checksum, applied_by)
       values ($1, $2, $3, $4, $5)`,
      [...key, migration.position, migration.checksum, migration.appliedBy],
    );
    await runStatements(session, migration.statements);
    await session.query(
      `update pgrst_ledger.migrations
          set applied_at = clock_timestamp(),
              duration_ms = extract(epoch from clock_timestamp() - now()) * 1000
        where exposed_schema = $1 and name = $2`,
      key,
    );
    return { value: undefined, end: 'commit' };
  });
}
