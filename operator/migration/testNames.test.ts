import { beforeAll, expect, test } from 'vitest';
import { loadSqlParser } from './parser.ts';
import { mapTestNames } from './testNames.ts';

beforeAll(loadSqlParser);

test.each([
  ['names', 'select * from api.tasks', 'select * from api_1.tasks'],
  [
    'a string that is the name',
    "select has_view('api', 'tasks', 'api')",
    "select has_view('api_1', 'tasks', 'api_1')",
  ],
  [
    'a string that begins with it',
    `select is('api.f(int)'::regprocedure::text, '"api".x')`,
    `select is('api_1.f(int)'::regprocedure::text, '"api_1".x')`,
  ],
  [
    'SQL in a string',
    "select lives_ok('insert into api.tasks values (''api'', ''an api'')')",
    "select lives_ok('insert into api_1.tasks values (''api_1'', ''an api'')')",
  ],
  [
    'SQL in dollar quotes',
    'select lives_ok($$ select * from "api".tasks $$)',
    'select lives_ok($$ select * from "api_1".tasks $$)',
  ],
  [
    'code in dollar quotes',
    "do $x$ begin perform api.f($y$ api.g() $y$, 'api'); end $x$",
    "do $x$ begin perform api_1.f($y$ api_1.g() $y$, 'api_1'); end $x$",
  ],
  [
    'the text of an error',
    `select throws_ok('select 1', '42501', 'permission denied for schema api'), 'relation "api.tasks" does not exist'`,
    `select throws_ok('select 1', '42501', 'permission denied for schema api_1'), 'relation "api_1.tasks" does not exist'`,
  ],
  [
    'settings',
    "set search_path = api, tap; select 'é', 'api'",
    "set search_path = api_1, tap; select 'é', 'api_1'",
  ],
])('%s', (_what, sql, expected) => {
  expect(mapTestNames(sql, { from: 'api', to: 'api_1' }, 'mapped')).toBe(expected);
});

test.each([
  "select is(title, 'read the api docs')",
  "select is(url, 'https://api.example.org/schema')",
  "select is(name, 'api2'), 'apis.x', 'my api.'",
  "select 'schema apis', E'\\napi.x'",
  '-- api.tasks',
])('left alone: %s', (sql) => {
  expect(mapTestNames(sql, { from: 'api', to: 'api_1' }, 'mapped')).toBe(sql);
});

test('strings that are the name may be kept, and nothing else is', () => {
  const sql = "select is(api.search('api'), 'x'), 'api.f', $$ select 'api' from api.t $$, 'schema api'";
  const expected =
    "select is(api_1.search('api'), 'x'), 'api_1.f', $$ select 'api' from api_1.t $$, 'schema api_1'";
  expect(mapTestNames(sql, { from: 'api', to: 'api_1' }, 'kept')).toBe(expected);
});
