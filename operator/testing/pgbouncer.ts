import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { readDatabaseUri } from '../api/v1alpha1/databaseUri.ts';
import type { PoolerSpec } from '../api/v1alpha1/apiInstancePooler.ts';
import { openConsole, type Console } from '../console/console.ts';
import { makeCredentials } from '../controllers/apiinstance/makeCredentials.ts';
import {
  configGeneration,
  poolerSecret,
  type PoolerConfiguration,
} from '../resources/pooler/configuration.ts';
import { poolerUsers } from '../resources/pooler/credentials.ts';
import { owner } from './resourceCases.ts';

/** A real PgBouncer process with the configuration that the operator renders. */
export interface TestPooler {
  readonly port: number;
  /** What the configuration is made of, as it was written last. */
  readonly from: PoolerConfiguration;
  /** Writes another configuration, as the kubelet does; the process reads it when it is told to. Gives its generation. */
  write(changes: Partial<PoolerConfiguration>): string;
  /** A connection of PostgREST's to the pool of an alias. */
  client(alias: string): Promise<pg.Client>;
  /** Logs in to the console as the operator does. */
  console(): Promise<Console>;
  stop(): Promise<void>;
}

/** Starts PgBouncer (PGRST_TEST_PGBOUNCER, set by hack/test/postgres.ts) in front of a database. */
export async function startPooler(
  uri: string,
  spec: PoolerSpec,
  processes: number,
  more: Pick<PoolerConfiguration, 'tls'> = {},
): Promise<TestPooler> {
  const program = process.env['PGRST_TEST_PGBOUNCER'];
  const log = process.env['PGRST_TEST_PG_LOG'];
  if (program === undefined || log === undefined)
    throw new Error('PGRST_TEST_PGBOUNCER is not set: run the tests with npm run test:pg');
  const target = readDatabaseUri(uri);
  if ('error' in target) throw new Error(target.error);
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-test-pgbouncer-'));
  const port = await freePort();
  let from: PoolerConfiguration = {
    uri: target,
    spec,
    credentials: await makeCredentials(),
    processes,
    ...more,
  };
  const write = (changes: Partial<PoolerConfiguration>): string => {
    from = { ...from, ...changes };
    const data = poolerSecret(owner, from)['data'] as Record<string, string>;
    for (const name of ['pgbouncer.ini', 'userlist.txt', 'ca.crt']) {
      const text = Buffer.from(data[name] ?? '', 'base64').toString();
      const here = text
        .replace(/^listen_port = .*$/m, `listen_port = ${port}`)
        .replace('listen_addr = *', 'listen_addr = 127.0.0.1')
        .replaceAll('/etc/pgbouncer/', `${folder}/`);
      writeFileSync(join(folder, name), here);
    }
    return configGeneration(from);
  };
  write({});
  chmodSync(folder, 0o755);
  // It refuses root, as PostgreSQL does: whoever that runs as.
  const { uid, gid } = statSync(dirname(log));
  chownSync(folder, uid, gid);
  const child = spawn(program, [join(folder, 'pgbouncer.ini')], {
    uid,
    gid,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  const ended = new Promise<void>((resolve) =>
    child.once('exit', () => {
      resolve();
    }),
  );
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      said += String(chunk);
      if (said.includes('process up')) resolve();
    });
    void ended.then(() => {
      reject(new Error(`PgBouncer did not start: ${said}`));
    });
  });
  const { credentials } = from;
  return {
    port,
    get from() {
      return from;
    },
    write,
    client: async (alias) => {
      const client = new pg.Client({
        host: '127.0.0.1',
        port,
        user: poolerUsers.client,
        password: credentials.client,
        database: alias,
      });
      await client.connect();
      return client;
    },
    console: () =>
      openConsole(
        { host: '127.0.0.1', port, user: poolerUsers.admin, password: credentials.admin.password },
        new AbortController().signal,
      ),
    stop: async () => {
      child.kill('SIGQUIT');
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
