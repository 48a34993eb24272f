import { readFileSync } from 'node:fs';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { poolerParameters } from '../api/v1alpha1/poolerParameters.ts';
import { systemClock } from '../runtime/clock.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { anotherCa } from '../testing/certificates.ts';
import { startPooler, type TestPooler } from '../testing/pgbouncer.ts';
import { settleProcess, type SettledProcess } from './settleProcess.ts';
import { supportOf } from './version.ts';

const spec = { replicas: 2, poolSize: 20, maxServerConnections: 24 };
let database: TestDatabase;
let pooler: TestPooler;
const clients: pg.Client[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  pooler = await startPooler(database.uri, spec, 2);
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.end();
  pooler.write({ uri: { ...pooler.from.uri, password: new URL(database.uri).password }, spec });
  const console = await pooler.console();
  await console.reload();
  await console.close();
});

afterAll(async () => {
  await pooler.stop();
  await database.drop();
});

async function clientsOf(alias: string, count: number): Promise<readonly pg.Client[]> {
  const opened = await Promise.all(Array.from({ length: count }, () => pooler.client(alias)));
  clients.push(...opened);
  return opened;
}

/** A query as PostgREST sends it: in a transaction of its own. */
async function inTransaction(client: pg.Client, sql: string): Promise<void> {
  await client.query('begin');
  await client.query(sql);
  await client.query('commit');
}

/** Runs a query again and again on every client until `stop`; gives how long each took, in milliseconds. */
function keepBusy(
  busy: readonly pg.Client[],
  sql: string,
): { done(): number; stop(): Promise<readonly number[]> } {
  let stopped = false;
  const took: number[] = [];
  const loops = busy.map(async (client) => {
    while (!stopped) {
      const from = performance.now();
      await inTransaction(client, sql);
      took.push(performance.now() - from);
    }
  });
  return {
    done: () => took.length,
    stop: async () => {
      stopped = true;
      await Promise.all(loops);
      return took;
    },
  };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function backends(): Promise<number> {
  const [row] = await database.query<{ count: number }>(
    "select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
  return row?.count ?? 0;
}

async function pids(): Promise<readonly number[]> {
  const rows = await database.query<{ pid: number }>(
    "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
  );
  return rows.map(({ pid }) => pid);
}

function settle(
  share: { connections: number; poolSize: number },
  generation?: string,
  poke = () => Promise.resolve(),
): Promise<SettledProcess> {
  const { signal } = new AbortController();
  return settleProcess(
    { share, generation, renews: false },
    { clock: systemClock, open: () => pooler.console(), poke },
    { signal, progress: () => undefined },
  );
}

test('the version of the image that we build is supported', async () => {
  const console = await pooler.console();
  expect(supportOf(await console.version())).not.toBe('unsupported');
  await console.close();
});

test('whoever logs in, the database sees the user of the URI; a wrong password is refused', async () => {
  const [client] = await clientsOf('r1', 1);
  const { rows } = (await client?.query<{ name: string }>('select session_user as name')) ?? { rows: [] };
  expect(rows).toEqual([{ name: new URL(database.uri).username }]);
  const stranger = new pg.Client({
    host: '127.0.0.1',
    port: pooler.port,
    user: 'pgrst_client',
    password: 'guess',
    database: 'r1',
  });
  await expect(stranger.connect()).rejects.toThrow('authentication failed');
});

test('the exporter may look at the console, and change nothing', async () => {
  const stats = new pg.Client({
    host: '127.0.0.1',
    port: pooler.port,
    user: 'pgrst_stats',
    password: pooler.from.credentials.stats.password,
    database: 'pgbouncer',
  });
  await stats.connect();
  expect((await stats.query('SHOW POOLS')).rows).not.toEqual([]);
  await expect(stats.query('RELOAD')).rejects.toThrow('admin access needed');
  await stats.end();
});

describe('the share of a process', () => {
  test('holds over the pools of several revisions, whatever they ask for', async () => {
    await settle({ connections: 6, poolSize: 4 });
    const load = await Promise.all(
      ['r1', 'r2', 'r3'].map(async (alias) => keepBusy(await clientsOf(alias, 6), 'select pg_sleep(0.01)')),
    );
    const seen: number[] = [];
    for (let look = 0; look < 40; look += 1) seen.push(await backends());
    for (const each of load) await each.stop();
    expect(Math.max(...seen)).toBeLessThanOrEqual(6);
    expect(Math.max(...seen)).toBeGreaterThan(3);
  });

  test('shrinks under load, without an error, before settling says so', async () => {
    await settle({ connections: 12, poolSize: 6 });
    const load = await Promise.all(
      ['r1', 'r2'].map(async (alias) => keepBusy(await clientsOf(alias, 8), 'select pg_sleep(0.02)')),
    );
    await expect.poll(backends, { interval: 20 }).toBe(12);
    const { serverConnections } = await settle({ connections: 4, poolSize: 2 });
    expect(serverConnections).toBeLessThanOrEqual(4);
    await expect.poll(backends, { interval: 20 }).toBeLessThanOrEqual(4);
    for (let look = 0; look < 20; look += 1) expect(await backends()).toBeLessThanOrEqual(4);
    for (const each of load) await each.stop();
  });

  test('keeps room for stable while all connections of a candidate sleep', async () => {
    await settle({ connections: 8, poolSize: 4 });
    const stable = await clientsOf('r1', 4);
    const alone = keepBusy(stable, 'select 1');
    await inTransaction((await clientsOf('r1', 1))[0] ?? new pg.Client(), 'select pg_sleep(1)');
    const before = median(await alone.stop());
    const slow = keepBusy(await clientsOf('r2', 30), 'select pg_sleep(0.5)');
    const beside = keepBusy(stable, 'select 1');
    await inTransaction((await clientsOf('r1', 1))[0] ?? new pg.Client(), 'select pg_sleep(1)');
    const besideSlow = median(await beside.stop());
    await slow.stop();
    // A candidate that took its place would make stable wait for a whole sleep.
    expect(besideSlow).toBeLessThan(Math.max(10 * before, 50));
  });
});

test('a revision that comes gets its share as soon as one that went has been quiet for a few seconds', async () => {
  await settle({ connections: 4, poolSize: 2 });
  for (const alias of ['gone', 'stable'])
    await Promise.all(
      (await clientsOf(alias, 2)).map((client) => inTransaction(client, 'select pg_sleep(0.1)')),
    );
  const [candidate] = await clientsOf('candidate', 1);
  // Whoever waits longer than query_wait_timeout (10 s) is cut off.
  await inTransaction(candidate ?? new pg.Client(), 'select 1');
});

test('connections from before a release that took the place of another are renewed, with no request lost', async () => {
  const share = { connections: 6, poolSize: 3 };
  await settle(share);
  const load = keepBusy(await clientsOf('r1', 6), 'select 1');
  await expect.poll(load.done).toBeGreaterThan(20);
  const before = await pids();
  await settleProcess(
    { share, generation: undefined, renews: true },
    { clock: systemClock, open: () => pooler.console(), poke: () => Promise.resolve() },
    { signal: new AbortController().signal, progress: () => undefined },
  );
  await expect.poll(async () => (await pids()).filter((pid) => before.includes(pid))).toEqual([]);
  expect(before).not.toEqual([]);
  await load.stop();
});

describe('a changed configuration', () => {
  test('is loaded by the process that runs, and seen to be', async () => {
    await settle({ connections: 6, poolSize: 3 });
    const generation = pooler.write({ spec: { ...spec, parameters: { server_lifetime: '61' } } });
    await settle({ connections: 6, poolSize: 3 }, generation);
    const console = await pooler.console();
    expect(await console.setting('server_lifetime')).toBe('61');
    expect(await console.setting('max_user_connections'), 'the share is what it was').toBe('6');
    await console.close();
  });

  test('that the kubelet has yet to write is waited for, after one poke', async () => {
    let pokes = 0;
    const { credentials } = pooler.from;
    const generation = pooler.write({ spec: { ...spec, parameters: { verbose: '0', stats_period: '59' } } });
    pooler.write({ spec, credentials });
    const poke = (): Promise<void> => {
      pokes += 1;
      pooler.write({ spec: { ...spec, parameters: { verbose: '0', stats_period: '59' } } });
      return Promise.resolve();
    };
    await settle({ connections: 6, poolSize: 3 }, generation, poke);
    expect(pokes).toBe(1);
  });

  test('with another password of the database reaches pools that are there, with no request lost', async () => {
    await settle({ connections: 6, poolSize: 3 });
    const load = keepBusy(await clientsOf('r1', 8), 'select 1');
    const { username, password } = new URL(database.uri);
    await database.query(`alter role ${username} password 'another'`);
    const generation = pooler.write({ uri: { ...pooler.from.uri, password: 'another' } });
    await settle({ connections: 6, poolSize: 3 }, generation);
    const late = keepBusy(await clientsOf('r9', 3), 'select 1');
    await expect.poll(late.done).toBeGreaterThan(20);
    await late.stop();
    expect((await load.stop()).length).toBeGreaterThan(0);
    const superuser = new pg.Client({ connectionString: database.superuserUri });
    await superuser.connect();
    await superuser.query(`alter role ${username} password '${password}'`);
    await superuser.end();
  });
});

describe('TLS towards the database', () => {
  const usesTls = 'select ssl from pg_stat_ssl where pid = pg_backend_pid()';

  test('is verified with the certificates that the spec names', async () => {
    const ca = readFileSync(process.env['PGRST_TEST_PG_CA'] ?? '', 'utf8');
    const other = await startPooler(database.uri, spec, 2, { tls: { mode: 'verify-full', ca } });
    const client = await other.client('r1');
    expect((await client.query(usesTls)).rows).toEqual([{ ssl: true }]);
    await client.end();
    await other.stop();
  });

  test('is refused where they have not signed the certificate of the server', async () => {
    const other = await startPooler(database.uri, { ...spec, parameters: { client_login_timeout: '1' } }, 2, {
      tls: { mode: 'verify-full', ca: anotherCa },
    });
    await expect(other.client('r1')).rejects.toThrow(/server down|certificate|TLS/);
    await other.stop();
  });
});

describe('the table of parameters', () => {
  test('says of each what PgBouncer says: its value, and whether it can be changed without a new process', async () => {
    const admin = new pg.Client({
      host: '127.0.0.1',
      port: pooler.port,
      user: 'pgrst_admin',
      password: pooler.from.credentials.admin.password,
      database: 'pgbouncer',
    });
    await admin.connect();
    const { rows } = await admin.query<{ key: string; value: string; changeable: string }>('SHOW CONFIG');
    await admin.end();
    const shown = new Map(rows.map((row) => [row.key, row]));
    for (const [name, { byDefault, change }] of Object.entries(poolerParameters)) {
      expect(shown.get(name), name).toMatchObject({
        value: byDefault,
        changeable: change === 'reload' ? 'yes' : 'no',
      });
    }
  });

  test.each(['least', 'most'] as const)('holds no %s value that PgBouncer refuses', async (end) => {
    const parameters = Object.fromEntries(
      Object.entries(poolerParameters).map(([name, { values }]) => [
        name,
        'words' in values
          ? (values.words.at(end === 'least' ? 0 : -1) ?? '')
          : String(end === 'least' ? values.from : values.to),
      ]),
    );
    const other = await startPooler(database.uri, { ...spec, parameters }, 2);
    const console = await other.console();
    for (const [name, value] of Object.entries(parameters))
      expect(await console.setting(name), name).toBe(value);
    await console.close();
    await other.stop();
  });
});
