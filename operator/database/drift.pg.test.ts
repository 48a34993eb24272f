import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { announceChanges, compareSnapshots, recordSnapshot, renewSnapshots } from './drift.ts';
import { claim } from './ledger.ts';
import { openSession, type Session } from './session.ts';
import type { TransactionContext } from './transaction.ts';

const id = '0a1b2c3d';
const schema = `api_${id}`;
const claimant = { namespace: 'shop', name: 'todo', clusterId: 'cluster-1', exposedSchema: 'api' };

let db: TestDatabase;
let session: Session;
let role: string;
beforeEach(async () => {
  db = await createTestDatabase();
  role = `r_${new URL(db.uri).username}`;
  session = await openSession({
    uri: db.uri,
    applicationName: 'postgrest-operator drift test',
    signal: new AbortController().signal,
    lockTimeoutMs: 2000,
  });
  await claim(session, claimant, 0);
  await db.query(`
    create role ${role} nologin;
    create table public.tasks (id int primary key, title text not null, due date default '2024-02-01');
    insert into pgrst_ledger.migrations (exposed_schema, name, position, checksum, applied_by)
      values ('api', '001', 0, 'x', 'me'), ('api', '002', 1, 'x', 'me'), ('api', '003', 2, 'x', 'me');
    create schema ${schema};
    grant usage on schema ${schema} to ${role};
    grant ${role} to current_user;
    grant create on schema ${schema} to ${role};
    create type ${schema}.state as enum ('open', 'done');
    create view ${schema}.tasks as select id, title, due from public.tasks where due < '2030-01-01';
    create view ${schema}."Odd ""Näme""" as select id as "ID" from public.tasks;
    create function ${schema}.count(state ${schema}.state default 'open') returns bigint language sql
      as 'select count(*) from ${schema}.tasks';
    comment on view ${schema}.tasks is 'Tasks';
    grant select, insert on ${schema}.tasks to ${role};
    create function ${schema}.pgrst_sentinel_${id}() returns text language sql stable as 'select ''${id}''';
    insert into pgrst_ledger.releases (exposed_schema, id, hash, schema_name, api_sql, fingerprint, built_by)
      values ('api', '${id}', '${id}', '${schema}', '', '', 'me');
    update pgrst_ledger.claims set current_release = '${id}';`);
  await recordSnapshot(session, 'api', { id, schema });
});
afterEach(async () => {
  await session.close();
  await db.drop();
});

const context = (onRetry: () => void = () => undefined): TransactionContext => ({
  session,
  patience: { lockTimeoutMs: 200, retryDelaysMs: [10, 10, 10] },
  signal: new AbortController().signal,
  onRetry,
});
const noLock = () => Promise.resolve();

/** Compares; `meanwhile` happens just before the lock is there. */
const drift = async (meanwhile: () => Promise<unknown> = noLock): Promise<readonly string[]> =>
  (
    await compareSnapshots(context(), 'api', async () => {
      await meanwhile();
    })
  ).map(({ difference }) => difference);

describe('drift', () => {
  test('is nothing while nobody touches the database, whatever the server prints dates like', async () => {
    expect(await drift()).toEqual([]);
    await session.query(`set datestyle = 'German'; set timezone = 'Asia/Tokyo'`);
    expect(await drift()).toEqual([]);
    const [settings] = await session.query(
      `select current_setting('datestyle') as style, current_setting('timezone') as zone`,
    );
    expect(settings).toEqual({ style: 'German, DMY', zone: 'Asia/Tokyo' });
  });

  test.each([
    [
      'a view that is gone: one sentence, nothing of its columns',
      `drop view SCHEMA."Odd ""Näme"""`,
      [`View "Odd ""Näme""" of release ${id} is gone.`],
    ],
    [
      'a changed view',
      `create or replace view SCHEMA.tasks as select id, title, due from public.tasks`,
      [`View tasks of release ${id} differs in its definition from what was published.`],
    ],
    [
      'a changed body',
      `create or replace function SCHEMA.count(state SCHEMA.state default 'open') returns bigint language sql as 'select 1'`,
      [`Function count(api.state) of release ${id} differs in its body from what was published.`],
    ],
    [
      'a revoked grant',
      `revoke insert on SCHEMA.tasks from ROLE`,
      [`View tasks of release ${id}: INSERT was revoked from ROLE.`],
    ],
    [
      'a grant',
      `grant select ("ID") on SCHEMA."Odd ""Näme""" to ROLE`,
      [`Column "Odd ""Näme"""."ID" of release ${id}: SELECT was granted to ROLE.`],
    ],
    [
      'the schema closed to a role',
      `revoke usage on schema SCHEMA from ROLE`,
      [`Schema of release ${id}: USAGE was revoked from ROLE.`],
    ],
    [
      'an added function: nothing of its parameters',
      `create function SCHEMA.extra(a int) returns int language sql as 'select a'`,
      [`Function extra(integer) of release ${id} was not there when it was published.`],
    ],
    [
      'a changed comment, without its text',
      `comment on view SCHEMA.tasks is 'A secret'`,
      [`View tasks of release ${id} differs in its comment from what was published.`],
    ],
    [
      'a label',
      `alter type SCHEMA.state add value 'late'`,
      [`Type state of release ${id} differs in its labels from what was published.`],
    ],
    [
      'a key of a table under a view',
      `alter table public.tasks drop constraint tasks_pkey cascade`,
      [
        // The key brought NOT NULL, which stays.
        `Key tasks_pkey on public.tasks of release ${id} is gone.`,
      ],
    ],
    [
      'an owner',
      `alter view SCHEMA.tasks owner to ROLE`,
      expect.arrayContaining([
        expect.stringMatching(/^View tasks of release .* has the owner ROLE; it was t_/),
      ]),
    ],
    [
      'the sentinel',
      `drop function SCHEMA.pgrst_sentinel_${id}()`,
      [
        `The sentinel of release ${id} is gone: no pod that starts from now on can prove that it holds the release.`,
      ],
    ],
    [
      'a release',
      `drop schema SCHEMA cascade`,
      [`The schema of release ${id} is gone: nothing can go back to it, and pods that serve it fail.`],
    ],
    [
      'a row of the ledger',
      `delete from pgrst_ledger.migrations where name = '002'`,
      [
        'The ledger lacks 1 of its first 3 rows of migrations: the operator would run these migrations once more.',
      ],
    ],
    [
      'a release that the ledger does not know',
      `delete from pgrst_ledger.releases`,
      [
        `Schema ${schema} holds a release that the ledger does not know: its row was deleted, or it was restored.`,
        `The ledger names ${id} as the current release, but has no such release.`,
      ],
    ],
    [
      'a schema in the place where builds park',
      `create schema api__pgrst_parked`,
      [
        'Schema api__pgrst_parked is the name under which a build parks schema api, and no build is running: builds fail until it is renamed or dropped.',
      ],
    ],
  ])('names %s', async (_what, sql, says) => {
    const named = (text: string): string => text.replaceAll('SCHEMA', schema).replaceAll('ROLE', role);
    await db.query(named(sql));
    const found = (await drift()).map((each) => each.replaceAll(role, 'ROLE'));
    expect(found).toEqual(says);
  });

  test('is not what the operator drops itself', async () => {
    await db.query(`drop schema ${schema} cascade; update pgrst_ledger.releases set collected_at = now()`);
    expect(await drift()).toEqual([]);
  });

  test('is not what our own migrations change; what was drift before them stays drift', async () => {
    await db.query(`comment on view ${schema}.tasks is null`);
    await announceChanges(context(), 'api');
    await db.query('alter table public.tasks add unique (title), alter column id set default 1');
    await renewSnapshots(context(), 'api');
    expect(await drift()).toEqual([`View tasks of release ${id} has lost its comment.`]);
    await db.query(`alter table public.tasks alter column title set default ''`);
    expect(await drift()).toHaveLength(3);
  });

  test('is not reported between our migrations and the refresh, which whoever compares first makes up for', async () => {
    await announceChanges(context(), 'api');
    await db.query('alter table public.tasks add unique (title)');
    let locks = 0;
    const count = async () => {
      locks += 1;
      await Promise.resolve();
    };
    expect(await drift(count)).toEqual([]);
    expect(await drift(count)).toEqual([]);
    expect(locks).toBe(1);
  });

  test('is not what another run, a collection or a contraction is at while it is compared', async () => {
    await announceChanges(context(), 'api');
    await db.query('alter table public.tasks add unique (title)');
    expect(await drift(() => renewSnapshots(context(), 'api'))).toEqual([]);
    // A collection begins when the releases have been listed.
    await db.query(`drop view ${schema}.tasks cascade`);
    const collect = `drop schema ${schema} cascade; update pgrst_ledger.releases set collected_at = now()`;
    expect(await drift(() => db.query(collect))).toEqual([]);
  });

  test('is what it was when a view is locked for a while: the refresh is tried again', async () => {
    await announceChanges(context(), 'api');
    await db.query('alter table public.tasks add unique (title)');
    await session.query("set lock_timeout = '50ms'");
    const other = await openSession({
      uri: db.uri,
      applicationName: 'postgrest-operator drift test, another',
      signal: new AbortController().signal,
      lockTimeoutMs: 2000,
    });
    await other.query('begin');
    await other.query('lock table public.tasks');
    let retries = 0;
    let released: Promise<unknown> = Promise.resolve();
    const retrying = context(() => {
      retries += 1;
      released = other.query('rollback');
    });
    await renewSnapshots(retrying, 'api');
    await released;
    await other.close();
    expect(retries).toBe(1);
    expect(await drift()).toEqual([]);
  });

  test('of a release that was published before there were snapshots begins with the first look', async () => {
    await db.query('delete from pgrst_ledger.snapshots');
    expect(await drift()).toEqual([]);
    await db.query(`drop view ${schema}.tasks cascade`);
    expect(await drift()).toEqual([`View tasks of release ${id} is gone.`]);
  });

  test('begins anew when the server has another major version, which may print the same differently', async () => {
    await db.query(`update pgrst_ledger.releases set snapshot_major = 13;
      update pgrst_ledger.snapshots set value = 'as 13 has it' where aspect = 'definition'`);
    expect(await drift()).toEqual([]);
    await db.query(`drop view ${schema}.tasks cascade`);
    expect(await drift()).toEqual([`View tasks of release ${id} is gone.`]);
  });
});
