import { beforeAll, describe, expect, test } from 'vitest';
import { apiSqlProblem } from './apiSql.ts';
import { releaseHash, releaseId, releaseSchema } from './checksum.ts';
import { migrationProblem } from './classify.ts';
import { loadSqlParser } from './parser.ts';
import { isSplitProblem, splitSql, type SqlStatement } from './statements.ts';

beforeAll(loadSqlParser);

function only(sql: string): SqlStatement {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  const [statement] = statements;
  if (statement === undefined) throw new Error(`no statement: ${sql}`);
  return statement;
}

describe('statements that PostgreSQL runs outside of a transaction only are not for migrations yet', () => {
  test.each([
    'create index concurrently i on t (x)',
    'create unique index concurrently on t (x)',
    'drop index concurrently i',
    'reindex (concurrently) table t',
    'reindex index concurrently i',
    'reindex schema s',
    'reindex database d',
    'vacuum t',
    'vacuum full',
    'cluster',
    'alter table t detach partition p concurrently',
    'create database d',
    'drop database d',
    "create tablespace x location '/x'",
    'drop tablespace x',
    'alter database d set tablespace x',
    'alter system set work_mem = 1',
    "create subscription s connection 'c' publication p",
    'drop subscription s',
  ])('%s', (sql) => {
    expect(migrationProblem(only(sql))).toMatchObject({ reason: 'MigrationNeedsNoTransaction' });
  });
});

describe('transaction control is refused', () => {
  test.each([
    'begin',
    'start transaction',
    'commit',
    'end',
    'rollback',
    'savepoint a',
    'release a',
    'rollback to a',
    "prepare transaction 'x'",
    'copy t from stdin',
  ])('%s', (sql) => {
    expect(migrationProblem(only(sql))).toMatchObject({ reason: 'MigrationFailed' });
  });
});

describe('what runs in a transaction is left to the server', () => {
  test.each([
    'create index on t (x)',
    'drop index i',
    'reindex table t',
    'analyze t',
    'cluster t using i',
    'alter table t detach partition p',
    'alter database d set work_mem = 1',
    "create subscription s connection 'c' publication p with (connect = false)",
    "alter type e add value 'x'",
    'do $$ begin perform 1; end $$',
    'create function f() returns int language sql begin atomic select 1; end',
    "copy t to '/tmp/x'",
  ])('%s', (sql) => {
    expect(migrationProblem(only(sql))).toBeUndefined();
  });
});

describe('API SQL builds the API', () => {
  test.each([
    'create view api.v as select 1',
    'create or replace view api.v with (security_invoker) as select 1',
    "create function api.f() returns int language sql as 'select 1'",
    'create procedure api.p() language sql begin atomic select 1; end',
    'create type api.c as (a int)',
    "create type api.e as enum ('a')",
    'create domain api.d as int check (value > 0)',
    'create aggregate api.a(int) (sfunc = f, stype = int)',
    'create trigger t instead of insert on api.v for each row execute function api.f()',
    'create rule r as on insert to api.v do instead nothing',
    'alter view api.v set (security_invoker)',
    'alter function api.f() security definer',
    "comment on view api.v is 'x'",
    'grant select on api.v to web',
    'alter default privileges in schema api grant select on tables to web',
    'create schema if not exists api',
    'drop view if exists api.v',
    "notify pgrst, 'reload schema'",
    'set search_path = api',
    'select 1',
  ])('%s', (sql) => {
    expect(apiSqlProblem([only(sql)], 'api')).toBeUndefined();
  });
});

describe('API SQL holds no state, touches no data and no roles', () => {
  test.each([
    ['create table api.t (x int)', 'holds state'],
    ['create table t as select 1', 'holds state'],
    ['select 1 into t', 'creates a table'],
    ['create sequence api.s', 'holds state'],
    ['create materialized view api.m as select 1', 'holds state'],
    ['create index on t (x)', 'locks that table'],
    ['create policy p on t using (true)', 'policy belongs to a table'],
    ['create trigger x before insert on t for each row execute function f()', 'INSTEAD OF'],
    ['alter table t add x int', 'ALTER TABLE'],
    ['alter table t enable row level security', 'ALTER TABLE'],
    ['insert into t values (1)', 'INSERT'],
    ['with x as (delete from t returning *) select * from x', 'changes data'],
    ['update t set x = 1', 'UPDATE'],
    ['delete from t', 'DELETE'],
    ['merge into t using s on true when matched then delete', 'MERGE'],
    ['truncate t', 'TRUNCATE'],
    ['create role web', 'Roles'],
    ['alter role web set statement_timeout = 1', 'Roles'],
    ['grant web to authenticator', 'Membership'],
    ['create extension pgcrypto', 'extension'],
    ['do $$ begin end $$', 'DO block'],
    ['drop schema api cascade', 'remove DROP SCHEMA'],
    ['drop table t', 'DROP'],
    ['create schema api', 'IF NOT EXISTS'],
    ['create schema if not exists other', 'IF NOT EXISTS api'],
    ['begin', 'BEGIN'],
    ['vacuum t', 'VacuumStmt'],
  ])('%s', (sql, says) => {
    expect(apiSqlProblem([only('select 1'), only(sql)], 'api')?.message).toContain(says);
  });
});

describe('the id of a release', () => {
  const content = {
    schema: 'api',
    apiSql: 'create view api.v as select 1',
    migrations: [{ name: 'a', sql: 'select 1' }],
  };
  const id = releaseId(releaseHash(content));

  test('is 8 hex digits, and part of the name of its schema', () => {
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(releaseSchema('api', id)).toBe(`api_${id}`);
  });

  test.each([
    { ...content, schema: 'v1' },
    { ...content, apiSql: 'create view api.v as select 2' },
    { ...content, migrations: [] },
    { ...content, migrations: [{ name: 'b', sql: 'select 1' }] },
    { ...content, migrations: [{ name: 'a', sql: 'select 2' }] },
  ])('changes with everything beneath it', (other) => {
    expect(releaseId(releaseHash(other))).not.toBe(id);
  });
});
