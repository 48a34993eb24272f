import type { RunnableStatement, Solo } from '../migration/runnable.ts';
import type { ProgressRow } from './progressRow.ts';
import { isFinal, statementError, timeoutStatements } from './runStatements.ts';
import { userStatement } from './session.ts';
import { standingOf } from './soloStanding.ts';
import { errorKind } from './sqlError.ts';
import { retrying, type TransactionContext } from './transaction.ts';

/** A statement that runs alone. */
export interface AloneStatement {
  readonly context: TransactionContext;
  readonly row: ProgressRow;
  /** So many statements are done before it. */
  readonly from: number;
  /** SET and RESET among them. */
  readonly settings: readonly string[];
  readonly statementTimeoutMs: number | undefined;
  readonly statement: RunnableStatement;
  readonly solo: Solo;
  /** Whether a run before this one has begun it, and it may be done, half done, or not. */
  readonly isBegun: boolean;
}

/**
 * Runs a statement outside of a transaction. It is marked as begun only where the catalog does not yet say what it is
 * for, so that one that is found marked and in the catalog is done. One that fails for good leaves nothing half done.
 */
export async function runAlone(job: AloneStatement): Promise<void> {
  const { context, row, from, solo, statement, statementTimeoutMs } = job;
  const { session } = context;
  let isBegun = job.isBegun;
  try {
    await retrying(context, async () => {
      const standing = await asUser(job, () => standingOf(session, solo, isBegun));
      if (isBegun && standing.kind === 'reached') {
        await row.advance(from, from + 1);
        return;
      }
      if (!isBegun && standing.kind !== 'reached') {
        await row.begin(from + 1);
        isBegun = true;
      }
      if (standing.kind === 'open') await repair(job, standing.repairs);
      await asUser(
        job,
        async () => {
          try {
            await session.run(standing.kind === 'pending' ? standing.finish : statement.text);
          } catch (error) {
            if (errorKind(error) === 'connection') throw error;
            throw statementError(error, statement, { statementTimeoutMs });
          }
        },
        timeoutStatements(statementTimeoutMs),
      );
      await row.advance(from, from + 1);
    });
  } catch (error) {
    if (isFinal(error) && (await leavesNothing(job))) await row.giveUp(from);
    throw error;
  }
}

/** Removes what the failed statement has left; false when that cannot be done now: then the next run begins with it. */
async function leavesNothing(job: AloneStatement): Promise<boolean> {
  const { context, solo } = job;
  try {
    await retrying(context, async () => {
      const left = await asUser(job, () => standingOf(context.session, solo, true));
      if (left.kind === 'open') await repair(job, left.repairs);
    });
    return true;
  } catch (error) {
    context.signal.throwIfAborted();
    if (errorKind(error) === 'connection') throw error;
    return false;
  }
}

async function repair(job: AloneStatement, repairs: readonly string[]): Promise<void> {
  if (repairs.length === 0) return;
  await asUser(job, async () => {
    for (const text of repairs) await job.context.session.run(text);
  });
}

/** Runs the body under the settings that the statements before this one have left, and then takes them back. */
async function asUser<T>(
  { context, settings, solo }: AloneStatement,
  body: () => Promise<T>,
  more: readonly string[] = [],
): Promise<T> {
  const { session } = context;
  const waits = waitsByDesign(solo) ? ["set lock_timeout = '0'"] : [];
  const result = await session.script([userStatement, ...waits, ...more, ...settings]);
  if (result.kind === 'failed') throw result.error;
  const value = await body();
  await session.ownSettings();
  return value;
}

// What works CONCURRENTLY waits for everybody who may still use the old state, and holds up nobody meanwhile.
function waitsByDesign(solo: Solo): boolean {
  switch (solo.kind) {
    case 'createIndex':
    case 'dropIndex':
    case 'detachPartition':
      return true;
    case 'reindex':
      return solo.isConcurrent;
    case 'addEnumValue':
    case 'repeatable':
    case 'idempotent':
      return false;
  }
}
