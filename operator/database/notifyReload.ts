import { withSession, type Visit } from './withSession.ts';

/** Whom to tell to reload. */
export interface ReloadCall {
  /** The channel on which the pod listens. */
  readonly channel: string;
  /** The name under which the pod's sessions are in pg_stat_activity. */
  readonly applicationName: string;
}

/**
 * Tells PostgREST to read its settings and then its schema anew: an empty payload asks for both
 * (https://docs.postgrest.org/en/stable/references/listener.html). Says how many sessions of the pod listen; a role sees
 * its own sessions' statements, and PostgREST's listener never runs another one. Throws a RunFailure when the database
 * cannot be reached.
 */
export async function notifyReload(
  visit: Visit,
  { channel, applicationName }: ReloadCall,
  signal: AbortSignal,
): Promise<{ readonly listeners: number }> {
  return await withSession(visit, { signal, progress: () => undefined }, async (session) => {
    await session.query('select pg_catalog.pg_notify($1, $2)', [channel, '']);
    const [row] = await session.query<{ listeners: number }>(
      `select count(*)::int4 as listeners from pg_catalog.pg_stat_activity
        where application_name = $1 and query ilike 'listen %'`,
      [applicationName.slice(0, 63)],
    );
    return { listeners: row?.listeners ?? 0 };
  });
}
