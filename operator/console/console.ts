import pg from 'pg';

/** Where the admin console of one PgBouncer process is, and as whom. */
export interface ConsoleTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** The admin console of one PgBouncer process (https://www.pgbouncer.org/usage.html#admin-console). */
export interface Console {
  /** What SHOW VERSION says, such as `1.24.1`. */
  version(): Promise<string>;
  /** A setting as the process has it now; undefined for one that this version does not know. */
  setting(name: string): Promise<string | undefined>;
  /** Changes a setting until the next RELOAD or restart. */
  set(name: string, value: number): Promise<void>;
  /** How many connections to the database the process has, and how many of them are being made. */
  serverConnections(): Promise<{ readonly all: number; readonly starting: number }>;
  /** Reads the configuration files anew. Throws where PgBouncer cannot use them. */
  reload(): Promise<void>;
  /**
   * Has every server connection closed as soon as its transaction is over; what is idle goes at once. Only while none is
   * being made: PgBouncer (1.24.1) would take the one that it cuts then for a failed login, and fail whoever waits.
   */
  reconnect(): Promise<void>;
  /** Ends the connection; never throws. */
  close(): Promise<void>;
}

const connectTimeoutMs = 5000;

/**
 * Logs in to a console. Throws when nobody answers within 5 s or the credential is refused. The console knows the simple
 * protocol only: no statement has parameters. Aborting cuts the connection.
 */
export async function openConsole(target: ConsoleTarget, signal: AbortSignal): Promise<Console> {
  const client = new pg.Client({
    ...target,
    database: 'pgbouncer',
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: connectTimeoutMs,
  });
  // Without a listener an error of an idle connection would end the operator; the next query tells of it.
  client.on('error', () => undefined);
  const close = async (): Promise<void> => {
    signal.removeEventListener('abort', cut);
    await client.end().catch(() => undefined);
  };
  const cut = (): void => {
    void close();
  };
  signal.addEventListener('abort', cut, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
  } catch (error) {
    await close();
    throw error;
  }
  const rows = async (command: string): Promise<readonly Readonly<Record<string, string>>[]> =>
    (await client.query<Record<string, string>>(command)).rows;
  return {
    async version() {
      const [row] = await rows('SHOW VERSION');
      return row?.['version']?.replace(/^PgBouncer /, '') ?? '';
    },
    async setting(name) {
      return (await rows('SHOW CONFIG')).find(({ key }) => key === name)?.['value'];
    },
    async set(name, value) {
      await rows(`SET ${name} = ${value}`);
    },
    async serverConnections() {
      const servers = await rows('SHOW SERVERS');
      return { all: servers.length, starting: servers.filter(({ state }) => state === 'new').length };
    },
    async reload() {
      await rows('RELOAD');
    },
    async reconnect() {
      await rows('RECONNECT');
    },
    close,
  };
}
