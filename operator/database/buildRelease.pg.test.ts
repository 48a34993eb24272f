import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { build, publishedId } from '../testing/buildFixture.ts';
import { apiKinds } from '../testing/apiKinds.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
  await db.query(`
    create table public.tasks (id int primary key, title text not null, parent int);
    insert into public.tasks values (1, 'write', null), (2, 'read', 1);
    create type public.mood as enum ('good');
    create domain public.word as text;
    create function public.touch() returns void language sql as $$ update public.tasks set title = title $$;
  `);
});
afterEach(async () => {
  await db.drop();
});

async function asSuperuser(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: db.superuserUri });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** What a query over `api` answers in the release. The schema api is not there, so an unmapped name is an error. */
async function answer(id: string, query: string): Promise<unknown> {
  const rows = await db.query<{ value: unknown }>(inRelease(id, query));
  return rows.length === 1 ? rows[0]?.value : rows.map(({ value }) => value);
}

function inRelease(id: string, sql: string): string {
  return sql.replace(/\bapi\./g, `api_${id}.`).replace(/'api'/g, `'api_${id}'`);
}

describe('survives being built, renamed and rewritten:', () => {
  test.each(apiKinds)('$what', async ({ sql, run, query, is }) => {
    const id = publishedId(await build(db.uri, { apiSql: sql }));
    if (run !== undefined) await db.query(inRelease(id, run));
    expect(await answer(id, query)).toEqual(is);
  });
});

describe('what cannot be mapped is reported:', () => {
  test.each([
    [
      'dynamic SQL',
      `create view api.v as select 1 as x;
       create function api.f() returns int language plpgsql as $$ declare n int; begin
         execute 'select x from api.v' into n; return n; end $$`,
      { object: '{}.f()', line: 2, kind: 'string' },
    ],
    [
      'an argument of a trigger',
      `create view api.v as select id from public.tasks;
       create function api.t() returns trigger language plpgsql as 'begin return new; end';
       create trigger t instead of insert on api.v for each row execute function api.t('x', 'api.v')`,
      { object: 'trigger t on {}.v', line: 1, kind: 'string' },
    ],
    [
      'a setting that is no list of schemas',
      `create function api.f() returns int language sql set application_name = 'api' return 1`,
      { object: '{}.f()', line: 1, kind: 'string' },
    ],
    [
      'a body in another language',
      `create function api.f() returns int language other as '\nfrom api.v'`,
      { object: '{}.f()', line: 2, kind: 'unscannable' },
    ],
  ])('%s', async (_what, apiSql, finding) => {
    await asSuperuser('create trusted language other handler plpgsql_call_handler');
    const built = await build(db.uri, { apiSql });
    expect(built).toMatchObject({
      kind: 'published',
      findings: [{ ...finding, object: finding.object.replace('{}', `api_${built.id}`) }],
    });
  });
});

describe('owners', () => {
  test.each(['inherit', 'noinherit'])(
    'objects may belong to a role that ours is a member of (%s)',
    async (inherits) => {
      const role = `o_${new URL(db.uri).username}`;
      await asSuperuser(`create role ${role}; grant ${role} to ${new URL(db.uri).username};
      alter role ${new URL(db.uri).username} ${inherits}; grant select on public.tasks to ${role}`);
      const apiSql = `
      create view api.v as select id from public.tasks;
      create function api.f() returns bigint language sql security definer set search_path = api as 'select count(*) from api.v';
      create type api.t as enum ('a');
      grant usage, create on schema api to ${role};
      alter view api.v owner to ${role}; alter function api.f() owner to ${role}; alter type api.t owner to ${role}`;
      const id = publishedId(await build(db.uri, { apiSql }));
      await asSuperuser(`grant usage on schema api_${id} to public`);
      expect(await answer(id, 'select api.f()::int as value')).toBe(2);
      expect(
        await answer(
          id,
          `select string_agg(proowner::regrole::text, '') as value from pg_proc where oid = 'api.f'::regproc`,
        ),
      ).toBe(role);
      await asSuperuser(`drop owned by ${role} cascade; drop role ${role}`);
    },
  );
});

describe('is refused, and nothing is published:', () => {
  test.each([
    ['renaming the schema', 'alter schema api rename to other', 'The operator names the schema'],
    ['renaming a role', 'alter role nosuch rename to other', 'Roles belong to the whole server'],
    ['renaming a table', 'alter table public.tasks rename to t', 'ALTER TABLE changes data structures'],
    [
      'renaming a column of a table',
      'alter table public.tasks rename column title to t',
      'columns of public.tasks',
    ],
    ['renaming a type outside', 'alter type public.mood rename to m', 'type public.m'],
    ['moving something into the schema', 'alter view public.v set schema api', 'SET SCHEMA'],
    ['a comment on a table', `comment on table public.tasks is 'x'`, 'comment on table public.tasks'],
    [
      'a comment on a column of a table',
      `comment on column public.tasks.id is 'x'`,
      'comment on table column public.tasks.id',
    ],
    ['a comment on a role', `comment on role pg_monitor is 'x'`, 'COMMENT ON ROLE'],
    ['a comment on the database', `comment on database x is 'x'`, 'COMMENT ON DATABASE'],
    ['a grant on the database', 'grant connect on database x to public', 'GRANT ON DATABASE'],
    ['a grant on a language', 'grant usage on language sql to public', 'GRANT ON LANGUAGE'],
    ['a label of a type outside', `alter type public.mood add value 'bad'`, 'label bad of type public.mood'],
    [
      'a check of a domain outside',
      `alter domain public.word add check (value <> '')`,
      'public.word is not named as api.<name>',
    ],
    [
      'an operator outside',
      'create operator public.=== (leftarg = int, rightarg = int, function = int4eq)',
      'operator public.===(integer,integer)',
    ],
    ['a collation outside', 'create collation public.c from "C"', 'collation public.c'],
    [
      'a text search configuration outside',
      'create text search configuration public.c (copy = simple)',
      'text search configuration public.c',
    ],
    [
      'a mapping of one outside',
      'alter text search configuration public.cfg drop mapping for asciiword',
      'public.cfg is not named as api.<name>',
    ],
    [
      'a cast between types outside',
      'create cast (public.mood as int) with function public.to_int(public.mood)',
      'cast public.mood AS integer',
    ],
    [
      'a default of a view outside',
      'alter view public.v alter column id set default 1',
      'columns of public.v',
    ],
    ['a temporary view', 'create temporary view api_v as select 1', 'view api_v'],
    ['rows, by way of a function', 'select public.touch()', 'changes rows of public.tasks'],
    [
      'an operator class',
      'create operator class api.c for type int using btree as operator 1 <',
      'CreateOpClassStmt',
    ],
    ['statistics', 'create statistics s on id, title from public.tasks', 'CreateStatsStmt'],
    ['EXPLAIN', 'explain analyze delete from public.tasks', 'ExplainStmt'],
    ['PREPARE', 'prepare p as delete from public.tasks', 'PrepareStmt'],
  ])('%s', async (_what, sql, says) => {
    await db.query(`create view public.v as select id from public.tasks;
      create function public.to_int(public.mood) returns int language sql immutable as 'select 1';
      create text search configuration public.cfg (copy = pg_catalog.simple)`);
    const built = await build(db.uri, {
      apiSql: `create view api.tasks as select id from public.tasks; ${sql}`,
    });
    expect(built).toMatchObject({ kind: 'refused', message: expect.stringContaining(says) as string });
    expect(await db.query(`select from pg_namespace where nspname like 'api%'`)).toEqual([]);
  });

  test('a release whose schema somebody else has made', async () => {
    const apiSql = 'create view api.v as select 1 as x';
    const id = publishedId(await build(db.uri, { apiSql }));
    await db.query('delete from pgrst_ledger.releases');
    expect(await build(db.uri, { apiSql })).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(`A schema api_${id} is there already`) as string,
    });
  });
});
