import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { build, ledgerOf, publishedId, type Built } from '../testing/buildFixture.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
  await db.query(`create table public.tasks (id int primary key, title text not null);
                  insert into public.tasks values (1, 'write')`);
});
afterEach(async () => {
  await db.drop();
});

const apiSql = `
  create view api.tasks as select id, title from public.tasks;
  create function api.add(title text) returns int language sql as
    'insert into api.tasks values ((select max(id) + 1 from api.tasks), title) returning id';
`;
const good = `
  \\unset ECHO
  begin;
  select plan(6);
  select has_view('api', 'tasks', 'api.tasks is there');
  select is(api.add('read'), 2, 'adds');
  select results_eq('select title from api.tasks order by id', $$ values ('write'), ('read') $$);
  select is((select count(*) from public.tasks), 2::bigint);
  select throws_ok($$ insert into api.tasks values (1, 'again') $$, '23505');
  set local search_path = api, public;
  select functions_are('api', array['add']);
  select * from finish();
  rollback;
`.replaceAll('\n  ', '\n');
const withPgtap = async (): Promise<void> => {
  await db.query('create extension pgtap');
};
const failureOf = (built: Built): Extract<Built, { kind: 'testsFailed' }> => {
  if (built.kind !== 'testsFailed') throw new Error(`the tests did not fail: ${JSON.stringify(built)}`);
  return built;
};
const schemas = async (): Promise<readonly unknown[]> =>
  await db.query("select nspname as name from pg_namespace where nspname like 'api%'");

describe('a release whose tests pass', () => {
  beforeEach(withPgtap);

  test('is published, and what the tests did is gone', async () => {
    const id = publishedId(await build(db.uri, { apiSql, tests: good }));
    expect(await db.query('select title from public.tasks')).toEqual([{ title: 'write' }]);
    expect(await schemas()).toEqual([{ name: `api_${id}` }]);
    expect(await db.query(`select api_${id}.add('read') as id`)).toEqual([{ id: 2 }]);
  });

  test('may have tests of several files, each with its plan', async () => {
    const tests = `begin; select plan(1); select pass(); select * from finish(); rollback;
      begin; select no_plan(); select pass(); select pass(); select * from finish(); rollback;`;
    publishedId(await build(db.uri, { apiSql, tests }));
  });

  test('may have xunit tests, with subtests', async () => {
    const tests = `create schema t;
      create function t.test_it() returns setof text language plpgsql as $$ begin
        return next is(api.add('x'), 2); return next has_view('api', 'tasks', 'is there'); end $$;
      select * from runtests('t'::name);`;
    publishedId(await build(db.uri, { apiSql, tests }));
  });

  test('finds pgTAP in another schema by the path that the tests set', async () => {
    await db.query('create schema tap; drop extension pgtap; create extension pgtap schema tap');
    const tests = `set search_path = tap, public; select plan(1); select has_view('api', 'tasks', 'x');`;
    publishedId(await build(db.uri, { apiSql, tests }));
    expect(
      failureOf(await build(db.uri, { apiSql: `${apiSql} --`, tests: 'select plan(1)' })).lines[0],
    ).toContain('pgTAP is in schema tap');
  });

  test('InPlace runs them as well', async () => {
    publishedId(await build(db.uri, { apiSql, tests: good, strategy: 'InPlace' }));
    const failing = { apiSql: `${apiSql} comment on view api.tasks is 'x'`, strategy: 'InPlace' } as const;
    expect(
      failureOf(await build(db.uri, { ...failing, tests: "select plan(1); select fail('no')" })).failed,
    ).toBe(1);
    expect(await db.query("select obj_description('api.tasks'::regclass) as comment")).toEqual([
      { comment: null },
    ]);
  });
});

describe('a string that is just the name of the schema', () => {
  beforeEach(withPgtap);
  const echo = `${apiSql} create function api.echo(word text) returns text language sql as 'select word'`;
  const isData = "select is(upper(api.echo('api')), 'API', 'data')";
  const isSchema = "select has_view('api', 'tasks', 'the schema')";

  test.each([
    ['is data', `select plan(1); ${isData}`],
    ['is data here and the schema there', `select plan(3); ${isSchema}; ${isData}; ${isSchema}`],
  ])('%s', async (_what, tests) => {
    publishedId(await build(db.uri, { apiSql: echo, tests }));
  });

  test('helps no test that fails either way', async () => {
    const dynamic = `${echo}; create function api.n() returns bigint language plpgsql as $$ declare n bigint; begin
      execute 'select count(*) from api.tasks' into n; return n; exception when others then return -1; end $$`;
    const tests = `select plan(3); ${isSchema}; ${isData}; select is(api.n(), 1::bigint, 'counts')`;
    const built = failureOf(await build(db.uri, { apiSql: dynamic, tests }));
    expect(built).toMatchObject({ passed: 1, failed: 2 });
    expect(built.message).toContain('Taken for the schema, 2 of 3 tests failed');
    expect(built.lines.filter((line) => line.startsWith('not ok'))).toEqual([
      'not ok 3 - counts',
      'not ok 2 - data',
    ]);
  });
});

describe('a release whose tests fail is not published', () => {
  beforeEach(withPgtap);

  test.each([
    {
      what: 'a failing test',
      tests: `select plan(2); select is(api.add('read'), 3, 'third'); select pass('fine')`,
      passed: 1,
      failed: 1,
      says: /^not ok 1 - third\n# Failed test 1: "third"\n#\s+have: 2\n#\s+want: 3$/,
    },
    {
      what: 'a plan that does not hold',
      tests: `select plan(3); select pass(); select * from finish()`,
      passed: 1,
      failed: 1,
      says: /^The plan says 3 tests, and 1 ran\.$/,
    },
    {
      what: 'an error inside a test file, with its place',
      tests: `select plan(2);\nselect pass();\nselect pass()\n  from nosuch;\nselect pass();`,
      passed: 1,
      failed: 1,
      says: /^Statement 3 of the tests, at line 4, failed \(SQLSTATE 42P01\): relation "nosuch" does not exist$/,
    },
    { what: 'no test', tests: `select 1 as x`, passed: 0, failed: 1, says: /^No test ran/ },
  ])('$what', async ({ tests, passed, failed, says }) => {
    const built = failureOf(await build(db.uri, { apiSql, tests }));
    expect([built.passed, built.failed]).toEqual([passed, failed]);
    expect(built.lines.join('\n')).toMatch(says);
    expect(built.message).toContain(`${String(failed)} of ${String(passed + failed)} tests failed`);
    expect(await schemas()).toEqual([]);
    expect((await ledgerOf(db.uri)).releases).toEqual([]);
  });

  test('when it fails only under its own name, that is said', async () => {
    const dynamic = `create view api.tasks as select id, title from public.tasks;
      create function api.n() returns bigint language plpgsql as $$ declare n bigint; begin
        execute 'select count(*) from api.tasks' into n; return n; end $$`;
    const tests = `select plan(1); select is(api.n(), 1::bigint, 'counts');`;
    const built = failureOf(await build(db.uri, { apiSql: dynamic, tests }));
    expect(built.message).toContain(
      `The tests pass in schema api and fail in the release's own schema, api_${built.id}`,
    );
    expect(built.lines.join()).toContain('relation "api.tasks" does not exist');
    expect(await schemas()).toEqual([]);
  });

  test('unless it failed for a lock that somebody else holds: then all of it is tried again', async () => {
    const tests = `select plan(1); update public.tasks set title = 'x'; select pass();`;
    const other = new pg.Client({ connectionString: db.uri });
    await other.connect();
    await other.query('begin; select from public.tasks for update');
    await expect(build(db.uri, { apiSql, tests })).rejects.toThrow(/Gave up for now after 4 attempts/);
    await other.end();
    publishedId(await build(db.uri, { apiSql, tests }));
  });
});

test('without pgTAP the message says which migration to add', async () => {
  const built = failureOf(await build(db.uri, { apiSql, tests: good }));
  expect(built.lines[0]).toContain('add a migration with create extension if not exists pgtap');
});
