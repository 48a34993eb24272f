import type { RunnableStatement } from '../migration/runnable.ts';
import { documentedLocks } from './documentedLocks.ts';
import { watchLocks, type RelationLock } from './heldLocks.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { failureOfError, statementError, StatementError, type StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import { errorKind, sqlstateOf } from './sqlError.ts';

/** How far a trial goes: what it locks, others wait for. Milliseconds. */
export interface TrialLimits {
  /** How long a statement waits for a lock. */
  readonly lockTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** For all of it. */
  readonly budgetMs: number;
  /** Locks that it may hold at the end of a statement: the server has one table of them for everybody. */
  readonly maxLocks: number;
}

/** A second for a lock and two for a statement, because whoever waits behind them waits as long; ten for all of it. */
export const trialLimits: TrialLimits = {
  lockTimeoutMs: 500,
  statementTimeoutMs: 1000,
  budgetMs: 3000,
  maxLocks: 2000,
};

/** A statement of a trial. */
export interface TriedStatement {
  /** The migration or the contraction that it is from. */
  readonly source: string;
  readonly statement: RunnableStatement;
  /** False: it runs alone, or the trial had ended before. */
  readonly isTried: boolean;
  readonly locks: readonly RelationLock[];
  readonly rewrites: readonly string[];
}

/** Why a trial did not go on. */
export type TrialEnd =
  /** PostgreSQL refuses it. `cause` is its error. */
  | { readonly kind: 'failed'; readonly failure: StatementFailure; readonly cause: unknown }
  /** It would have taken too long, or too many locks: nothing is known of what follows. */
  | { readonly kind: 'stopped'; readonly message: string };

/** All went well. */
export interface TrialValue<T> {
  readonly kind: 'done';
  readonly value: T;
}

/** SQL that runs for the sake of what PostgreSQL says, in a transaction that will be rolled back. */
export interface Trial {
  /** Runs the statements of one source as the real run would; undefined when all went well. */
  run(source: string, statements: readonly RunnableStatement[]): Promise<TrialEnd | undefined>;
  /**
   * Runs something else, each statement of it within the limits; `statementTimeoutMs` instead of theirs where what it
   * does is known to be worth more.
   */
  limit<T>(body: () => Promise<T>, statementTimeoutMs?: number): Promise<TrialEnd | TrialValue<T>>;
  /** What has run, in order, with what runs alone at its place. */
  readonly tried: readonly TriedStatement[];
}

class OutOfLimits extends Error {}

/** Begins a trial in the transaction that is open. */
export async function beginTrial(session: Session, limits: TrialLimits): Promise<Trial> {
  const tried: TriedStatement[] = [];
  const late = AbortSignal.timeout(limits.budgetMs);
  const watch = await watchLocks(session);
  const prepare = async (statementTimeoutMs: number): Promise<void> => {
    if (late.aborted) throw new OutOfLimits(`the dry run ended after ${String(limits.budgetMs / 1000)} s`);
    await session.query(
      `set local lock_timeout = '${String(limits.lockTimeoutMs)}ms';
       set local statement_timeout = '${String(statementTimeoutMs)}ms'`,
    );
  };
  const limit = async <T>(
    body: () => Promise<T>,
    statementTimeoutMs = limits.statementTimeoutMs,
  ): Promise<TrialEnd | TrialValue<T>> => {
    try {
      await prepare(statementTimeoutMs);
      return { kind: 'done', value: await body() };
    } catch (error) {
      return endOf(error, { ...limits, statementTimeoutMs });
    }
  };
  const runOne = async (source: string, statement: RunnableStatement): Promise<void> => {
    if (statement.solo !== undefined) {
      const locks = documentedLocks(statement.solo);
      tried.push({ source, statement, isTried: false, locks, rewrites: [] });
      return;
    }
    await prepare(limits.statementTimeoutMs);
    try {
      await session.run(statement.text);
    } catch (error) {
      throw errorKind(error) === 'connection' ? error : statementError(error, statement);
    }
    const { locks, rewrites, held } = await watch.look();
    // An emptied table gets a new file as well.
    const isEmptied = /^truncate\b/i.test(statement.text);
    tried.push({ source, statement, isTried: true, locks, rewrites: isEmptied ? [] : rewrites });
    if (held > limits.maxLocks)
      throw new OutOfLimits('the dry run ended because one transaction would hold too many locks');
  };
  return {
    tried,
    limit,
    run: async (source, statements) => {
      const end = await limit(async () => {
        await session.userSettings();
        for (const statement of statements) await runOne(source, statement);
        await session.ownSettings();
        await checkDeferred(session);
      });
      return end.kind === 'done' ? undefined : end;
    },
  };
}

/** Runs the body in a transaction that is always rolled back, and puts the session back into its own settings. */
export async function rolledBack<T>(session: Session, body: () => Promise<T>): Promise<T> {
  await session.query('begin');
  try {
    const result = await body();
    await rollBack(session);
    return result;
  } catch (error) {
    if (errorKind(error) !== 'connection') await rollBack(session);
    throw error;
  }
}

async function rollBack(session: Session): Promise<void> {
  await session.query('rollback');
  await session.ownSettings();
}

/**
 * A real run commits here: what was put off until then is checked now, and would be in the way of the next statements
 * (a table with pending trigger events cannot be altered). Afterwards it is put off again.
 */
async function checkDeferred(session: Session): Promise<void> {
  await session.query('set constraints all immediate');
  const rows = await session.query<{ schema: string; name: string }>(
    `select distinct n.nspname as schema, k.conname as name
       from pg_constraint k join pg_namespace n on n.oid = k.connamespace where k.condeferred`,
  );
  if (rows.length === 0) return;
  const names = rows.map(({ schema, name }) => `${quoteIdentifier(schema)}.${quoteIdentifier(name)}`);
  await session.query(`set constraints ${names.join(', ')} deferred`);
}

function endOf(error: unknown, limits: TrialLimits): TrialEnd {
  const cause = error instanceof StatementError ? error.cause : error;
  const stopped = stopMessage(cause, limits);
  if (stopped !== undefined) {
    const place = error instanceof StatementError ? placeOf(error.failure) : '';
    return { kind: 'stopped', message: `${stopped}${place}` };
  }
  if (sqlstateOf(cause) === undefined || errorKind(cause) === 'connection') throw error;
  const failure = error instanceof StatementError ? error.failure : failureOfError(error);
  return { kind: 'failed', failure, cause };
}

function stopMessage(cause: unknown, limits: TrialLimits): string | undefined {
  if (cause instanceof OutOfLimits) return cause.message;
  switch (sqlstateOf(cause)) {
    case '55P03': // lock_not_available
    case '40P01': // deadlock_detected
      return `the dry run ended because somebody holds a lock for longer than ${String(limits.lockTimeoutMs)} ms`;
    case '57014': // query_canceled
      return `the dry run ended because a statement takes longer than ${String(limits.statementTimeoutMs)} ms`;
    case '53200': // out_of_memory, which the table of locks is as well
      return 'the dry run ended because the server has no room for it in one transaction';
    default:
      return undefined;
  }
}

function placeOf({ statement, line }: StatementFailure): string {
  return statement === undefined || line === undefined
    ? ''
    : ` (statement ${String(statement)} at line ${String(line)})`;
}
