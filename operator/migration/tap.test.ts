import { beforeAll, describe, expect, test } from 'vitest';
import { loadSqlParser } from './parser.ts';
import { testStatements } from './tap.ts';
import { judgeTap } from './tapVerdict.ts';

beforeAll(loadSqlParser);

const texts = (sql: string): readonly string[] => {
  const read = testStatements(sql);
  if (read.kind === 'problem') throw new Error(read.failure.message);
  return read.statements.map(({ text }) => text);
};

describe('tests that were written for psql run inside another transaction', () => {
  test.each([
    [
      'BEGIN and ROLLBACK become a savepoint',
      'begin; select 1; rollback;',
      ['savepoint', 'select 1', 'rollback to savepoint'],
    ],
    [
      'COMMIT keeps what was done',
      'start transaction; select 1; commit',
      ['savepoint', 'select 1', 'release savepoint'],
    ],
    [
      'END is COMMIT, ABORT is ROLLBACK',
      'begin; end; begin; abort',
      ['savepoint', 'release savepoint', 'savepoint', 'rollback to savepoint'],
    ],
    ['a second BEGIN does nothing', 'begin; begin; rollback', ['savepoint', 'rollback to savepoint']],
    ['ROLLBACK and COMMIT without BEGIN do nothing', 'rollback; commit; select 1', ['select 1']],
  ])('%s', (_what, sql, expected) => {
    expect(texts(sql).map((text) => text.replace(' pgrst_test_block', ''))).toEqual(expected);
  });

  test('their own savepoints stay', () => {
    expect(texts('savepoint a; rollback to a; release a')).toEqual([
      'savepoint a',
      'rollback to a',
      'release a',
    ]);
  });

  test('settings of psql are left out, and lines are counted as before', () => {
    const read = testStatements(
      '\\unset ECHO\n\\set QUIET 1\n\\pset format unaligned\n-- x\nselect plan(1);',
    );
    expect(read).toEqual({
      kind: 'statements',
      statements: [{ number: 1, line: 5, text: 'select plan(1)' }],
    });
  });

  test.each(['prepare transaction $$x$$', "commit prepared 'x'", "rollback prepared 'x'"])(
    '%s is refused',
    (sql) => {
      expect(testStatements(`select 1;\n${sql.replaceAll('$$', "'")}`)).toMatchObject({
        kind: 'problem',
        failure: { statement: 2, line: 2 },
      });
    },
  );

  test('what does not parse is a problem with its place', () => {
    expect(testStatements('select 1;\nselec 2')).toMatchObject({
      kind: 'problem',
      failure: { statement: 2, line: 2, sqlstate: '42601' },
    });
  });
});

describe('TAP is judged', () => {
  test.each([
    ['everything passes', ['1..2', 'ok 1 - a', 'ok 2'], { passed: 2, failed: 0, lines: [] }],
    ['the plan may come last', ['ok 1', 'ok 2', '1..2'], { passed: 2, failed: 0, lines: [] }],
    [
      'a failing test keeps its diagnostics',
      ['1..2', 'not ok 1 - a', '# Failed test 1: "a"', '#  have: 1', 'ok 2 - b', '# of nobody'],
      { passed: 1, failed: 1, lines: ['not ok 1 - a', '# Failed test 1: "a"', '#  have: 1'] },
    ],
    [
      'the newest failure comes first',
      ['1..2', 'not ok 1', '# one', 'not ok 2', '# two'],
      { passed: 0, failed: 2, lines: ['not ok 2', '# two', 'not ok 1', '# one'] },
    ],
    ['TODO may fail', ['1..1', 'not ok 1 - a # TODO later'], { passed: 1, failed: 0 }],
    ['SKIP passes', ['1..1', 'ok 1 # SKIP no such version'], { passed: 1, failed: 0 }],
    ['an escaped # is no directive', ['1..1', 'not ok 1 - a \\# TODO b'], { passed: 0, failed: 1 }],
    [
      'a plan of too many',
      ['1..3', 'ok 1'],
      { passed: 1, failed: 1, lines: ['The plan says 3 tests, and 1 ran.'] },
    ],
    ['a plan of too few', ['1..1', 'ok 1', 'ok 2'], { passed: 2, failed: 1 }],
    ['no plan', ['ok 1'], { passed: 1, failed: 1 }],
    [
      'bail out',
      ['1..1', 'ok 1', 'Bail out!  no database'],
      { passed: 1, failed: 1, lines: ['Bail out!  no database'] },
    ],
    ['nothing at all', ['set', ''], { passed: 0, failed: 1 }],
    ['a file that is skipped as a whole', ['1..0 # SKIP not here'], { passed: 0, failed: 0 }],
    ['two files', ['1..1', 'ok 1', '1..2', 'ok 1', 'ok 2'], { passed: 3, failed: 0 }],
    ['two files whose plans come last', ['ok 1', '1..1', 'ok 1', 'ok 2', '1..2'], { passed: 3, failed: 0 }],
    ['the first of two files is short', ['1..2', 'ok 1', '1..1', 'ok 1'], { passed: 2, failed: 1 }],
    [
      'subtests count by their summary',
      [
        '    # Subtest: t.a()',
        '    not ok 1 - inner',
        '    # Failed test 1',
        '    1..1',
        'not ok 1 - t.a',
        '# outer',
        '1..1',
      ],
      {
        passed: 0,
        failed: 1,
        lines: [
          '    # Subtest: t.a()',
          '    not ok 1 - inner',
          '    # Failed test 1',
          'not ok 1 - t.a',
          '# outer',
        ],
      },
    ],
  ])('%s', (_what, output, expected) => {
    expect(judgeTap(output)).toMatchObject(expected);
  });

  test('an error ends the tests and is the newest failure; the plan is not held against it', () => {
    expect(judgeTap(['1..3', 'not ok 1'], 'division by zero')).toEqual({
      passed: 0,
      failed: 2,
      lines: ['division by zero', 'not ok 1'],
    });
  });

  test('at most 50 lines of at most 500 characters are kept', () => {
    const output = Array.from(
      { length: 80 },
      (_, index) => `not ok ${String(index + 1)} - ${'x'.repeat(600)}`,
    );
    const { failed, lines } = judgeTap(output);
    expect([failed, lines.length, Math.max(...lines.map(({ length }) => length))]).toEqual([81, 50, 500]);
  });
});
