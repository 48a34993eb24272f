import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { isProblem, loadSqlParser, scanSql } from './parser.ts';
import { mapSchemaNames, searchPathNames } from './schemaNames.ts';

beforeAll(loadSqlParser);

const mapping = { from: 'api', to: 'api_1234abcd' };
const mapped = (sql: string): string => mapSchemaNames(sql, mapping).text;
const kinds = (sql: string): readonly string[] =>
  mapSchemaNames(sql, mapping).findings.map(({ kind }) => kind);

describe('a name is mapped where it can only be the schema', () => {
  test.each([
    ['select * from api.tasks', 'select * from api_1234abcd.tasks'],
    ['select * from "api".tasks', 'select * from "api_1234abcd".tasks'],
    ['select API.tasks.id from Api . tasks', 'select api_1234abcd.tasks.id from api_1234abcd . tasks'],
    ['select api.f(x.api, y.api.z) from t', 'select api_1234abcd.f(x.api, y.api.z) from t'],
    ['set search_path = api, public', 'set search_path = api_1234abcd, public'],
    ['set local search_path to public, "api"', 'set local search_path to public, "api_1234abcd"'],
    ['grant usage on schema api to web', 'grant usage on schema api_1234abcd to web'],
    [
      'declare r api.tasks%rowtype; begin r.x := 1; end',
      'declare r api_1234abcd.tasks%rowtype; begin r.x := 1; end',
    ],
    ['select "é", api.x', 'select "é", api_1234abcd.x'],
    [
      'select t.id, t.api, api.api(2) from api.api t',
      'select t.id, t.api, api_1234abcd.api(2) from api_1234abcd.api t',
    ],
  ])('%s', (sql, expected) => {
    expect(mapped(sql)).toBe(expected);
    expect(kinds(sql)).toEqual([]);
  });
});

describe('what is not the schema is left alone', () => {
  test.each([
    'select * from "API".tasks',
    'select my_api.x, api2.y, "api.z".a',
    'select t.api from t',
    'select api from t',
    '-- api.tasks\nselect 1 /* api.tasks */',
    'set other = api',
  ])('%s', (sql) => {
    expect(mapped(sql)).toBe(sql);
  });
});

describe('what cannot be mapped with certainty is reported, with its line', () => {
  test.each([
    ["execute 'select * from api.tasks'", 'string'],
    ["execute format('select * from api.%I', x)", 'string'],
    ["perform set_config('search_path', 'api', true)", 'string'],
    ["perform set_config('search_path', 'api, public', true)", 'string'],
    ['execute $q$ select * from "api".tasks $q$', 'string'],
    ['select api.id from tasks as api', 'ambiguous'],
    ['declare api record; begin select api.x; end', 'ambiguous'],
    ['select api.id from public.api', 'ambiguous'],
    ['select api.id from api.api(1)', 'ambiguous'],
    ['insert into api.api (id) values (1) returning api.id', 'ambiguous'],
    ['select api.id from public.tasks t, api.api', 'ambiguous'],
    ["select 'unterminated api.x", 'unscannable'],
  ])('%s', (sql, kind) => {
    expect(kinds(sql)).toContain(kind);
  });

  test('a relation of that name with another alias is no finding', () => {
    expect(kinds('select t.id, t.api, api.api(2) from api.api t join api.api as u using (id)')).toEqual([]);
  });

  test('a string that only speaks of it is no finding', () => {
    expect(kinds("raise exception 'the api is down, see api_v2.html or my.api.x'")).toEqual([]);
  });

  test('the line is that of the token', () => {
    expect(mapSchemaNames("select 1;\n\nexecute 'x';\nexecute 'api.x'", mapping).findings).toEqual([
      { line: 4, kind: 'string' },
    ]);
  });
});

const piece = fc.oneof(
  fc.constantFrom(
    'api',
    '"api"',
    'API',
    '.',
    ' ',
    ',',
    'x',
    '"x"',
    'select',
    'set search_path =',
    'schema',
    '(',
    ')',
    '1',
  ),
  fc.constantFrom(
    "'api.x'",
    '$$api.x$$',
    '$t$api.x$t$',
    "e'\\'api.x'",
    '-- api.x\n',
    '/* api.x */',
    '"api.x"',
    'é',
    "'😀'",
  ),
);
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));

test('property: mapping twice changes nothing more', () => {
  fc.assert(
    fc.property(text, (sql) => {
      expect(mapped(mapped(sql))).toBe(mapped(sql));
    }),
  );
});

test('property: only names change, and only from the one to the other', () => {
  fc.assert(
    fc.property(text, (sql) => {
      const before = scanSql(sql);
      const after = scanSql(mapped(sql));
      if (isProblem(before) || isProblem(after)) {
        expect(mapped(sql)).toBe(sql);
        return;
      }
      expect(after).toHaveLength(before.length);
      before.forEach((token, index) => {
        const { text: now, kind } = after[index] ?? { text: '', kind: 'other' };
        expect(kind).toBe(token.kind);
        if (now === token.text) return;
        expect(token.kind).toBe('identifier');
        expect([token.text.replaceAll('"', '').toLowerCase(), now.replaceAll('"', '')]).toEqual([
          'api',
          'api_1234abcd',
        ]);
      });
    }),
  );
});

test('a search_path is taken apart as the server does', () => {
  expect(searchPathNames('api, "$user", "My Schema", public')).toEqual([
    'api',
    '$user',
    'My Schema',
    'public',
  ]);
  expect(searchPathNames('"api, public"')).toEqual(['api, public']);
  expect(searchPathNames('')).toEqual([]);
});
