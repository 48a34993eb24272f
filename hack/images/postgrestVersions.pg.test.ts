// The table of PostgREST's versions, against the PostgREST that is here: the one of the image, or in hosted CI others.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  behaviourOf,
  versionOf,
  type PostgrestBehaviour,
} from '../../operator/resources/postgrestVersions.ts';
import { createTestDatabase, type TestDatabase } from '../../operator/testing/pgTemplate.ts';
import { removeScratch, scratchFolder } from '../lib/scratch.ts';
import { until } from '../lib/wait.ts';
import { startPostgrest, type PostgrestProcess, type Reply } from './postgrestProcess.ts';

let scratch: string;
let database: TestDatabase;
let superuser: pg.Client;
let role: string;
let uri: string;
let api: PostgrestProcess;
let behaviour: PostgrestBehaviour;

const here = async (condition: () => Promise<boolean>): Promise<true | undefined> =>
  (await condition()) ? true : undefined;
const schema = `
  create schema api;
  create schema token;
  create function api.here() returns int language sql as 'select 1';
  create function api.nap(seconds float8) returns void language sql as 'select pg_sleep($1)'`;

beforeAll(async () => {
  scratch = await scratchFolder('pgrst-test-versions-');
  database = await createTestDatabase();
  superuser = new pg.Client({ connectionString: database.superuserUri });
  await superuser.connect();
  role = `authenticator_${randomBytes(4).toString('hex')}`;
  await superuser.query(`create role ${role} login password 'secret'`);
  await superuser.query(schema);
  await superuser.query(`grant usage on schema api, token to ${role}`);
  const url = new URL(database.uri);
  url.username = role;
  url.password = 'secret';
  uri = url.href;
});

afterAll(async () => {
  await removeScratch(scratch);
  await superuser.query(`drop owned by ${role}`);
  await superuser.query(`drop role ${role}`);
  await superuser.end();
  await database.drop();
});

const parameters = () => ({ 'db-uri': uri, 'db-schemas': 'api', 'db-anon-role': role, 'db-pool': '2' });
const known = (): Promise<Reply> => api.ask('/rpc/here', {}, 'OPTIONS');

beforeEach(async () => {
  api = await startPostgrest(scratch, parameters());
  const reply = await until('PostgREST', async () => {
    const { status, headers } = await known();
    return status === 200 && (await api.admin('/ready')).status === 200 ? headers : undefined;
  });
  const version = versionOf([reply.server].flat()[0]);
  const found = behaviourOf(version);
  if (!found) throw new Error(`the table has no row for ${version ?? 'no version'}`);
  behaviour = found;
  return async () => {
    await api.stop();
  };
});

describe('the PostgREST that runs does as the table says', () => {
  test('when it is told to stop', async () => {
    const request = api.ask('/rpc/nap?seconds=2').then(
      ({ status }) => (status < 300 ? 'drained' : `answered ${String(status)}`),
      () => 'cut',
    );
    await until('the request in the database', () => here(async () => (await busy('"nap"')) > 0));
    await api.stop();
    expect(await request).toBe(behaviour.shutdown);
  });

  test('when a reload fails', async () => {
    try {
      await superuser.query(`alter role ${role} set statement_timeout = '1ms'`);
      await superuser.query("notify pgrst, 'reload schema'");
      await until('the failed reload', () => here(async () => (await api.admin('/ready')).status === 503));
      const after = await until('the cache gone, or a second failure', async () => {
        const { status } = await known();
        return status === 503 || failures() > 1 ? status : undefined;
      });
      expect(after === 503 ? 'clears' : 'keeps').toBe(behaviour.failedReload);
    } finally {
      await superuser.query(`alter role ${role} reset statement_timeout`);
    }
  });

  test('when its configuration is changed', async () => {
    const traced = async (): Promise<boolean> =>
      (await api.ask('/', { 'X-New': 'seen' })).headers['x-new'] === 'seen';
    const exposed = async (): Promise<boolean> =>
      (await api.ask('/nothing', { 'Accept-Profile': 'token' })).status !== 406;
    expect([await traced(), await exposed()]).toEqual([false, false]);
    api.configure({ 'server-trace-header': 'X-New', 'db-schemas': 'api,token' });
    await superuser.query("notify pgrst, 'reload config'");
    await until('the new configuration', () => here(exposed));
    expect((await traced()) ? 'traceHeader' : 'profile').toBe(behaviour.settingsMark);
  });

  test('when it is asked for metrics', async () => {
    expect((await api.admin('/metrics')).status).toBe(behaviour.metrics ? 200 : 404);
  });

  test('while it loads its schema cache for the first time', async () => {
    const blocker = new pg.Client({ connectionString: database.superuserUri });
    await blocker.connect();
    await blocker.query('begin; lock table pg_description in access exclusive mode');
    const second = await startPostgrest(scratch, parameters());
    try {
      await until('the load', () => here(async () => (await waiting()) > 0));
      const status = await second.ask('/rpc/here', {}, 'OPTIONS').then(
        (reply) => reply.status,
        () => undefined,
      );
      expect(status === undefined ? 'after the first load' : 'before the first load').toBe(
        behaviour.apiSocket,
      );
    } finally {
      await blocker.end();
      await second.stop();
    }
  });
});

/** Sessions of PostgREST that run a statement with these words. */
async function busy(words: string): Promise<number> {
  return await count(`state = 'active' and query like '%' || $2 || '%'`, words);
}

/** Sessions of PostgREST that wait for a lock. */
async function waiting(): Promise<number> {
  return await count(`wait_event_type = 'Lock' and $2 = ''`, '');
}

async function count(condition: string, words: string): Promise<number> {
  const { rows } = await superuser.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where usename = $1 and ${condition}`,
    [role, words],
  );
  return rows[0]?.n ?? 0;
}

/** Loads that have failed, as PostgREST's log has them. */
function failures(): number {
  return api.logged().split('57014').length - 1;
}
