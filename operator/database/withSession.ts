import type { TlsSettings } from './connectionTarget.ts';
import { takeLock } from './lock.ts';
import { RunFailure } from './runFailure.ts';
import { openSession, type Session } from './session.ts';
import { errorKind, messageOf, sqlstateOf } from './sqlError.ts';
import { defaultPatience, type Patience, type TransactionContext } from './transaction.ts';
import type { Observation } from './watcher.ts';

/** Which database, and who comes. */
export interface Visit {
  /** libpq URI of the owner role; a direct connection. */
  readonly uri: string;
  /** Instead of what the URI says about TLS. */
  readonly tls?: TlsSettings;
  /** This operator process, for pg_stat_activity. */
  readonly identity: string;
}

/** What holds a visit up. */
export type VisitProgress =
  | { readonly phase: 'waitingForLock'; readonly holder: string }
  | { readonly phase: 'retrying'; readonly what: string; readonly attempt: number; readonly cause: string }
  /** What takes long, and what it is about. */
  | (Observation & { readonly what: string });

/** What a visit needs beside its aim. */
export interface VisitContext {
  readonly signal: AbortSignal;
  readonly progress: (value: VisitProgress) => void;
  /** Default `defaultPatience`. */
  readonly patience?: Patience;
}

/**
 * Opens a session for the body and closes it afterwards. Throws the reason of the signal once that has aborted, else
 * what the body threw, as a RunFailure where the connection or a privilege was at fault.
 */
export async function withSession<T>(
  visit: Visit,
  context: VisitContext,
  body: (session: Session) => Promise<T>,
): Promise<T> {
  context.signal.throwIfAborted();
  let session: Session | undefined;
  try {
    session = await openSession({
      uri: visit.uri,
      ...(visit.tls === undefined ? {} : { tls: visit.tls }),
      applicationName: `postgrest-operator ${visit.identity}`,
      signal: context.signal,
      lockTimeoutMs: (context.patience ?? defaultPatience).lockTimeoutMs,
    });
    return await body(session);
  } catch (error) {
    context.signal.throwIfAborted();
    throw asFailure(error);
  } finally {
    await session?.close();
  }
}

/** Waits for the database's lock, telling who holds it. The session has it until it ends. */
export async function lockFor(session: Session, context: VisitContext): Promise<void> {
  await takeLock(
    session,
    (holder) => {
      context.progress({
        phase: 'waitingForLock',
        holder:
          holder === undefined
            ? 'a session that is just ending'
            : `${holder.applicationName} (backend ${String(holder.pid)})`,
      });
    },
    context.signal,
  );
}

/** What transactions of this session need; `what` names in progress what is tried again. */
export function transactionContext(
  session: Session,
  what: string,
  context: VisitContext,
): TransactionContext {
  return {
    session,
    patience: context.patience ?? defaultPatience,
    signal: context.signal,
    onRetry: (attempt, cause) => {
      context.progress({ phase: 'retrying', what, attempt, cause });
    },
    onObservation: (seen) => {
      context.progress({ ...seen, what });
    },
  };
}

function asFailure(error: unknown): unknown {
  if (error instanceof RunFailure) return error;
  const sqlstate = sqlstateOf(error);
  if (sqlstate === '42501')
    return new RunFailure(
      'SecretInvalid',
      `The role in the Secret lacks a privilege: ${messageOf(error)}. Use the role that owns the database objects and the ledger.`,
      error,
    );
  // Not the error itself: whoever logs it would log its DETAIL and its query, which hold the values of rows.
  if (sqlstate !== undefined && errorKind(error) !== 'connection')
    return new Error(`PostgreSQL refused what the operator asked for (${sqlstate}): ${messageOf(error)}`);
  if (errorKind(error) !== 'connection') return error;
  return new RunFailure(
    'DatabaseUnreachable',
    `The connection to the database broke: ${messageOf(error)}. The ledger tells the next attempt what was done.`,
    error,
  );
}
