import { beforeAll, expect, test } from 'vitest';
import { ledgerUse } from './ledgerUse.ts';
import { loadSqlParser } from './parser.ts';
import { isSplitProblem, splitSql } from './statements.ts';

beforeAll(loadSqlParser);

function use(sql: string): string | undefined {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  return statements.map(ledgerUse).find((message) => message !== undefined);
}

test.each([
  'drop schema pgrst_ledger cascade',
  'drop schema other, pgrst_ledger',
  'alter schema pgrst_ledger rename to other',
  'alter schema pgrst_ledger owner to somebody',
  'create schema pgrst_ledger',
  'grant usage on schema pgrst_ledger to anon',
  'comment on schema pgrst_ledger is null',
  'drop table pgrst_ledger.migrations',
  'truncate public.tasks, pgrst_ledger.claims cascade',
  'alter table pgrst_ledger.migrations rename to other',
  'alter table public.tasks set schema pgrst_ledger',
  'create table pgrst_ledger.mine (a int)',
  'insert into pgrst_ledger.migrations default values',
  'delete from pgrst_ledger.migrations',
  'update "pgrst_ledger".migrations set checksum = null',
  'with gone as (delete from pgrst_ledger.claims returning *) select * from gone',
  'select * from pgrst_ledger.migrations',
  'create view v as select name from pgrst_ledger.migrations',
  'create trigger t before insert on pgrst_ledger.migrations for each row execute function f()',
  'create function f() returns int begin atomic delete from pgrst_ledger.meta; select 1; end',
  'drop function pgrst_ledger.secret(text)',
  'alter function pgrst_ledger.secret(text) owner to somebody',
  'create index concurrently i on pgrst_ledger.migrations (name)',
  'set search_path = pgrst_ledger',
  'lock table pgrst_ledger.migrations',
])('%s uses the ledger', (sql) => {
  expect(use(sql)).toBe(
    'The statement uses the schema pgrst_ledger, in which the operator keeps what it has done: only the operator changes it, and SQL may call nothing there but pgrst_ledger.secret(). Remove the statement.',
  );
});

test.each([
  'drop schema ledger cascade',
  'create table public.pgrst_ledger (a int)',
  "insert into public.notes values ('the schema pgrst_ledger is not ours')",
  "comment on table public.tasks is 'pgrst_ledger'",
  "select pgrst_ledger.secret('jwt')",
  "create function f() returns text language sql security definer begin atomic select pgrst_ledger.secret('jwt'); end",
  'select pgrst_ledger from public.t',
])('%s does not', (sql) => {
  expect(use(sql)).toBeUndefined();
});
