import { afterEach, beforeEach, expect, test } from 'vitest';
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

const view = (columns: string): string => `create view api.tasks as select ${columns} from public.tasks;
  create function api.n() returns int language sql return 1;
  create type api.state as enum ('open');
  create text search configuration api.cfg (copy = pg_catalog.simple);
  create collation api.names from "C";`;
const schemas = async (): Promise<readonly string[]> =>
  (
    await db.query<{ name: string }>(
      "select nspname as name from pg_namespace where nspname like 'api%' order by 1",
    )
  ).map(({ name }) => name);

test('drops exactly the releases that were named; never the current one, nor what is not there', async () => {
  const first = publishedId(await build(db.uri, { apiSql: view('id') }));
  const second = publishedId(await build(db.uri, { apiSql: view('title') }));
  const third = publishedId(await build(db.uri, { apiSql: view('id, title') }));
  expect(await collect(db.uri, [first, third, 'nosuch'])).toEqual({ kind: 'collected', dropped: [first] });
  expect(await schemas()).toEqual([`api_${second}`, `api_${third}`].toSorted());
  expect(await collect(db.uri, [first])).toEqual({ kind: 'collected', dropped: [] });
  const { releases, current } = await ledgerOf(db.uri);
  expect(current).toBe(third);
  expect(Object.fromEntries(releases.map(({ id, present }) => [id, present]))).toEqual({
    [first]: false,
    [second]: true,
    [third]: true,
  });
});

test('an API SQL that comes back after its release was collected is built again', async () => {
  const plain = 'create view api.tasks as select id from public.tasks';
  const first = publishedId(await build(db.uri, { apiSql: plain }));
  const same = await build(db.uri, { apiSql: `${plain} -- the same` });
  expect(same.kind).toBe('same');
  publishedId(await build(db.uri, { apiSql: view('title') }));
  expect(await collect(db.uri, [first])).toEqual({ kind: 'collected', dropped: [first] });
  const { releases } = await ledgerOf(db.uri);
  const row = releases.find(({ id }) => id === same.id);
  expect([row?.sameAs, row?.present]).toEqual([first, false]);
  const again = publishedId(await build(db.uri, { apiSql: `${plain} -- the same` }));
  expect(again).toBe(same.id);
  expect(await db.query(`select count(*)::int as n from api_${again}.tasks`)).toEqual([{ n: 0 }]);
});

test.each([
  ['a view', 'create view public.mine as select * from {}.tasks', 'view public.mine'],
  [
    'a view of a view',
    'create view public.mine as select * from {}.tasks; create view public.yours as select * from mine',
    'view public.yours',
  ],
  ['a default', 'alter table public.tasks add n int default {}.n()', 'default value for public.tasks.n'],
  ['a column', 'alter table public.tasks add s {}.state', 'table column public.tasks.s'],
  ['a policy', 'create policy p on public.tasks using ({}.n() = 1)', 'policy p on public.tasks'],
  ['a check', 'alter table public.tasks add check (id > {}.n())', 'table constraint'],
  [
    'a trigger',
    `create function public.t() returns trigger language plpgsql as 'begin return new; end'; create trigger t before insert on public.tasks for each row when ({}.n() = 1) execute function public.t()`,
    'trigger t on public.tasks',
  ],
  [
    'a function',
    'create function public.f({}.state) returns int language sql return 1',
    'function public.f(',
  ],
  ['an index', `create index i on public.tasks (to_tsvector('{}.cfg'::regconfig, title))`, 'index public.i'],
  [
    'a column with its collation',
    'create table public.c (x text collate {}.names)',
    'table column public.c.x',
  ],
  ['an extension in it', 'create extension pgtap schema {}', 'extension pgtap'],
  ['a table in it', 'create table {}.precious (x int)', 'which holds data'],
])('a release on which %s depends stays, and both are named', async (_what, sql, says) => {
  const first = publishedId(await build(db.uri, { apiSql: view('id') }));
  const second = publishedId(await build(db.uri, { apiSql: view('title') }));
  publishedId(await build(db.uri, { apiSql: view('id, title') }));
  await db.query(sql.replaceAll('{}', `api_${first}`));
  const result = await collect(db.uri, [first, second]);
  expect(result).toMatchObject({ kind: 'blocked', reason: 'InUse', dropped: [second] });
  expect(result.kind === 'blocked' && result.message).toContain(`release ${first}`);
  expect(result.kind === 'blocked' && result.message).toContain(says);
  expect(await schemas()).toContain(`api_${first}`);
});
