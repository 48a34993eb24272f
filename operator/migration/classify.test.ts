import { beforeAll, describe, expect, test } from 'vitest';
import { apiSqlProblem } from './apiSql.ts';
import { releaseHash, releaseId, releaseSchema } from './checksum.ts';
import { isStatementProblem, runnableStatements, type StatementProblem } from './classify.ts';
import { loadSqlParser } from './parser.ts';
import type { RunnableStatement } from './runnable.ts';
import { isSplitProblem, splitSql, type SqlStatement } from './statements.ts';

beforeAll(loadSqlParser);

function only(sql: string): SqlStatement {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  const [statement] = statements;
  if (statement === undefined) throw new Error(`no statement: ${sql}`);
  return statement;
}

function read(sql: string, idempotent = false): readonly RunnableStatement[] | StatementProblem {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  return runnableStatements(statements, { idempotent });
}

function soloOf(sql: string, idempotent = false): unknown {
  const result = read(sql, idempotent);
  return isStatementProblem(result) ? result : result[0]?.solo;
}

describe('a statement that PostgreSQL refuses in a transaction runs alone, and says how it is resumed', () => {
  const table = { name: 't' };
  test.each([
    ['create index concurrently i on t (x)', { kind: 'createIndex', index: 'i', table }],
    [
      'create unique index concurrently if not exists "I é" on "App".t (x)',
      { kind: 'createIndex', index: 'I é', table: { schema: 'App', name: 't' } },
    ],
    ['drop index concurrently i', { kind: 'dropIndex', indexes: [{ name: 'i' }] }],
    ['drop index concurrently a.i', { kind: 'dropIndex', indexes: [{ schema: 'a', name: 'i' }] }],
    ["alter type e add value 'x'", { kind: 'addEnumValue', type: { name: 'e' }, value: 'x' }],
    [
      "alter type app.e add value if not exists 'x''y' before 'z'",
      { kind: 'addEnumValue', type: { schema: 'app', name: 'e' }, value: "x'y" },
    ],
    [
      'alter table t detach partition a.p concurrently',
      { kind: 'detachPartition', table, partition: { schema: 'a', name: 'p' } },
    ],
    [
      'reindex (concurrently) table t',
      { kind: 'reindex', command: 'REINDEX CONCURRENTLY', isConcurrent: true },
    ],
    [
      'reindex index concurrently i',
      { kind: 'reindex', command: 'REINDEX CONCURRENTLY', isConcurrent: true },
    ],
    ['reindex schema s', { kind: 'reindex', command: 'REINDEX SCHEMA', isConcurrent: false }],
    [
      'reindex database concurrently d',
      { kind: 'reindex', command: 'REINDEX DATABASE CONCURRENTLY', isConcurrent: true },
    ],
    ['vacuum t', { kind: 'repeatable', command: 'VACUUM' }],
    ['vacuum full', { kind: 'repeatable', command: 'VACUUM' }],
    ['cluster', { kind: 'repeatable', command: 'CLUSTER' }],
    ['alter system set work_mem = 1', { kind: 'repeatable', command: 'ALTER SYSTEM' }],
  ])('%s', (sql, solo) => {
    expect(soloOf(sql)).toEqual(solo);
  });
});

describe('what nothing can tell afterwards runs only where its author says that it may run twice', () => {
  test.each([
    ['create database d', 'CREATE DATABASE'],
    ['drop database d', 'DROP DATABASE'],
    ["create tablespace x location '/x'", 'CREATE TABLESPACE'],
    ['drop tablespace x', 'DROP TABLESPACE'],
    ['alter database d set tablespace x', 'ALTER DATABASE SET TABLESPACE'],
    ["create subscription s connection 'c' publication p", 'CREATE SUBSCRIPTION'],
    ["create subscription s connection 'c' publication p with (connect)", 'CREATE SUBSCRIPTION'],
    ['alter subscription s refresh publication', 'ALTER SUBSCRIPTION with a refresh'],
    ['alter subscription s add publication p', 'ALTER SUBSCRIPTION with a refresh'],
    ['drop subscription s', 'DROP SUBSCRIPTION'],
  ])('%s', (sql, command) => {
    expect(soloOf(sql)).toMatchObject({ reason: 'MigrationNeedsIdempotent', statement: 1, line: 1 });
    expect(soloOf(sql)).toMatchObject({ message: expect.stringContaining(command) as string });
    expect(soloOf(sql, true)).toEqual({ kind: 'idempotent', command });
  });

  test.each([
    ['do $$ begin commit; end $$', 'DO'],
    ['call p()', 'CALL'],
  ])('%s may COMMIT then, and is part of the transaction otherwise', (sql, command) => {
    expect(soloOf(sql)).toBeUndefined();
    expect(soloOf(sql, true)).toEqual({ kind: 'idempotent', command });
  });
});

describe('a statement that cannot be part of a migration is refused with its place', () => {
  test.each([
    ['begin', 'one transaction'],
    ['start transaction', 'one transaction'],
    ['commit', 'one transaction'],
    ['end', 'one transaction'],
    ['rollback', 'one transaction'],
    ['savepoint a', 'one transaction'],
    ['release a', 'one transaction'],
    ['rollback to a', 'one transaction'],
    ["prepare transaction 'x'", 'one transaction'],
    ['copy t from stdin', 'INSERT'],
    ['create index concurrently on t (x)', 'needs a name'],
  ])('%s', (sql, says) => {
    const problem = read(`select 1;\n\n${sql}`);
    expect(problem).toMatchObject({ reason: 'MigrationFailed', statement: 2, line: 3 });
    expect(isStatementProblem(problem) && problem.message).toContain(says);
  });
});

describe('what runs in a transaction is left to the server', () => {
  test.each([
    'create index on t (x)',
    'drop index i',
    'reindex table t',
    'reindex (concurrently false) table t',
    'analyze t',
    'cluster t using i',
    'alter table t detach partition p',
    'alter table t detach partition p finalize',
    'alter database d set work_mem = 1',
    "create subscription s connection 'c' publication p with (connect = false)",
    "create subscription s connection 'c' publication p with (create_slot = off)",
    'alter subscription s set publication p with (refresh = false)',
    'alter subscription s disable',
    "alter type e rename value 'a' to 'b'",
    'create function f() returns int language sql begin atomic select 1; end',
    "copy t to '/tmp/x'",
  ])('%s', (sql) => {
    expect(soloOf(sql)).toBeUndefined();
    expect(soloOf(sql, true)).toBeUndefined();
  });
});

describe('what the rest of a migration needs again after an interruption is marked', () => {
  test.each([
    ['set search_path = app', true],
    ['set session authorization x', true],
    ['reset role', true],
    ['reset all', true],
    ["select pg_catalog.set_config('search_path', '', false)", true],
    ['set local search_path = app', undefined],
    ['set transaction isolation level serializable', undefined],
    ["select set_config('a.b', x, false) from t", undefined],
    ["select set_config('a.b', f(), false)", undefined],
    ["select set_config('a.b', 'x', false), f()", undefined],
    ['select 1', undefined],
  ])('%s: %s', (sql, isSetting) => {
    const result = read(sql);
    expect(isStatementProblem(result) ? result : result[0]?.isSetting).toBe(isSetting);
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
    exposedSchema: 'api',
    apiSql: 'create view api.v as select 1',
    migrations: [{ name: 'a', sql: 'select 1' }],
  };
  const id = releaseId(releaseHash(content));

  test('is 8 hex digits, and part of the name of its schema', () => {
    expect(id).toMatch(/^[0-9a-f]{8}$/);
    expect(releaseSchema('api', id)).toBe(`api_${id}`);
  });

  test.each([
    { ...content, exposedSchema: 'v1' },
    { ...content, apiSql: 'create view api.v as select 2' },
    { ...content, migrations: [] },
    { ...content, migrations: [{ name: 'b', sql: 'select 1' }] },
    { ...content, migrations: [{ name: 'a', sql: 'select 2' }] },
  ])('changes with everything beneath it', (other) => {
    expect(releaseId(releaseHash(other))).not.toBe(id);
  });
});
