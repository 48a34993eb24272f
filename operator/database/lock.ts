import { setTimeout as delay } from 'node:timers/promises';
import type { Session } from './session.ts';

/** Who holds the lock, as far as this role may see. */
export interface LockHolder {
  readonly pid: number;
  readonly applicationName: string;
}

/**
 * Key of the advisory lock: one per database, because advisory locks are. The value has no meaning ("pgrst" in ASCII)
 * but must never change: it keeps two versions of the operator apart.
 */
export const lockKey = '482771891060';

const pollMs = 500;

/**
 * Takes the session's advisory lock; it ends with the session. Polls, because a session that waits inside
 * `pg_advisory_lock` holds a snapshot, and `CREATE INDEX CONCURRENTLY` of the holder would wait for that for ever.
 *
 * There is no time limit: whoever holds the lock is at work, or is the backend of a dead operator that ends within
 * seconds (see session.ts). `onWait` is told who holds it. Rejects when the signal aborts.
 */
export async function takeLock(
  session: Session,
  onWait: (holder: LockHolder | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const [row] = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [
      lockKey,
    ]);
    if (row?.taken === true) return;
    onWait(await holder(session));
    await delay(pollMs, undefined, { signal });
  }
}

async function holder(session: Session): Promise<LockHolder | undefined> {
  const [row] = await session.query<{ pid: number; application_name: string | null }>(
    `select l.pid, a.application_name
       from pg_locks l left join pg_stat_activity a using (pid)
      where l.locktype = 'advisory' and l.granted and l.objsubid = 1
        and l.database = (select oid from pg_database where datname = current_database())
        and (l.classid::bigint << 32) | l.objid::bigint = $1::bigint`,
    [lockKey],
  );
  return row === undefined ? undefined : { pid: row.pid, applicationName: row.application_name ?? '' };
}
