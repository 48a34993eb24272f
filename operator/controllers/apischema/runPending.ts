import { announceChanges, renewSnapshots } from '../../database/drift.ts';
import { readLedger, type Ledger } from '../../database/ledger.ts';
import type { MigrationToRun } from '../../database/migrationToRun.ts';
import { runMigration } from '../../database/runMigration.ts';
import { runTogether, sharingMessage } from '../../database/runTogether.ts';
import type { Session } from '../../database/session.ts';
import { transactionContext } from '../../database/withSession.ts';
import { checksumOf } from '../../migration/checksum.ts';
import type { RunnableStatement } from '../../migration/runnable.ts';
import type { ApplyContext, ApplyRequest } from './applyRequest.ts';
import type { Blocked } from './applyResult.ts';
import { failureOf, laneBlocked } from './blocked.ts';
import type { Review } from './reviewSql.ts';

/** Runs what the ledger does not have yet, in order; says which one did not get through. Under the lock. */
export async function runPending(
  session: Session,
  request: ApplyRequest,
  ledger: Ledger,
  review: Review,
  context: ApplyContext,
): Promise<Blocked | undefined> {
  const pending = migrationsToRun(request, ledger, review);
  if (pending.length === 0) return undefined;
  const renewing = transactionContext(session, 'noting what migrations changed under the releases', context);
  await announceChanges(renewing, request.exposedSchema);
  const failure = await runAll(session, request, pending, context);
  await session.clean();
  // What our own migrations changed under the releases is their new baseline, also when a later one failed.
  await renewSnapshots(renewing, request.exposedSchema);
  return failure;
}

async function runAll(
  session: Session,
  request: ApplyRequest,
  pending: readonly MigrationToRun[],
  context: ApplyContext,
): Promise<Blocked | undefined> {
  for (let done = 0; done < pending.length;) {
    context.signal.throwIfAborted();
    const rest = pending.slice(done);
    const [next] = rest;
    if (next === undefined) break;
    const { name } = next;
    context.progress({
      phase: 'migrating',
      isMigrating: true,
      migration: name,
      number: done + 1,
      of: pending.length,
    });
    const transaction = transactionContext(session, `migration ${name}`, migrating(context));
    const sharing = sharingMessage(rest);
    if (sharing.length > 0) {
      const count = await runTogether(transaction, sharing);
      done += count;
      if (count > 0) continue;
    }
    try {
      await runMigration(transaction, next);
    } catch (error) {
      const failure = failureOf(error);
      return laneBlocked(await readLedger(session, request), request, name, failure);
    }
    done += 1;
  }
  return undefined;
}

function migrationsToRun(
  { migrations, exposedSchema, identity }: ApplyRequest,
  ledger: Ledger,
  review: Review,
): readonly MigrationToRun[] {
  const first = ledger.migrations.length;
  return migrations.slice(first).map((migration, index) => ({
    name: migration.name,
    checksum: checksumOf(migration),
    exposedSchema,
    position: first + index,
    statements: review.migrations.get(migration.name) ?? noStatements(migration.name),
    appliedBy: identity,
    ...(migration.statementTimeoutMs === undefined
      ? {}
      : { statementTimeoutMs: migration.statementTimeoutMs }),
  }));
}

// Only what is said about the run as a whole decides whether it may be interrupted.
function migrating(context: ApplyContext): ApplyContext {
  return {
    ...context,
    progress: (value) => {
      context.progress({ ...value, isMigrating: true });
    },
  };
}

function noStatements(name: string): readonly RunnableStatement[] {
  throw new Error(`migration ${name} was not read`);
}
