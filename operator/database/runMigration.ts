import {
  isNotPrepared,
  plainStatements,
  preparedStatements,
  prepareStatements,
  type LedgerStatements,
} from './ledgerStatements.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { runInPieces } from './runInPieces.ts';
import { leavesNothing, runScript } from './runStatements.ts';
import { leftoverStatements } from './session.ts';
import { isLedgerClash } from './sqlError.ts';
import { retrying, type TransactionContext } from './transaction.ts';

/**
 * Runs one migration exactly once, or the rest of one that was begun. Where all of it can be one transaction it is, in one
 * round trip, and its ledger row is the first write: a second runner, lock or no lock, waits at the primary key and fails.
 * Otherwise see `runInPieces`. Throws a StatementError, a RunFailure, or what the connection threw.
 */
export async function runMigration(context: TransactionContext, migration: MigrationToRun): Promise<void> {
  if (migration.statements.every(({ solo }) => solo === undefined)) {
    try {
      await runWhole(context, migration);
      return;
    } catch (error) {
      // It may have been begun with other statements behind those that are done.
      if (!isLedgerClash(error)) throw error;
    }
  }
  await runInPieces(context, migration);
  await context.session.clean();
}

async function runWhole(context: TransactionContext, migration: MigrationToRun): Promise<void> {
  const { session } = context;
  const leftovers = migration.statements.every(leavesNothing) ? [] : leftoverStatements;
  const run = async ({ insert, update }: LedgerStatements): Promise<void> => {
    await retrying(context, async () => {
      await runScript(session, {
        before: ['begin', insert],
        statements: migration.statements,
        after: [update, 'commit', ...leftovers],
        statementTimeoutMs: migration.statementTimeoutMs,
      });
    });
  };
  try {
    await run(preparedStatements(migration));
  } catch (error) {
    if (!isNotPrepared(error)) throw error;
    for (const text of prepareStatements) await session.run(text);
    try {
      await run(preparedStatements(migration));
    } catch (again) {
      // The migration itself throws them away (DEALLOCATE ALL).
      if (!isNotPrepared(again)) throw again;
      await run(plainStatements(migration));
    }
  }
}
