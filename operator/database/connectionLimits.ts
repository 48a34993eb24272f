import { withSession, type Visit, type VisitContext } from './withSession.ts';

/** Something with a limit of its own. */
export interface Limited {
  readonly name: string;
  /** Undefined: none. */
  readonly limit: number | undefined;
}

/** Sessions that have all of this in common. */
export interface SessionCount {
  /** As the client has named itself; PostgreSQL cuts it at 63 bytes. */
  readonly application: string;
  /** Where the client is; undefined for sessions of other roles, whose address nobody may see, and for sockets. */
  readonly address: string | undefined;
  /** Whether it is the role that asked, and its database. */
  readonly isRole: boolean;
  readonly isDatabase: boolean;
  readonly count: number;
}

/** How many connections a server gives, and who has them. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  /** Not for ordinary roles. */
  readonly reserved: number;
  readonly database: Limited;
  readonly role: Limited;
  /** Sessions of clients, without the one that asked. */
  readonly sessions: readonly SessionCount[];
}

/** Asks the server that the URI leads to, as its role. Throws a RunFailure when it cannot be asked. */
export async function readConnectionLimits(visit: Visit, context: VisitContext): Promise<ConnectionLimits> {
  return await withSession(visit, context, async ({ query }) => {
    await query("set statement_timeout = '3s'");
    const [found] = await query<Row>(limitsQuery);
    if (found === undefined) throw new Error('the server did not say its limits');
    const sessions = await query<SessionRow>(sessionsQuery);
    return {
      maxConnections: found.max,
      reserved: found.reserved,
      database: { name: found.database, limit: limited(found.databaseLimit) },
      role: { name: found.role, limit: limited(found.roleLimit) },
      sessions: sessions.map(({ address, ...session }) => ({ ...session, address: address ?? undefined })),
    };
  });
}

interface Row {
  readonly max: number;
  readonly reserved: number;
  readonly database: string;
  readonly databaseLimit: number;
  readonly role: string;
  readonly roleLimit: number;
}

interface SessionRow extends Omit<SessionCount, 'address'> {
  readonly address: string | null;
}

/** PostgreSQL writes -1 for none. */
function limited(limit: number): number | undefined {
  return limit < 0 ? undefined : limit;
}

// reserved_connections is there since PostgreSQL 16.
const limitsQuery = `
  select current_setting('max_connections')::int as max,
         current_setting('superuser_reserved_connections')::int
           + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
         d.datname::text as database, d.datconnlimit as "databaseLimit",
         r.rolname::text as role, r.rolconnlimit as "roleLimit"
    from pg_catalog.pg_database d, pg_catalog.pg_roles r
   where d.datname = current_database() and r.rolname = session_user`;

/**
 * Of sessions of other roles only the database, the role and the application are everybody's to see. Processes of the
 * server itself have no role, and replication has no database: neither takes one of these connections.
 */
const sessionsQuery = `
  select coalesce(application_name, '') as application, host(client_addr) as address,
         usename = session_user as "isRole", datname = current_database() as "isDatabase",
         count(*)::int as count
    from pg_catalog.pg_stat_activity
   where pid <> pg_backend_pid() and usesysid is not null and datid is not null
     and coalesce(backend_type, 'client backend') = 'client backend'
   group by 1, 2, 3, 4`;
