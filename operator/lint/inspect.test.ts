import { beforeAll, describe, expect, test } from 'vitest';
import { loadSqlParser } from '../migration/parser.ts';
import { inspectSources } from './inspect.ts';
import { rules, type RuleName } from './rules.ts';
import type { LintSource } from './source.ts';

beforeAll(loadSqlParser);

interface Texts {
  readonly applied?: string;
  readonly migration?: string;
  readonly contraction?: string;
  readonly api?: string;
}

function sourcesOf({ applied, migration, contraction, api }: Texts): readonly LintSource[] {
  const source = (kind: LintSource['kind'], name: string, sql: string | undefined): LintSource[] =>
    sql === undefined ? [] : [{ kind, name, sql, ignore: [] }];
  return [
    ...source('migration', '001', applied).map((one) => ({ ...one, applied: true })),
    ...source('migration', '002', migration),
    ...source('contraction', 'c1', contraction),
    ...source('api', 'api', api),
  ];
}

function found(texts: Texts): readonly string[] {
  return inspectSources(sourcesOf(texts), 'api').findings.map(({ rule }) => rule);
}

const secured = 'create table app.tasks (id int); alter table app.tasks enable row level security;';
const revoked = 'alter default privileges revoke execute on functions from public;';

interface Case extends Texts {
  /** A sentence about what is there. */
  readonly when: string;
}

const cases: Readonly<Record<Exclude<RuleName, 'pgrst/not-read-by-squawk'>, { bad: Case[]; good: Case[] }>> =
  {
    'pgrst/syntax-error': {
      bad: [{ when: 'the text does not parse', migration: 'selec 1' }],
      good: [
        { when: 'the text is empty', migration: '-- nothing yet' },
        { when: 'a text that does not parse was applied', applied: 'selec 1' },
      ],
    },
    'pgrst/transaction-control': {
      bad: [
        { when: 'a migration commits', migration: 'commit' },
        { when: 'a contraction copies from the client', contraction: 'copy t from stdin' },
        { when: 'the API begins', api: 'begin' },
      ],
      good: [
        {
          when: 'a BEGIN ATOMIC body ends',
          api: `${revoked} create function api.f() returns int begin atomic select 1; end`,
        },
      ],
    },
    'pgrst/not-api-sql': {
      bad: [
        { when: 'the API creates a table', api: 'create table api.t (id int)' },
        { when: 'the API creates a role', api: 'create role anon' },
        { when: 'the API creates a policy', api: 'create policy p on app.tasks using (true)' },
      ],
      good: [{ when: 'a migration creates a table', migration: 'create table app.t (id int)' }],
    },
    'pgrst/outside-exposed-schema': {
      bad: [
        { when: 'a view is in another schema', api: 'create view app.v as select 1' },
        { when: 'a view has no schema', api: 'create view v as select 1' },
        { when: 'a type is in another schema', api: "create type app.e as enum ('a')" },
        { when: 'a grant is on a table', api: 'grant select on app.tasks to anon' },
        {
          when: 'a grant is on all tables of another schema',
          api: 'grant select on all tables in schema app to anon',
        },
      ],
      good: [
        { when: 'a view is in the exposed schema', api: 'create view api.v as select 1' },
        {
          when: 'the search_path leads there',
          api: 'set search_path to api, app; create view v as select 1; grant select on v to anon',
        },
        {
          when: 'the search_path begins with the user',
          api: 'set search_path to "$user", api; create view v as select 1',
        },
        { when: 'a migration creates elsewhere', migration: 'create view v as select 1' },
        {
          when: 'a grant is on all tables of the schema',
          api: 'grant select on all tables in schema api to anon',
        },
      ],
    },
    'pgrst/inside-exposed-schema': {
      bad: [
        { when: 'a migration creates a table there', migration: 'create table api.t (id int)' },
        {
          when: 'a migration creates a materialized view there',
          migration: 'create materialized view api.m as select 1',
        },
        {
          when: 'a migration creates a function there by its search_path',
          migration: 'set search_path to api; create function f() returns int language sql return 1',
        },
      ],
      good: [
        { when: 'the table is elsewhere', migration: 'create table app.t (id int)' },
        { when: 'it was applied long ago', applied: 'create table api.t (id int)' },
      ],
    },
    'pgrst/view-bypasses-row-security': {
      bad: [
        {
          when: 'the table has row security',
          migration: secured,
          api: 'create view api.tasks as select * from app.tasks',
        },
        {
          when: 'the table got it long ago',
          applied: secured,
          api: 'create view api.tasks as select * from app.tasks',
        },
        {
          when: 'security_invoker is off',
          applied: secured,
          api: 'create view api.tasks with (security_invoker = false) as select * from app.tasks',
        },
        {
          when: 'it is taken back',
          applied: secured,
          api: 'create view api.tasks with (security_invoker) as select * from app.tasks; alter view api.tasks reset (security_invoker)',
        },
        {
          when: 'the table is in a subquery',
          applied: secured,
          api: 'create view api.n as select (select count(*) from app.tasks) as n',
        },
        {
          when: 'another view is between',
          applied: secured,
          api: 'create view api.a with (security_invoker) as select * from app.tasks; create view api.b as select * from api.a',
        },
        {
          when: 'the search_path leads to the table',
          applied: secured,
          api: 'set search_path to api, app; create view api.v as select * from tasks',
        },
      ],
      good: [
        {
          when: 'the view has security_invoker',
          applied: secured,
          api: 'create view api.tasks with (security_invoker = on) as select * from app.tasks',
        },
        {
          when: 'it gets it afterwards',
          applied: secured,
          api: 'create view api.tasks as select * from app.tasks; alter view api.tasks set (security_invoker = true)',
        },
        {
          when: 'the policies hold for the owner too',
          applied: `${secured} alter table app.tasks force row level security`,
          api: 'create view api.tasks as select * from app.tasks',
        },
        {
          when: 'the table was made anew without',
          applied: `${secured} drop table app.tasks; create table app.tasks (id int)`,
          api: 'create view api.tasks as select * from app.tasks',
        },
        {
          when: 'the table has no row security',
          applied: 'create table app.tasks (id int)',
          api: 'create view api.tasks as select * from app.tasks',
        },
        {
          when: 'the name is that of a WITH query',
          applied: 'create table public.tasks (id int); alter table tasks enable row level security',
          api: 'create view api.v as with tasks as (select 1) select * from tasks',
        },
        {
          when: 'the view is gone again',
          applied: secured,
          api: 'create view api.v as select * from app.tasks; drop view api.v',
        },
      ],
    },
    'pgrst/view-without-security-invoker': {
      bad: [{ when: 'nobody knows the table', api: 'create view api.v as select * from app.unknown' }],
      good: [
        {
          when: 'the table is known, without row security',
          applied: 'create table app.t (id int)',
          api: 'create view api.v as select * from app.t',
        },
        {
          when: 'the view has security_invoker',
          api: 'create view api.v with (security_invoker) as select * from app.unknown',
        },
        { when: 'the view reads no table', api: 'create view api.v as select 1' },
        {
          when: 'the view reads a catalog',
          api: 'create view api.v as select * from pg_stat_activity, pg_catalog.pg_class',
        },
      ],
    },
    'pgrst/replace-drops-security-invoker': {
      bad: [
        {
          when: 'the replacement has no WITH',
          api: 'create view api.v with (security_invoker) as select 1; create or replace view api.v as select 2',
        },
        {
          when: 'the replacement has another WITH',
          migration:
            'create view app.v with (security_invoker) as select 1; create or replace view app.v with (security_barrier) as select 2',
        },
      ],
      good: [
        {
          when: 'the replacement repeats it',
          api: 'create view api.v with (security_invoker) as select 1; create or replace view api.v with (security_invoker) as select 2',
        },
        {
          when: 'there was none',
          api: 'create view api.v as select 1; create or replace view api.v as select 2',
        },
        { when: 'it is the first of its name', api: 'create or replace view api.v as select 2' },
      ],
    },
    'pgrst/row-security-on-view': {
      bad: [
        {
          when: 'ALTER VIEW enables it',
          api: 'create view api.v as select 1; alter view api.v enable row level security',
        },
        {
          when: 'ALTER TABLE enables it on a view',
          migration: 'create view app.v as select 1; alter table app.v enable row level security',
        },
        {
          when: 'a policy is on a view',
          migration: 'create view app.v as select 1; create policy p on app.v using (true)',
        },
        {
          when: 'a policy is on a view of the API',
          api: 'create view api.v as select 1; create policy p on api.v using (true)',
        },
      ],
      good: [
        { when: 'it is on a table', migration: `${secured} create policy p on app.tasks using (true)` },
        {
          when: 'the view gets another option',
          api: 'create view api.v as select 1; alter view api.v set (security_barrier)',
        },
      ],
    },
    'pgrst/definer-without-search-path': {
      bad: [
        {
          when: 'an API function has none',
          api: 'create function api.f() returns int language sql security definer as $$ select 1 $$',
        },
        {
          when: 'a function of a migration has none',
          migration: 'create function app.f() returns int language sql security definer as $$ select 1 $$',
        },
        {
          when: 'it becomes one afterwards',
          migration:
            'create function app.f(a int) returns int language sql as $$ select 1 $$; alter function app.f(int) security definer',
        },
      ],
      good: [
        {
          when: 'it sets it',
          api: "create function api.f() returns int language sql security definer set search_path = '' as $$ select 1 $$",
        },
        {
          when: 'it gets it afterwards',
          api: 'create function api.f() returns int language sql security definer as $$ select 1 $$; alter function api.f set search_path to app',
        },
        {
          when: 'its body was bound when it was created',
          api: 'create function api.f() returns int language sql security definer begin atomic select 1; end',
        },
        {
          when: 'it runs with the rights of its caller',
          api: 'create function api.f() returns int language sql as $$ select 1 $$',
        },
      ],
    },
    'pgrst/execute-left-to-public': {
      bad: [
        { when: 'nobody revokes it', api: 'create function api.f() returns int language sql return 1' },
        {
          when: 'it is revoked from another overload',
          api: 'create function api.f() returns int return 1; create function api.f(a int) returns int return 1; revoke all on function api.f() from public',
        },
        {
          when: 'it is revoked before the function is there',
          api: 'revoke execute on all functions in schema api from public; create function api.f() returns int return 1',
        },
        {
          when: 'default privileges of the schema are revoked only',
          api: 'alter default privileges in schema api revoke execute on functions from public; create function api.f() returns int return 1',
        },
        {
          when: 'it is revoked from another role',
          api: 'create function api.f() returns int return 1; revoke execute on function api.f from anon',
        },
      ],
      good: [
        {
          when: 'it is revoked',
          api: 'create function api.f(a int, b text) returns int return 1; revoke all on function api.f(int, text) from public',
        },
        {
          when: 'it is revoked and the function replaced',
          api: 'create function api.f() returns int return 1; revoke all on function api.f() from public; create or replace function api.f() returns int return 2',
        },
        {
          when: 'it is revoked from all functions',
          api: 'create function api.f() returns int return 1; revoke execute on all functions in schema api from public',
        },
        {
          when: 'the default was revoked in a migration',
          applied: revoked,
          api: 'create function api.f() returns int return 1',
        },
        {
          when: 'it is granted to PUBLIC on purpose',
          api: 'create function api.f() returns int return 1; grant execute on function api.f to public',
        },
        {
          when: 'it is a trigger function',
          api: 'create function api.f() returns trigger language plpgsql as $$ begin return new; end $$',
        },
        { when: 'it is not exposed', migration: 'create function app.f() returns int return 1' },
      ],
    },
    'pgrst/default-privileges-in-schema': {
      bad: [
        {
          when: 'functions of one schema',
          migration: 'alter default privileges in schema app revoke execute on functions from public',
        },
      ],
      good: [
        { when: 'functions of all schemas', migration: revoked },
        {
          when: 'a grant in one schema',
          migration: 'alter default privileges in schema app grant select on tables to reader',
        },
      ],
    },
    'pgrst/ambiguous-overload': {
      bad: [
        {
          when: 'the names of the arguments are the same',
          api: `${revoked} create function api.f(id int) returns int return 1; create function api.f(id text) returns int return 1`,
        },
        {
          when: 'only their order differs',
          api: `${revoked} create function api.f(a int, b text) returns int return 1; create function api.f(b text, a int) returns int return 1`,
        },
        {
          when: 'both take a JSON body',
          api: `${revoked} create function api.f(json) returns int return 1; create function api.f(jsonb) returns int return 1`,
        },
        {
          when: 'only what they give back differs',
          api: `${revoked} create function api.f(a int, out b int) return 1; create function api.f(a text, out c int) return 1`,
        },
      ],
      good: [
        {
          when: 'the names differ',
          api: `${revoked} create function api.f(id int) returns int return 1; create function api.f(name text) returns int return 1`,
        },
        {
          when: 'the second replaces the first',
          api: `${revoked} create function api.f(id int) returns int return 1; create or replace function api.f(id integer) returns int return 2`,
        },
        {
          when: 'one takes a text body, one a JSON body',
          api: `${revoked} create function api.f(json) returns int return 1; create function api.f(text) returns int return 1`,
        },
        {
          when: 'the first is dropped',
          api: `${revoked} create function api.f(id int) returns int return 1; drop function api.f(int); create function api.f(id text) returns int return 1`,
        },
        {
          when: 'they are not exposed',
          migration:
            'create function app.f(id int) returns int return 1; create function app.f(id text) returns int return 1',
        },
      ],
    },
    'pgrst/overlapping-overload': {
      bad: [
        {
          when: 'a default makes both fit',
          api: `${revoked} create function api.f(a int) returns int return 1; create function api.f(a int, b int default 1) returns int return 1`,
        },
        {
          when: 'a call without arguments fits both',
          api: `${revoked} create function api.f() returns int return 1; create function api.f(b int default 1) returns int return 1`,
        },
      ],
      good: [
        {
          when: 'one needs an argument more',
          api: `${revoked} create function api.f(a int) returns int return 1; create function api.f(a int, b int) returns int return 1`,
        },
        {
          when: 'each needs one that the other has not',
          api: `${revoked} create function api.f(a int, c int default 1) returns int return 1; create function api.f(b int, c int default 1) returns int return 1`,
        },
      ],
    },
    'pgrst/schema-name-in-string': {
      bad: [
        {
          when: 'dynamic SQL names it',
          api: `${revoked} create function api.f() returns void language plpgsql as $$ begin execute 'select api.g()'; end $$`,
        },
      ],
      good: [
        {
          when: 'the name stands outside of strings',
          api: `${revoked} create function api.f() returns int language sql as $$ select api.g() $$`,
        },
        {
          when: 'the string holds the word only',
          api: `${revoked} create function api.f() returns text language sql as $$ select 'the api is up' $$`,
        },
      ],
    },
    'pgrst/ambiguous-schema-name': {
      bad: [
        {
          when: 'an alias has its name',
          api: `${revoked} create function api.f() returns int language sql as $$ select api.id from api.tasks api $$`,
        },
      ],
      good: [
        {
          when: 'the alias has another name',
          api: `${revoked} create function api.f() returns int language sql as $$ select t.id from api.tasks t $$`,
        },
      ],
    },
    'pgrst/body-names-exposed-schema': {
      bad: [
        {
          when: 'a function of a migration calls the API',
          migration: 'create function app.f() returns int language sql as $$ select api.g() $$',
        },
      ],
      good: [
        {
          when: 'it calls its own schema',
          migration: 'create function app.f() returns int language sql as $$ select app.g() $$',
        },
        {
          when: 'a function of the API calls the API',
          api: `${revoked} create function api.f() returns int language sql as $$ select api.g() $$`,
        },
      ],
    },
    'pgrst/grant-to-public': {
      bad: [
        { when: 'a view is granted', api: 'grant select on api.v to anon, public' },
        {
          when: 'every new table will be',
          migration: 'alter default privileges in schema app grant select on tables to public',
        },
      ],
      good: [
        { when: 'roles are named', api: 'grant select on api.v to anon' },
        { when: 'it is a REVOKE', migration: 'revoke all on schema public from public' },
      ],
    },
    'pgrst/drop-cascade': {
      bad: [
        { when: 'a table', migration: 'drop table app.t cascade' },
        { when: 'a column, in a contraction', contraction: 'alter table app.t drop column x cascade' },
        { when: 'all of a role', migration: 'drop owned by x cascade' },
      ],
      good: [
        { when: 'without CASCADE', migration: 'drop function app.f()' },
        { when: 'the table is as new', migration: 'create table app.t (id int); drop table app.t cascade' },
        { when: 'inside of the API', api: 'drop view api.v cascade' },
      ],
    },
    'pgrst/rewrites-table': {
      bad: [
        { when: 'a table is vacuumed in full', migration: 'vacuum full t' },
        { when: 'it says so in parentheses', migration: 'vacuum (full, analyze) t' },
        { when: 'a table is clustered', migration: 'cluster t using i' },
      ],
      good: [
        { when: 'a table is vacuumed', migration: 'vacuum (analyze) t' },
        { when: 'the table is new', migration: 'create table t (id int); cluster t using i' },
      ],
    },
    'pgrst/contraction-overlap': {
      bad: [
        {
          when: 'the API reads the column',
          contraction: 'alter table app.t drop column note',
          api: 'create view api.v with (security_invoker) as select t.note from app.t t',
        },
        {
          when: 'a body of the API does',
          contraction: 'alter table app.t drop column note',
          api: `${revoked} create function api.f() returns text language sql as $$ select note from app.t $$`,
        },
        {
          when: 'the API reads what the same set creates and removes',
          migration: 'create table app.t (id int)',
          contraction: 'drop table app.t',
          api: 'create view api.v with (security_invoker) as select id from app.t',
        },
        {
          when: 'a pending migration writes the table',
          migration: 'update app.t set note = 1',
          contraction: 'drop table app.t',
        },
      ],
      good: [
        {
          when: 'the API has left it',
          contraction: 'alter table app.t drop column note',
          api: 'create view api.v with (security_invoker) as select t.id from app.t t',
        },
        {
          when: 'the pending migrations create it first',
          migration: 'create table app.t (id int, note text); update app.t set note = 1',
          contraction: 'drop table app.t',
        },
        {
          when: 'an applied migration names it',
          applied: 'update app.t set note = 1',
          contraction: 'drop table app.t',
        },
        {
          when: 'another table has such a column',
          contraction: 'alter table app.t drop column note',
          api: 'create view api.v with (security_invoker) as select u.note from app.u u',
        },
      ],
    },
  };

describe.each(Object.entries(cases))('%s', (rule, { bad, good }) => {
  test.each(bad)('is found when $when', ({ when: _, ...texts }) => {
    expect(found(texts)).toContain(rule);
  });
  test.each(good)('is not found when $when', ({ when: _, ...texts }) => {
    expect(found(texts)).not.toContain(rule);
  });
});

test('a finding names source, statement and line, and says why and what to do', () => {
  const api = 'create view api.a as select 1;\n\n\ncreate view\n  v as select 2;';
  const [finding] = inspectSources(sourcesOf({ api }), 'api').findings;
  expect(finding).toEqual({
    rule: 'pgrst/outside-exposed-schema',
    ...rules['pgrst/outside-exposed-schema'],
    source: 'api',
    statement: 2,
    line: 4,
    message: 'View public.v is created outside of the schema api.',
  });
});

test('a finding in a body has its line', () => {
  const api = `${revoked}\ncreate function api.f() returns void language plpgsql as $$\nbegin\n  execute 'select api.g()';\nend $$;`;
  expect(inspectSources(sourcesOf({ api }), 'api').findings).toMatchObject([{ statement: 2, line: 4 }]);
});

test('an ambiguous name in a body has its line', () => {
  const api = `${revoked}\ncreate function api.f() returns int language sql as $$\n\n  select api.id from api.tasks api\n$$;`;
  const { findings } = inspectSources(sourcesOf({ api }), 'api');
  expect(findings[0]).toMatchObject({ rule: 'pgrst/ambiguous-schema-name', line: 4 });
});

test('functions that run as their caller share one finding', () => {
  const functions = ['a', 'b', 'c', 'd', 'e', 'f'].map(
    (name) => `create function api.${name}() returns int return 1;`,
  );
  const { findings } = inspectSources(sourcesOf({ api: functions.join('\n') }), 'api');
  expect(findings.map(({ message }) => message)).toEqual([
    'PUBLIC may execute api.a, api.b, api.c, api.d, api.e and 1 more.',
  ]);
});

describe('a statement disturbs nobody', () => {
  test.each([
    ['create table t (id int); alter table t add column x int', [true, true]],
    ['create table app.t (id int); alter table t add column x int', [true, false]],
    [
      'set search_path to app; create table t (id int); create index i on app.t (id); drop index i',
      [false, true, true, true],
    ],
    ['alter table t add column x int; create table t (id int)', [false, true]],
    [
      'create table t (id int); alter table t rename to u; alter table u rename column id to x',
      [true, true, true],
    ],
    ['create table a (id int); drop table a, b', [true, false]],
    ['create schema s create table t (id int); create index on s.t (id)', [false, true]],
  ])('only when its tables are new: %s', (migration, onNew) => {
    const [places] = inspectSources(sourcesOf({ migration }), 'api').places;
    expect(places?.map((place) => place.onNew)).toEqual(onNew);
  });
});
