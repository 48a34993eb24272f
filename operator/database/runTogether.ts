import { isNotPrepared, preparedStatements, prepareStatements } from './ledgerStatements.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { leavesNothing } from './runStatements.ts';
import { ownPathStatement, userStatement } from './session.ts';
import { errorKind } from './sqlError.ts';
import type { TransactionContext } from './transaction.ts';

/** What one message holds at most: whoever stops the run stops it at the end of the transaction that runs. */
const maxMigrations = 32;
const maxLength = 65_536;

/** The migrations at the beginning of the list that may share a message; fewer than two are none. */
export function sharingMessage(migrations: readonly MigrationToRun[]): readonly MigrationToRun[] {
  let length = 0;
  const end = migrations.slice(0, maxMigrations).findIndex((migration) => {
    length += migration.statements.reduce((sum, { text }) => sum + text.length, 0);
    return length > maxLength || !isSmall(migration);
  });
  const sharing = migrations.slice(0, end === -1 ? maxMigrations : end);
  return sharing.length < 2 ? [] : sharing;
}

// Anything else needs settings, time limits, a transaction or care of its own.
function isSmall({ statements, statementTimeoutMs }: MigrationToRun): boolean {
  return (
    statementTimeoutMs === undefined &&
    statements.every((statement) => statement.solo === undefined && leavesNothing(statement))
  );
}

/**
 * Runs migrations in one round trip, each in a transaction of its own that begins with its ledger row, so that each is
 * there exactly once whatever happens. Returns how many are done. When these are not all, the next one has failed and
 * nothing of it or of those behind it is in the database: run it by itself, which tells why and is patient with locks.
 * Throws what a broken connection threw.
 */
export async function runTogether(
  context: TransactionContext,
  migrations: readonly MigrationToRun[],
): Promise<number> {
  const { session } = context;
  const scripts = migrations.map((migration) => {
    const { insert, update } = preparedStatements(migration);
    const texts = migration.statements.map(({ text }) => text);
    return ['begin', insert, userStatement, ...texts, ownPathStatement, update, 'commit'];
  });
  const attempt = async () =>
    await session.watcher.during(
      (seen) => context.onObservation?.(seen),
      async () => await session.script(scripts.flat()),
    );
  let result = await attempt();
  if (result.kind === 'failed' && result.completed === 1 && isNotPrepared(result.error)) {
    await session.query('rollback');
    for (const text of prepareStatements) await session.run(text);
    result = await attempt();
  }
  if (result.kind === 'done') return migrations.length;
  if (errorKind(result.error) === 'connection') throw result.error;
  context.signal.throwIfAborted();
  await session.query('rollback');
  await session.ownSettings();
  return countWhole(scripts, result.completed);
}

/** How many scripts have run to their end when so many statements have. */
function countWhole(scripts: readonly (readonly string[])[], completed: number): number {
  let left = completed;
  const failed = scripts.findIndex((script) => {
    left -= script.length;
    return left < 0;
  });
  return failed === -1 ? scripts.length : failed;
}
