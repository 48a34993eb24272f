import { revoked, type RuleCases } from './lintCase.ts';

/** Rules about single statements and contractions. */
export const statementCases = {
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
} satisfies Readonly<Record<string, RuleCases>>;
