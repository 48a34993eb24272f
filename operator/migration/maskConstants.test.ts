import { beforeAll, expect, test } from 'vitest';
import { maskConstants } from './maskConstants.ts';
import { loadSqlParser } from './parser.ts';

beforeAll(loadSqlParser);

test.each([
  ["insert into t (a) values (42, 'it''s', 1.5e3, .5)", 'insert into t (a) values (?, ?, ?, ?)'],
  ['do $tag$ secret $tag$', 'do ?'],
  ["select e'a\\'b', u&'c', b'1', x'f'", 'select ?, ?, ?, ?'],
  ['select 1 -- secret\n  from /* secret */ t1', 'select ? from t1'],
  ['select "Odd 1", $1', 'select "Odd 1", $1'],
  ["comment on table ä is 'ß'", 'comment on table ä is ?'],
  ["select 'unterminated", ''],
])('%s', (statement, masked) => {
  expect(maskConstants(statement)).toBe(masked);
});

test('a long statement is cut at 200 characters', () => {
  const masked = maskConstants(`select ${'column_name, '.repeat(100)}x`);
  expect([...masked]).toHaveLength(200);
  expect(masked.endsWith('…')).toBe(true);
});
