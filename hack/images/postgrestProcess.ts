// PostgREST as a process of this machine: the one that the image has, or another version.
import { readFileSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { startDaemon, stopDaemon, type Daemon } from '../lib/daemon.ts';
import { createLog } from '../lib/log.ts';
import { freePorts } from '../lib/ports.ts';
import { ensurePostgrest } from './postgrestProgram.ts';

/** What came back. */
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** A PostgREST that was started. */
export interface PostgrestProcess {
  /** Asks the API; rejects when there is no whole answer. */
  ask(path: string, headers?: Record<string, string>, method?: string): Promise<Reply>;
  /** Asks the admin server. */
  admin(path: string): Promise<Reply>;
  /** Writes its configuration file anew, which it reads when it is told to. */
  configure(parameters: Readonly<Record<string, string>>): void;
  /** Tells it to stop, and waits until it has. */
  stop(): Promise<void>;
  /** What it has logged. */
  logged(): string;
}

/**
 * Starts PostgREST with a configuration file in a scratch folder, which ends it too. PGRST_TEST_POSTGREST names another
 * program than the one that the image has.
 */
export async function startPostgrest(
  scratch: string,
  parameters: Readonly<Record<string, string>>,
): Promise<PostgrestProcess> {
  const command = process.env['PGRST_TEST_POSTGREST'] ?? (await ensurePostgrest(createLog()));
  const [port = 0, adminPort = 0] = await freePorts(2);
  const file = join(scratch, `postgrest-${String(port)}.conf`);
  const configure = (changed: Readonly<Record<string, string>>): void => {
    const all = {
      ...parameters,
      ...changed,
      'server-host': '127.0.0.1',
      'server-port': String(port),
      'admin-server-port': String(adminPort),
    };
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    writeFileSync(file, lines.join(''), { mode: 0o600 });
  };
  configure({});
  const daemon: Daemon = {
    command,
    args: [file],
    pidFile: join(scratch, 'run', `postgrest-${String(port)}.pid`),
    logFile: join(scratch, `postgrest-${String(port)}.log`),
  };
  await startDaemon(daemon);
  return {
    ask: (path, headers = {}, method = 'GET') => ask(port, path, headers, method),
    admin: (path) => ask(adminPort, path, {}, 'GET'),
    configure,
    stop: () => stopDaemon(daemon.pidFile),
    logged: () => readFileSync(daemon.logFile, 'utf8'),
  };
}

/** Over a connection of its own. */
function ask(port: number, path: string, headers: Record<string, string>, method: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, method, headers, agent: false };
    const outgoing = request(options, (incoming) => {
      incoming.on('error', reject);
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers });
      });
      incoming.resume();
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}
