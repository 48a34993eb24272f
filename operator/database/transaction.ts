import { setTimeout as delay } from 'node:timers/promises';
import { RunFailure } from './runFailure.ts';
import type { Session } from './session.ts';
import { errorKind, messageOf } from './sqlError.ts';
import type { Blocker, Observation } from './watcher.ts';

/** How patient a run is. */
export interface Patience {
  /** How long a statement waits for a lock, in milliseconds: short, because everybody else queues behind it. */
  readonly lockTimeoutMs: number;
  /** Pauses before the attempts after the first, in milliseconds; when they are used up the run gives up for now. */
  readonly retryDelaysMs: readonly number[];
}

const firstDelaysMs = [500, 1000, 2000, 4000, 8000];
const laterDelayMs = 15_000;

/** Patience with growing pauses; attempts and pauses together take about `retryForMs`. */
export function patienceOf(lockTimeoutMs: number, retryForMs: number): Patience {
  const retryDelaysMs: number[] = [];
  for (let spent = lockTimeoutMs; ;) {
    const pause = firstDelaysMs[retryDelaysMs.length] ?? laterDelayMs;
    spent += pause + lockTimeoutMs;
    if (spent > retryForMs) return { lockTimeoutMs, retryDelaysMs };
    retryDelaysMs.push(pause);
  }
}

/** Two seconds for a lock, and four minutes of attempts. */
export const defaultPatience: Patience = patienceOf(2000, 240_000);

/** What a transaction needs beside its body. */
export interface TransactionContext {
  readonly session: Session;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** Told before each pause. */
  readonly onRetry: (attempt: number, cause: string) => void;
  /** Told what an attempt waits for or how far its index build is, about once a second while it takes longer than that. */
  readonly onObservation?: (seen: Observation) => void;
}

/**
 * Runs the body between BEGIN and COMMIT. What it throws rolls everything back and is thrown again, except contention:
 * see `retrying`. A body that returns `rollback` is rolled back.
 *
 * When the connection breaks during COMMIT it is not known whether it happened: the caller learns DatabaseUnreachable,
 * and the next run reads the ledger, behind the lock that the old backend holds until it is through.
 */
export async function inTransaction<T>(
  context: TransactionContext,
  body: () => Promise<{ readonly value: T; readonly end: 'commit' | 'rollback' }>,
): Promise<T> {
  return await retrying(context, async () => {
    await context.session.query('begin');
    const { value, end } = await body();
    await context.session.query(end);
    return value;
  });
}

/**
 * Runs the attempt, which leaves no transaction open when it succeeds. When it throws, what it left open is rolled back,
 * the session gets its own settings again, and the error is thrown again, except contention (lock not available,
 * deadlock, serialization): then it is tried anew, and once the patience is used up a RunFailure LockHeld is thrown that
 * names who blocked. Throws the reason of the signal once that has aborted.
 */
export async function retrying<T>(context: TransactionContext, attempt: () => Promise<T>): Promise<T> {
  const { session, signal } = context;
  for (let count = 1; ; count += 1) {
    try {
      return await session.watcher.during((seen) => context.onObservation?.(seen), attempt);
    } catch (error) {
      signal.throwIfAborted();
      await rollback(session, error);
      if (errorKind(rootOf(error)) !== 'contention') throw error;
      const pause = context.patience.retryDelaysMs[count - 1];
      const cause = `${messageOf(error)}${blockedBy(session.watcher.blockers())}`;
      if (pause === undefined)
        throw new RunFailure(
          'LockHeld',
          `Gave up for now after ${String(count)} attempts: ${cause}. Find the session that holds the lock in pg_locks and pg_stat_activity, and end its transaction.`,
          error,
        );
      context.onRetry(count, cause);
      await delay(pause, undefined, { signal });
    }
  }
}

function blockedBy(blockers: readonly Blocker[]): string {
  const names = blockers.map(({ pid, applicationName }) =>
    applicationName === ''
      ? `backend ${String(pid)}`
      : `backend ${String(pid)} (application ${applicationName})`,
  );
  return names.length === 0 ? '' : `; blocked by ${names.join(', ')}`;
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
