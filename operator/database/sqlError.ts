import pg from 'pg';

/** What the run does about an error. */
export type ErrorKind =
  /** The connection or the server went away, or the server has no room: the same again later may work. */
  | 'connection'
  /** Somebody else held a lock or was faster: the same transaction again may work. */
  | 'contention'
  /** The statement is wrong for this database: only a change helps. */
  | 'permanent';

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const connectionCodes = new Set([
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '57P05', // idle_session_timeout
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '53300', // too_many_connections
]);
const contentionCodes = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '55P03', // lock_not_available
]);

/** The SQLSTATE, when PostgreSQL answered with one. */
export function sqlstateOf(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}

/** Sorts an error of a query. What is neither of the server nor of the connection is a bug, and permanent. */
export function errorKind(error: unknown): ErrorKind {
  const code = sqlstateOf(error);
  if (code === undefined) return isConnectionLoss(error) ? 'connection' : 'permanent';
  if (code.startsWith('08') || connectionCodes.has(code)) return 'connection';
  return contentionCodes.has(code) ? 'contention' : 'permanent';
}

/** Whether the ledger has a row already for the migration whose row was to be written. */
export function isLedgerClash(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '23505' &&
    error.schema === 'pgrst_ledger' &&
    error.table === 'migrations'
  );
}

// System errors carry a code (ECONNRESET); pg's own about a lost connection carry nothing but these words.
function isConnectionLoss(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('syscall' in error && 'code' in error) ||
    /connection (terminated|error)|not queryable|timeout expired|stream (was )?destroyed/i.test(error.message)
  );
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
