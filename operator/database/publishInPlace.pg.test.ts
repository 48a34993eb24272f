import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { build, collect, ledgerOf, publishedId } from '../testing/buildFixture.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
  await db.query(`create table public.tasks (id int primary key, title text)`);
});
afterEach(async () => {
  await db.drop();
});

const v1 = 'create view api.tasks as select id from public.tasks';
const v2 = 'create view api.tasks as select id, title from public.tasks';
const inPlace = async (apiSql: string) => await build(db.uri, { apiSql, strategy: 'InPlace' });
const versioned = async (apiSql: string) => await build(db.uri, { apiSql });
const schemas = async (): Promise<readonly string[]> =>
  (
    await db.query<{ name: string }>(
      "select nspname as name from pg_namespace where nspname like 'api%' order by 1",
    )
  ).map(({ name }) => name);
const columns = async (): Promise<readonly string[]> =>
  (
    await db.query<{ name: string }>(
      "select attname as name from pg_attribute where attrelid = 'api.tasks'::regclass and attnum > 0 order by attnum",
    )
  ).map(({ name }) => name);
const present = async (): Promise<readonly string[]> =>
  (await ledgerOf(db.uri)).releases.filter((release) => release.present).map(({ id }) => id);

describe('InPlace', () => {
  test('replaces the release that has the name, and only the newest is there', async () => {
    const first = publishedId(await inPlace(v1));
    expect([await schemas(), await columns(), await present()]).toEqual([['api'], ['id'], [first]]);
    const second = publishedId(await inPlace(v2));
    expect([await schemas(), await columns(), await present()]).toEqual([['api'], ['id', 'title'], [second]]);
    expect(
      await db.query(`select proname as name from pg_proc where pronamespace = 'api'::regnamespace`),
    ).toEqual([{ name: `pgrst_sentinel_${second}` }]);
    expect((await ledgerOf(db.uri)).current).toBe(second);
  });

  test('going back builds the older release again', async () => {
    const first = publishedId(await inPlace(v1));
    publishedId(await inPlace(v2));
    expect(publishedId(await inPlace(v1))).toBe(first);
    expect([await columns(), await present()]).toEqual([['id'], [first]]);
  });

  test('throws away a build that PostgREST could not tell from what is there', async () => {
    const first = publishedId(await inPlace(v1));
    expect(await inPlace(`${v1} -- as before`)).toMatchObject({ kind: 'same' });
    expect([await schemas(), await present()]).toEqual([['api'], [first]]);
  });

  test('tells PostgREST to reload when, and only when, it is committed', async () => {
    const listener = new pg.Client({ connectionString: db.uri });
    await listener.connect();
    await listener.query('listen pgrst');
    const heard: (string | undefined)[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload));
    await inPlace(`${v1}; select 1/0`).catch(() => undefined);
    publishedId(await inPlace(v1));
    await listener.query('select 1');
    await listener.end();
    expect(heard).toEqual(['reload schema']);
  });

  test('does not replace what it did not build', async () => {
    await db.query(`create schema api; create view api.mine as select 1`);
    expect(await inPlace(v1)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('is no release of this ApiSchema') as string,
    });
    expect(await db.query('select count(*)::int as n from api.mine')).toEqual([{ n: 1 }]);
    await db.query('drop view api.mine');
    publishedId(await inPlace(v1));
  });

  test('does not take a schema for its own because the ledger had one of that name', async () => {
    publishedId(await inPlace(v1));
    await db.query('drop schema api cascade; create schema api; create view api.mine as select 1');
    expect(await inPlace(v2)).toMatchObject({ kind: 'refused' });
  });

  test.each([
    ['a view outside', 'create view public.mine as select * from api.tasks', 'view public.mine'],
    ['a table inside', 'create table api.precious (x int)', 'table api.precious, which holds data'],
  ])('is refused while %s would go with it', async (_what, sql, says) => {
    const first = publishedId(await inPlace(v1));
    await db.query(sql);
    expect(await inPlace(v2)).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(says) as string,
    });
    expect([await columns(), await present()]).toEqual([['id'], [first]]);
  });

  test('waits for readers without harming them', async () => {
    publishedId(await inPlace(v1));
    const reader = new pg.Client({ connectionString: db.uri });
    await reader.connect();
    await reader.query('begin; select * from api.tasks');
    await expect(inPlace(v2)).rejects.toThrow(/Gave up for now after 4 attempts/);
    await reader.query('select id from api.tasks; commit');
    await reader.end();
    publishedId(await inPlace(v2));
    expect(await columns()).toEqual(['id', 'title']);
  });
});

describe('a live database changes its strategy', () => {
  test('from Versioned to InPlace: the same API is published under the exposed name, and the older one can be collected', async () => {
    const first = publishedId(await versioned(v1));
    const second = publishedId(await inPlace(`${v1} -- in place`));
    expect(await schemas()).toEqual(['api', `api_${first}`]);
    expect(await collect(db.uri, [first, second])).toEqual({ kind: 'collected', dropped: [first] });
    expect([await schemas(), await present()]).toEqual([['api'], [second]]);
  });

  test('from InPlace to Versioned: the exposed name stays what it was until it is collected', async () => {
    const first = publishedId(await inPlace(v1));
    const second = publishedId(await versioned(v2));
    expect([await schemas(), await columns()]).toEqual([['api', `api_${second}`], ['id']]);
    expect(await collect(db.uri, [first])).toEqual({ kind: 'collected', dropped: [first] });
    expect(await schemas()).toEqual([`api_${second}`]);
  });

  test('and back again', async () => {
    publishedId(await inPlace(v1));
    const second = publishedId(await versioned(v2));
    const third = publishedId(await inPlace(`${v2} -- in place`));
    expect(await columns()).toEqual(['id', 'title']);
    expect((await present()).toSorted()).toEqual([second, third].toSorted());
  });
});
