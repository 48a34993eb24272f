import { setTimeout as delay } from 'node:timers/promises';
import { RunFailure } from './runFailure.ts';
import type { Session } from './session.ts';
import { errorKind, messageOf } from './sqlError.ts';

/** How patient a run is. */
export interface Patience {
  /** How long a statement waits for a lock, in milliseconds: short, because everybody else queues behind it. */
  readonly lockTimeoutMs: number;
  /** Pauses before the attempts after the first, in milliseconds; when they are used up the run gives up for now. */
  readonly retryDelaysMs: readonly number[];
}

/** Two seconds for a lock, and about four minutes of attempts. */
export const defaultPatience: Patience = {
  lockTimeoutMs: 2000,
  retryDelaysMs: [500, 1000, 2000, 4000, 8000, ...Array.from({ length: 12 }, () => 15_000)],
};

/** What `inTransaction` needs beside its body. */
export interface TransactionContext {
  readonly session: Session;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Told before each pause. */
  readonly onRetry: (attempt: number, cause: string) => void;
}

/**
 * Runs the body between BEGIN and COMMIT. What it throws rolls everything back and is thrown again, except contention
 * (lock not available, deadlock, serialization): then all of it is tried anew, and once the patience is used up a
 * RunFailure LockHeld is thrown. A body that returns `rollback` is rolled back.
 *
 * When the connection breaks during COMMIT it is not known whether it happened: the caller learns DatabaseUnreachable,
 * and the next run reads the ledger, behind the lock that the old backend holds until it is through.
 */
export async function inTransaction<T>(
  context: TransactionContext,
  body: () => Promise<{ readonly value: T; readonly end: 'commit' | 'rollback' }>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      await context.session.query('begin');
      const { value, end } = await body();
      await context.session.query(end);
      return value;
    } catch (error) {
      await rollback(context.session, error);
      if (errorKind(rootOf(error)) !== 'contention') throw error;
      const pause = context.patience.retryDelaysMs[attempt];
      const cause = messageOf(error);
      if (pause === undefined)
        throw new RunFailure(
          'LockHeld',
          `Gave up for now after ${String(attempt + 1)} attempts: ${cause}. Find the session that holds the lock in pg_locks and pg_stat_activity, and end its transaction.`,
          error,
        );
      context.onRetry(attempt + 1, cause);
      await delay(pause, undefined, { signal: context.signal });
    }
  }
}

// The error of a statement travels as the cause of what says where it stood.
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

async function rollback(session: Session, error: unknown): Promise<void> {
  if (errorKind(rootOf(error)) === 'connection') return;
  await session.query('rollback');
  await session.ownSettings();
}
