import {
  durationsStatement,
  isNotPrepared,
  preparedStatements,
  prepareStatements,
} from './ledgerStatements.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { leavesNothing } from './runStatements.ts';
import { ownPathStatement, userStatement } from './session.ts';
import { errorKind } from './sqlError.ts';
import type { TransactionContext } from './transaction.ts';

/** What one message holds at most: progress is told between two. */
const maxMigrations = 128;
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
 * there exactly once whatever happens. How long each took is written behind all of them: where a run ends before that,
 * their rows say 0 and when they began. Returns how many are done. When these are not all, the next one has failed and
 * nothing of it or of those behind it is in the database: run it by itself, which tells why and is patient with locks.
 * Throws what a broken connection threw.
 */
export async function runTogether(
  context: TransactionContext,
  migrations: readonly MigrationToRun[],
): Promise<number> {
  const { session } = context;
  const scripts = migrations.map((migration) => {
    const texts = migration.statements.map(({ text }) => text);
    return ['begin', preparedStatements(migration).insert, ...texts, 'commit'];
  });
  const attempt = async () =>
    await session.watcher.during(
      (seen) => context.onObservation?.(seen),
      // One search_path for all: none of them changes it, and what we have prepared is planned anew for each other one.
      async () => await session.script([userStatement, ...scripts.flat(), ownPathStatement]),
    );
  let result = await attempt();
  if (result.kind === 'failed' && result.completed === 2 && isNotPrepared(result.error)) {
    await session.query('rollback');
    for (const text of prepareStatements) await session.run(text);
    result = await attempt();
  }
  if (result.kind === 'failed') {
    if (errorKind(result.error) === 'connection') throw result.error;
    context.signal.throwIfAborted();
    await session.query('rollback');
    await session.ownSettings();
  }
  const done = result.kind === 'done' ? migrations.length : countWhole(scripts, result.completed - 1);
  if (done > 0) await session.run(durationsStatement(migrations.slice(0, done)));
  return done;
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
