import { Socket } from 'node:net';
import pg from 'pg';
import { connectionTarget, type DatabaseTarget } from './connectionTarget.ts';
import { RunFailure } from './runFailure.ts';
import { messageOf, sqlstateOf } from './sqlError.ts';

/** One direct connection to the target database, with our settings. */
export interface Session {
  /** SQL of our own, fully qualified: the search_path is pg_catalog. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** One statement of the user's, under the session's current settings (`userSettings`). */
  run(statement: string): Promise<void>;
  /** Gives the user's SQL the search_path that psql would have had. */
  userSettings(): Promise<void>;
  /** Takes back everything that the user's SQL may have set: role, settings, search_path. */
  ownSettings(): Promise<void>;
  /** Ends the connection; never throws. */
  close(): Promise<void>;
}

/** What `openSession` takes. */
export interface SessionOptions {
  readonly uri: string;
  /** As pg_stat_activity shows it; PostgreSQL cuts it at 63 bytes. */
  readonly applicationName: string;
  /** Aborting cuts the connection at once; the server then ends the statement (client_connection_check_interval). */
  readonly signal: AbortSignal;
  /** How long a statement waits for a lock before it gives up. */
  readonly lockTimeoutMs: number;
}

/**
 * Connects. Throws a RunFailure: SecretInvalid when the server refuses the credentials or has no such database,
 * DatabaseUnreachable for everything else.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { client, socket } = await connect(connectionTarget(options.uri), options);
  const cut = (): void => {
    socket.destroy();
  };
  options.signal.addEventListener('abort', cut, { once: true });
  const close = async (): Promise<void> => {
    options.signal.removeEventListener('abort', cut);
    await client.end().catch(() => undefined);
    socket.destroy();
  };
  try {
    options.signal.throwIfAborted();
    return { ...(await prepare(client, options.lockTimeoutMs)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function prepare(client: pg.Client, lockTimeoutMs: number): Promise<Omit<Session, 'close'>> {
  const query: Session['query'] = async <Row extends pg.QueryResultRow>(
    sql: string,
    values: readonly unknown[] = [],
  ) => (values.length === 0 ? await client.query<Row>(sql) : await client.query<Row>(sql, [...values])).rows;
  const [server] = await query<{ version: number; search_path: string }>(
    `select pg_catalog.current_setting('server_version_num')::int as version,
            pg_catalog.current_setting('search_path') as search_path`,
  );
  if (server === undefined) throw new Error('the server did not say its version');
  if (server.version < 140_000)
    throw new RunFailure(
      'DatabaseUnreachable',
      'The server is older than PostgreSQL 14, which is not supported.',
    );
  const settings = ownSettings(lockTimeoutMs);
  await query(settings);
  return {
    query,
    run: async (statement) => {
      await client.query(statement);
    },
    userSettings: async () => {
      await query("select pg_catalog.set_config('search_path', $1, false)", [server.search_path]);
    },
    ownSettings: async () => {
      // Not DISCARD ALL: it would give up the advisory lock, and cannot run inside a transaction.
      await query(`reset session authorization; reset role; reset all; ${settings}`);
    },
  };
}

/**
 * The keepalives and the check interval end the backend of an operator that is gone: a backend outlives its killed
 * client otherwise, and holds our lock. Nothing of ours idles inside a transaction, so a minute of that is a freeze.
 */
function ownSettings(lockTimeoutMs: number): string {
  return Object.entries({
    search_path: 'pg_catalog',
    client_connection_check_interval: '500ms',
    tcp_keepalives_idle: '10s',
    tcp_keepalives_interval: '5s',
    tcp_keepalives_count: '3',
    idle_in_transaction_session_timeout: '60s',
    statement_timeout: '0',
    lock_timeout: `${String(lockTimeoutMs)}ms`,
  })
    .map(([name, value]) => `set ${name} = '${value}';`)
    .join(' ');
}

async function connect(
  target: DatabaseTarget,
  options: SessionOptions,
): Promise<{ client: pg.Client; socket: Socket }> {
  let refusal: unknown;
  for (const ssl of target.tls) {
    const socket = new Socket();
    const client = new pg.Client({
      ...target.config,
      ssl,
      application_name: options.applicationName,
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      stream: () => socket,
    });
    // A lost connection is reported to the query that runs, or to the next one; unheard, the event would end the process.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return { client, socket };
    } catch (error) {
      socket.destroy();
      refusal = error;
      if (!isTlsRefusal(error)) break;
    }
  }
  throw unreachable(refusal, target);
}

// libpq's `prefer` falls back when the server has no TLS, and `allow` when it demands it (28000 from pg_hba.conf).
function isTlsRefusal(error: unknown): boolean {
  return messageOf(error).includes('does not support SSL') || sqlstateOf(error) === '28000';
}

function unreachable(error: unknown, target: DatabaseTarget): RunFailure {
  const code = sqlstateOf(error);
  const { host = '', port = 0, database = '' } = target.config;
  const where = `database ${database} at ${host}:${String(port)}`;
  if (code === '28P01' || code === '28000' || code === '3D000')
    return new RunFailure(
      'SecretInvalid',
      `The server refused the connection to ${where} (${code}: ${messageOf(error)}): correct the URI in the Secret, or the role and the database on the server.`,
      error,
    );
  const password = target.config.password;
  const message =
    typeof password === 'string' && password !== ''
      ? messageOf(error).replaceAll(password, '***')
      : messageOf(error);
  return new RunFailure(
    'DatabaseUnreachable',
    `No connection to ${where}: ${message}. Check that the server runs and that network policies let the operator reach it.`,
    error,
  );
}
