import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadSqlParser, scanSql, isProblem } from './parser.ts';
import { isSplitProblem, lineAt, splitSql, type SqlStatement } from './statements.ts';

beforeAll(loadSqlParser);

function split(sql: string): readonly SqlStatement[] {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  return statements;
}

test('a statement keeps its text, and names its line and its offset', () => {
  const sql = '-- first\nselect 1;\n\n  /* two */ create table "é€😀" (x int) ; select 3';
  expect(split(sql).map(({ number, text, line, offset }) => ({ number, text, line, offset }))).toEqual([
    { number: 1, text: 'select 1', line: 2, offset: sql.indexOf('select 1') },
    { number: 2, text: 'create table "é€😀" (x int)', line: 4, offset: sql.indexOf('create') },
    { number: 3, text: 'select 3', line: 4, offset: sql.indexOf('select 3') },
  ]);
});

test('semicolons in strings, dollar quotes, comments and BEGIN ATOMIC bodies end nothing', () => {
  const sql = `select ';'; -- ;
    create function f() returns int language sql begin atomic select 1; select 2; end;
    do $x$ begin perform 1; end $x$; /* ; */ select e'\\';'`;
  expect(split(sql)).toHaveLength(4);
});

test.each(['', '  \n', '-- nothing', ';;', '/* a */ ; -- b\n;'])('%j holds no statement', (sql) => {
  expect(split(sql)).toEqual([]);
});

test.each([
  { sql: 'select 1;\n\nalter tabl x', statement: 2, line: 3, message: 'syntax error at or near "tabl"' },
  {
    sql: "select 'é😀';\nselect 2;\n selec",
    statement: 3,
    line: 3,
    message: 'syntax error at or near "selec"',
  },
  { sql: 'selec', statement: 1, line: 1, message: 'syntax error at or near "selec"' },
])('a syntax error names its statement and line: $sql', ({ sql, ...problem }) => {
  expect(splitSql(sql)).toEqual(problem);
});

test('a text that ends inside a string is a problem, not an empty one', () => {
  const result = splitSql("select 'abc");
  expect(isSplitProblem(result) && result.message).toContain('unterminated quoted string');
});

test('the tokens that tell names, strings and comments apart are the ones of this parser', () => {
  const tokens = scanSql(`a "b" 'c' $$d$$ e'f' u&'g' b'1' x'2' select /* h */ -- i`);
  expect(isProblem(tokens) ? tokens : tokens.map(({ kind }) => kind)).toEqual([
    ...['identifier', 'identifier', 'string', 'string', 'string', 'string', 'string', 'string'],
    ...['keyword', 'comment', 'comment'],
  ]);
});

const statement = fc.constantFrom(
  'select 1',
  'select \';é😀\' as "naïve;"',
  'create function f() returns int language sql begin atomic select 1; end',
  'do $a$ begin perform $b$;$b$; end $a$',
  "insert into t (a) values (e'\\';')",
);
const trivia = fc.constantFrom('', ' ', '\n', '-- é; "x"\n', '/* ; /* 😀 */ */', '\r\n\t');

test('property: statements and what lies between them are the text, and between them lies no SQL', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(trivia, statement, trivia)), trivia, (parts, end) => {
      const sql = parts.map((each) => `${each.join('')};`).join('') + end;
      const statements = split(sql);
      expect(statements.map(({ text }) => text)).toEqual(parts.map(([, text]) => text));
      let at = 0;
      for (const { offset, text, line } of statements) {
        expect(sql.slice(offset, offset + text.length)).toBe(text);
        expect(line).toBe(sql.slice(0, offset).split('\n').length);
        expect(isSql(sql.slice(at, offset))).toBe(false);
        at = offset + text.length;
      }
      expect(isSql(sql.slice(at))).toBe(false);
    }),
  );
});

function isSql(gap: string): boolean {
  const tokens = scanSql(gap);
  return isProblem(tokens) || tokens.some(({ kind, text }) => kind !== 'comment' && text !== ';');
}

test('lines are counted from 1, by line feeds', () => {
  expect([0, 1, 2, 3].map((offset) => lineAt('a\nb\n', offset))).toEqual([1, 1, 2, 2]);
});
