import { Socket } from 'node:net';
import pg from 'pg';
import { cancelBackend, type BackendKey } from './cancelBackend.ts';
import { connectionTarget, type DatabaseTarget, type TlsSettings } from './connectionTarget.ts';
import { certificateProblem } from './certificates.ts';
import { copyIn } from './copyIn.ts';
import { sharesBackends, type Asking } from './pooler.ts';
import { RunFailure } from './runFailure.ts';
import { simpleQuery, type MessageResult } from './simpleQuery.ts';
import { messageOf, sqlstateOf } from './sqlError.ts';
import { createWatcher, type Watcher } from './watcher.ts';

/** One direct connection to the target database, with our settings. */
export interface Session {
  /** SQL of our own, fully qualified: the search_path is pg_catalog, then pg_temp. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>;
  /** One statement of the user's, under the session's current settings (`userSettings`). */
  run(statement: string): Promise<void>;
  /**
   * Statements in one message, so in one round trip. PostgreSQL parses all of them before it runs the first one, and
   * skips what comes after one that fails.
   */
  script(statements: readonly string[]): Promise<MessageResult>;
  /** A COPY ... FROM STDIN with these data, which no setting of the server shows in its log. */
  copyIn(sql: string, data: Buffer): Promise<void>;
  /** Gives the user's SQL the search_path that psql would have had. */
  userSettings(): Promise<void>;
  /** Takes back everything that the user's SQL may have set: role, settings, search_path. */
  ownSettings(): Promise<void>;
  /** The statements of `ownSettings`, for a script. */
  readonly ownStatements: readonly string[];
  /** `ownSettings`, and takes away what else was left in the session: `leftoverStatements`. */
  clean(): Promise<void>;
  /** Looks at this session's backend from a second connection, which is opened when something takes long. */
  readonly watcher: Watcher;
  /** Ends the connection; never throws. */
  close(): Promise<void>;
}

/** What stands between two statements of a script. */
export const scriptSeparator = ';\n';

/**
 * Takes away what a transaction leaves in a session beside settings: for the next one it must not be there, nor hide a
 * catalog from us. Prepared statements of ours go with it.
 */
export const leftoverStatements: readonly string[] = [
  'close all',
  'deallocate all',
  'unlisten *',
  'discard temp',
];

/** The search_path that our own SQL has. pg_temp is searched first unless it is named. */
export const ownPathStatement = 'set search_path = pg_catalog, pg_temp';

/** The statement that gives the user's SQL the search_path that psql would have had, for a script. */
export const userStatement = 'reset search_path';

/** What `openSession` takes. */
export interface SessionOptions {
  readonly uri: string;
  /** Instead of what the URI says about TLS. */
  readonly tls?: TlsSettings;
  /** As pg_stat_activity shows it; PostgreSQL cuts it at 63 bytes. */
  readonly applicationName: string;
  /**
   * Aborting cancels the statement on the server at once and cuts the connection. Should the server not get the request,
   * it ends the statement by itself (client_connection_check_interval).
   */
  readonly signal: AbortSignal;
  /** How long a statement waits for a lock before it gives up. */
  readonly lockTimeoutMs: number;
}

/**
 * Connects. Throws a RunFailure: SecretInvalid when the server refuses the credentials or has no such database,
 * DatabaseUnreachable for everything else.
 */
export async function openSession(options: SessionOptions): Promise<Session> {
  const target = connectionTarget(options.uri, options.tls);
  const ended = new AbortController();
  const { client, socket } = await connect(target, options.applicationName, options.signal);
  let cutting: Promise<void> | undefined;
  const cut = (): void => {
    cutting = cancelThenCut(client, socket);
  };
  options.signal.addEventListener('abort', cut, { once: true });
  let watcher: Watcher | undefined;
  const close = async (): Promise<void> => {
    options.signal.removeEventListener('abort', cut);
    ended.abort();
    await cutting;
    await watcher?.close();
    await end(client, socket);
  };
  try {
    options.signal.throwIfAborted();
    const open = async (purpose: string): Promise<Asking> => {
      const name = `${options.applicationName} (${purpose})`;
      const other = await connect(target, name, AbortSignal.any([options.signal, ended.signal]));
      return { query: queryOf(other.client), close: () => end(other.client, other.socket) };
    };
    const { pid, ...prepared } = await prepare(client, options, () => open('second'));
    watcher = createWatcher({
      pid,
      // Who blocks is to be known before the wait is given up.
      everyMs: Math.min(1000, options.lockTimeoutMs / 2 || 1000),
      open: () => open('watcher'),
    });
    return { ...prepared, watcher, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function cancelThenCut(client: pg.Client, socket: Socket): Promise<void> {
  const { remoteAddress, remotePort } = socket;
  if (remoteAddress !== undefined && remotePort !== undefined)
    await cancelBackend(remoteAddress, remotePort, backendKey(client));
  socket.destroy();
}

// pg has the key, but not in its types.
function backendKey(client: pg.Client): BackendKey {
  return client as unknown as BackendKey;
}

async function end(client: pg.Client, socket: Socket): Promise<void> {
  await client.end().catch(() => undefined);
  socket.destroy();
}

function queryOf(client: pg.Client): Session['query'] {
  return async <Row extends pg.QueryResultRow>(sql: string, values: readonly unknown[] = []) =>
    (values.length === 0 ? await client.query<Row>(sql) : await client.query<Row>(sql, [...values])).rows;
}

async function prepare(
  client: pg.Client,
  { lockTimeoutMs, signal }: SessionOptions,
  openAnother: () => Promise<Asking>,
): Promise<Omit<Session, 'close' | 'watcher'> & { readonly pid: number }> {
  const unguarded = queryOf(client);
  // Between the abort and the end of the connection nothing new is begun.
  const query: Session['query'] = async (sql, values) => {
    signal.throwIfAborted();
    return await unguarded(sql, values);
  };
  const [server] = await query<{ version: number; pid: number }>(
    `select pg_catalog.current_setting('server_version_num')::pg_catalog.int4 as version,
            pg_catalog.pg_backend_pid() as pid`,
  );
  if (server === undefined) throw new Error('the server did not say its version');
  if (server.version < 140_000)
    throw new RunFailure(
      'DatabaseUnreachable',
      'The server is older than PostgreSQL 14, which is not supported.',
    );
  // Before anything is set: a pooler would hand our settings to others.
  if (backendKey(client).processID !== server.pid && (await sharesBackends(query, openAnother)))
    throw new RunFailure(
      'SecretInvalid',
      'The URI leads to a pooler that gives every transaction another connection (transaction pooling): the lock that keeps two runs apart would be lost. Use the address of the server itself, or a pool in session mode.',
    );
  const ownStatements = [
    // Not DISCARD ALL: it would give up the advisory lock, and cannot run inside a transaction.
    'reset session authorization',
    'reset role',
    'reset all',
    ...ownSettings(lockTimeoutMs, server.version),
  ];
  const send = async (text: string): Promise<MessageResult> => {
    signal.throwIfAborted();
    return await simpleQuery(client, text);
  };
  const runText = async (text: string): Promise<void> => {
    const result = await send(text);
    if (result.kind === 'failed') throw result.error;
  };
  await runText(ownStatements.join(';'));
  return {
    pid: server.pid,
    ownStatements,
    query,
    run: runText,
    script: async (statements) => await send(statements.join(scriptSeparator)),
    copyIn: async (sql, data) => {
      signal.throwIfAborted();
      await copyIn(client, sql, data);
    },
    userSettings: async () => {
      await runText(userStatement);
    },
    ownSettings: async () => {
      await runText(ownStatements.join(';'));
    },
    clean: async () => {
      await runText([...ownStatements, ...leftoverStatements].join(';'));
    },
  };
}

/**
 * The keepalives and the check interval end the backend of an operator that is gone: a backend outlives its killed
 * client otherwise, and holds our lock. Nothing of ours idles inside a transaction, so a minute of that is a freeze.
 * Limits that a role or a database may have for its applications are off: a migration takes as long as it takes, and a
 * session waits while a Job or another operator is at work.
 */
function ownSettings(lockTimeoutMs: number, serverVersion: number): readonly string[] {
  const settings = Object.entries({
    client_connection_check_interval: '500ms',
    tcp_keepalives_idle: '10s',
    tcp_keepalives_interval: '5s',
    tcp_keepalives_count: '3',
    idle_in_transaction_session_timeout: '60s',
    idle_session_timeout: '0',
    statement_timeout: '0',
    ...(serverVersion >= 170_000 ? { transaction_timeout: '0' } : {}),
    lock_timeout: `${String(lockTimeoutMs)}ms`,
  }).map(([name, value]) => `set ${name} = '${value}'`);
  return [ownPathStatement, ...settings];
}

async function connect(
  target: DatabaseTarget,
  applicationName: string,
  signal: AbortSignal,
): Promise<{ client: pg.Client; socket: Socket }> {
  let refusal: unknown;
  for (const ssl of target.tls) {
    const socket = new Socket();
    const cut = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', cut, { once: true });
    const client = new pg.Client({
      ...target.config,
      ssl,
      application_name: applicationName,
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
    } finally {
      signal.removeEventListener('abort', cut);
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
  const problem = certificateProblem(error);
  if (problem !== undefined)
    return new RunFailure(
      'SecretInvalid',
      `The server of ${where} could not prove who it is: ${problem}. (${messageOf(error)})`,
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
