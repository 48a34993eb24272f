import { revoked, type RuleCases } from './lintCase.ts';

/** Rules about functions: rights, overloads, names in bodies. */
export const functionCases = {
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
} satisfies Readonly<Record<string, RuleCases>>;
