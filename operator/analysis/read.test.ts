import { beforeAll, describe, expect, test } from 'vitest';
import { sqlChecksum } from '../migration/checksum.ts';
import { loadSqlParser } from '../migration/parser.ts';
import { maxApiSqlBytes, maxMigrationSqlBytes } from '../migration/textProblem.ts';
import { readApi } from './readApi.ts';
import { readMigrations, type ReadMigration } from './readMigrations.ts';

beforeAll(loadSqlParser);

function read(sql: string, idempotent = false): ReadMigration | undefined {
  return readMigrations([{ name: 'a', sql, idempotent }])[0];
}

describe('what is no SQL is refused with a sentence', () => {
  test.each([
    { what: 'NUL', sql: 'select 1;\nselect \0', line: 2, message: 'The SQL holds a NUL character' },
    { what: 'UTF-16', sql: 's\0e\0l\0', line: 1, message: 'a file in UTF-16, perhaps' },
    { what: 'no UTF-8', sql: "\nselect 'M\uFFFDller'", line: 2, message: 'The SQL is not UTF-8' },
    { what: 'a lone surrogate', sql: "select '\uD83D'", line: 1, message: 'The SQL is not UTF-8' },
    { what: 'a command of psql', sql: 'select 1;\n\\i x', line: 2, message: 'psql command \\i:' },
    { what: 'an open string', sql: "select 'a", line: 1, message: 'unterminated quoted string' },
    { what: 'an open dollar quote', sql: 'do $x$ begin', line: 1, message: 'unterminated dollar-quoted' },
    { what: 'an open comment', sql: 'select 1;\n/* a', line: 2, message: 'unterminated /* comment' },
    { what: 'an open name', sql: 'select "a', line: 1, message: 'unterminated quoted identifier' },
    { what: 'COMMIT', sql: 'select 1;\ncommit', line: 2, message: 'BEGIN, COMMIT' },
    { what: 'COPY with rows', sql: 'copy t from stdin;\n1\n\\.', line: 1, message: 'COPY ... FROM STDIN' },
  ])('$what', ({ sql, line, message }) => {
    const failure = { line, message: expect.stringContaining(message) as string };
    expect(read(sql)).toMatchObject({ kind: 'problem', reason: 'MigrationFailed', failure });
    expect(readApi(sql, 'api')).toMatchObject({ kind: 'problem', failure });
  });
});

describe('what an editor on Windows does to a file is no matter', () => {
  test.each(['select 1;\r\nselect 2;\r\n', '\uFEFFselect 1;\nselect 2;\n', '\uFEFFselect 1;\r\nselect 2;'])(
    '%j',
    (sql) => {
      const statements = [
        { number: 1, line: 1, text: 'select 1' },
        { number: 2, line: 2, text: 'select 2' },
      ];
      expect(read(sql)).toEqual({ kind: 'statements', statements });
      expect(readApi(sql, 'api')).toEqual({ kind: 'statements', statements });
    },
  );

  test('the checksum neither', () => {
    expect(sqlChecksum('\uFEFFselect 1;\r\n')).toBe(sqlChecksum('select 1;\n'));
    expect(sqlChecksum('select 1;\r\r\n')).not.toBe(sqlChecksum('select 1;\n'));
    // What ledgers hold: SHA-256 of the text.
    expect(sqlChecksum('select 1')).toBe('822ae07d4783158bc1912bb623e5107cc9002d519e1143a9c200ed6ee18b6d0f');
  });
});

describe('the limits count bytes', () => {
  const ofBytes = (bytes: number): string => `--${'é'.repeat((bytes - 2) / 2)}`;

  test('of a migration', () => {
    expect(read(ofBytes(maxMigrationSqlBytes))).toEqual({ kind: 'statements', statements: [] });
    expect(read(ofBytes(maxMigrationSqlBytes + 2))).toMatchObject({
      failure: { message: expect.stringContaining('at most 1048576 (1 MiB)') as string },
    });
  });

  test('of API SQL', () => {
    expect(readApi(ofBytes(maxApiSqlBytes), 'api')).toEqual({ kind: 'statements', statements: [] });
    expect(readApi(ofBytes(maxApiSqlBytes + 2), 'api')).toMatchObject({
      reason: 'ApiBuildFailed',
      failure: { message: expect.stringContaining('at most 4194304 (4 MiB)') as string },
    });
  });
});

test('each migration has its own result, in order', () => {
  const sqls = ['select 1', 'selec', 'vacuum t'];
  const results = readMigrations(sqls.map((sql) => ({ name: sql, sql, idempotent: false })));
  expect(results).toMatchObject([
    { kind: 'statements', statements: [{ text: 'select 1' }] },
    { kind: 'problem', reason: 'MigrationFailed', failure: { statement: 1, sqlstate: '42601' } },
    { kind: 'statements', statements: [{ solo: { kind: 'repeatable' } }] },
  ]);
});

test('what only its author may repeat asks him', () => {
  expect(read('select 1;\ncreate database d')).toMatchObject({
    reason: 'MigrationNeedsIdempotent',
    failure: { statement: 2, line: 2 },
  });
  expect(read('create database d', true)).toMatchObject({ kind: 'statements' });
});

test('API SQL in several batches is one text: numbers and lines go on', () => {
  const view = 'create view api.v as select 1;\n';
  const count = 5000;
  const result = readApi(`${view.repeat(count)}create table api.t ()`, 'api');
  expect(result).toMatchObject({
    reason: 'ApiSqlRefused',
    failure: { statement: count + 1, line: count + 1 },
  });
});
