import type { QueryResultRow } from 'pg';
import { messageOf } from './sqlError.ts';

/** As much of a session as it takes to ask. */
export interface Asking {
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  close(): Promise<void>;
}

/**
 * Whether what stands between us and the server gives one backend to several clients, as a transaction pooler does. Ask
 * only where the pid in BackendKeyData is not that of the backend, which is a sign of some proxy, and no more: then a
 * second client begins a transaction. If it does so in the first one's backend, or the first one is given another
 * backend meanwhile, a session's lock and settings would be lost. `true` is certain. `false` is not: a pooler that is
 * busy with others may keep the first one's backend free by chance. (Measured with PgBouncer 1.18, all pool modes.)
 */
export async function sharesBackends(first: Asking['query'], open: () => Promise<Asking>): Promise<boolean> {
  const before = await backendOf(first);
  const second = await open();
  try {
    await second.query('begin');
    return (await backendOf(second.query)) === before || (await backendOf(first)) !== before;
  } catch (error) {
    // PgBouncer's words with pool_mode = statement; its SQLSTATE is the one of any protocol violation.
    if (messageOf(error).includes('transaction blocks not allowed')) return true;
    throw error;
  } finally {
    await second.close();
  }
}

async function backendOf(query: Asking['query']): Promise<number | undefined> {
  const [row] = await query<{ pid: number }>('select pg_catalog.pg_backend_pid() as pid');
  return row?.pid;
}
