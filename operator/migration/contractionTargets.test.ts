import { beforeAll, describe, expect, test } from 'vitest';
import { contractionTargets, type ContractionTarget } from './contractionTargets.ts';
import { loadSqlParser } from './parser.ts';

beforeAll(loadSqlParser);

function read(sql: string) {
  const reading = contractionTargets(sql);
  if ('message' in reading) throw new Error(reading.message);
  return reading;
}

/** `dropped relation public.tasks.due`, for a table of sentences. */
function say({ change, kind, schema, name, column, arguments: types }: ContractionTarget): string {
  const full = [schema, name, column].filter((part) => part !== undefined).join('.');
  return `${change} ${kind} ${full}${types === undefined ? '' : `(${types.join(',')})`}`;
}

describe('what a contraction takes away', () => {
  test.each<[sql: string, ...targets: string[]]>([
    [
      'alter table public.tasks drop column due, drop if exists done cascade',
      'dropped relation public.tasks.due',
      'dropped relation public.tasks.done',
    ],
    ['alter table tasks alter due type timestamptz', 'changed relation tasks.due'],
    ['alter table tasks alter due set not null', 'tightened relation tasks.due'],
    ['alter table tasks alter due drop default', 'tightened relation tasks.due'],
    ['alter table tasks alter due set default now()'],
    ['alter table tasks alter due drop not null'],
    ['alter table tasks add column b int'],
    ['alter table tasks add check (id > 0)', 'tightened relation tasks'],
    ['alter table tasks drop constraint tasks_pkey', 'changed relation tasks'],
    ['alter table tasks enable row level security', 'changed relation tasks'],
    ['alter table tasks set (fillfactor = 70)'],
    ['alter table tasks rename column due to deadline', 'renamed relation tasks.due'],
    ['alter table public.tasks rename to todos', 'renamed relation public.tasks'],
    ['alter view v rename to w', 'renamed relation v'],
    ['alter table public.tasks set schema old', 'renamed relation public.tasks'],
    ['alter table tasks rename constraint a to b'],
    ['drop table if exists a.b, c cascade', 'dropped relation a.b', 'dropped relation c'],
    ['drop table db.a.b', 'dropped relation a.b'],
    ['drop view "Odd ""name"""', 'dropped relation Odd "name"'],
    ['drop materialized view m', 'dropped relation m'],
    ['drop sequence s', 'dropped relation s'],
    ['drop index i', 'dropped relation i'],
    [
      'drop function public.f(int, a.t[]), g',
      'dropped routine public.f("pg_catalog"."int4","a"."t"[])',
      'dropped routine g',
    ],
    ['drop procedure p()', 'dropped routine p()'],
    ['drop aggregate agg(int)', 'dropped routine agg("pg_catalog"."int4")'],
    ['alter function f(text) rename to g', 'renamed routine f("text")'],
    ['drop type public.state', 'dropped type public.state'],
    ['drop domain positive', 'dropped type positive'],
    ['alter domain positive set not null', 'tightened type positive'],
    ['alter domain positive drop not null'],
    ["alter type state rename value 'a' to 'b'", 'changed type state'],
    ['alter type pair drop attribute a', 'dropped relation pair.a'],
    ['drop schema old, older', 'dropped schema old', 'dropped schema older'],
    ['alter schema old rename to older', 'renamed schema old'],
    ['drop extension pgcrypto', 'dropped extension pgcrypto'],
    ['drop trigger t on public.tasks', 'changed relation public.tasks'],
    ['drop policy p on tasks', 'changed relation tasks'],
    ['drop rule r on tasks', 'changed relation tasks'],
    ['create unique index on tasks (id)', 'tightened relation tasks'],
    ['create index on tasks (id)'],
    ['revoke select on public.tasks from anon', 'revoked relation public.tasks'],
    ['revoke select (id, due) on tasks from anon', 'revoked relation tasks.id', 'revoked relation tasks.due'],
    ['revoke execute on function f(int) from public', 'revoked routine f("pg_catalog"."int4")'],
    ['revoke usage on schema app from anon', 'revoked schema app'],
    ['revoke all on all tables in schema app from anon', 'revoked schema app'],
    ['grant select on tasks to anon'],
    ['update tasks set due = lower(due)'],
    ['delete from tasks'],
    ['comment on table tasks is null'],
  ])('%s', (sql, ...targets) => {
    const reading = read(sql);
    expect(reading.targets.map(say)).toEqual(targets);
    expect(reading.opaque).toEqual([]);
  });

  test.each([
    ['do $$ begin drop table tasks; end $$', 'DO'],
    ['call tidy()', 'CALL'],
    ['select tidy()', 'SELECT of a function'],
    ['drop owned by app', 'DROP OWNED'],
    ['revoke app from anon', 'GRANT or REVOKE of a role'],
    ['drop operator + (a, b)', 'DROP OPERATOR'],
    ['set search_path = old', 'SET search_path'],
  ])('%s does what its text does not tell', (sql, command) => {
    expect(read(`-- first\n${sql}`)).toEqual({ targets: [], opaque: [{ statement: 1, line: 2, command }] });
  });

  test('a text that does not parse is a problem with its place', () => {
    expect(contractionTargets('drop table a;\ndrop tabel b')).toMatchObject({ statement: 2, line: 2 });
  });
});
