import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { loadSqlParser, parseSql, scanSql, isProblem } from './parser.ts';
import { isSplitProblem, lineAt, splitInBatches, splitSql, type SqlStatement } from './statements.ts';

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
  { sql: 'select 1;\nselect (1', statement: 2, line: 2, message: 'syntax error at end of input' },
  { sql: 'selec', statement: 1, line: 1, message: 'syntax error at or near "selec"' },
])('a syntax error names its statement and line: $sql', ({ sql, ...problem }) => {
  expect(splitSql(sql)).toEqual(problem);
});

test('a text that ends inside a string is a problem, not an empty one', () => {
  const result = splitSql("select 'abc");
  expect(isSplitProblem(result) && result.message).toContain('unterminated quoted string');
});

test.each([
  ['select 1;\n\\i other.sql\nselect 2', 2, 2, 'psql command \\i:'],
  ['\\set ON_ERROR_STOP on\nselect 1;', 1, 1, 'psql command \\set:'],
  ['select 1\n\\gexec', 1, 2, 'psql command \\gexec:'],
  ['select 1;\n\\.\n', 2, 2, 'psql command \\:'],
])('a command of psql is named: %j', (sql, statement, line, message) => {
  expect(splitSql(sql)).toEqual({ statement, line, message: expect.stringContaining(message) as string });
});

test('statements before a syntax error come first', () => {
  const [before, problem] = [...splitInBatches('copy t from stdin;\nselect 1;\n1\tone\n\\.\n')];
  expect(before).toMatchObject([{ number: 1, text: 'copy t from stdin' }, { number: 2 }]);
  expect(problem).toEqual({ statement: 3, line: 3, message: 'syntax error at or near "1"' });
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
  'create or replace procedure p() language sql begin atomic select case when true then 1 end; ; select 2 end; end',
  'create function g() returns int language sql begin atomic create function h() returns int begin atomic select 1; end; end',
  'create function "begin"(atomic int) returns int language sql return atomic',
  'create view v as select begin atomic from t',
  'select 1 as end, t.end from t',
  'create rule r as on insert to v do instead (insert into t values (1); notify x)',
  'do $a$ begin perform $b$;$b$; end $a$',
  'select $$;$$, $é1$;$$;$é1$, a$b$c from t',
  "insert into t (a) values (e'\\';')",
  "select E'a\\\\' \n  'b\\';' , U&'\\0061;', n'\\'",
  "select '\\', ';' 'é;'".replace("' 'é", "'\n 'é"),
  'select /* ; /* ; */ */ 1 --;\n + 2',
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

/** The same from the whole text at once: slices of the real parser, without what the real scanner says is a comment. */
function splitWhole(sql: string): readonly { text: string; type: string | undefined }[] {
  const parsed = parseSql(sql);
  const tokens = scanSql(sql);
  if (isProblem(parsed) || isProblem(tokens)) throw new Error('the text does not parse');
  const bytes = Buffer.from(sql);
  return parsed.map(({ node, start, end }) => {
    const words = tokens.filter(
      (token) => token.kind !== 'comment' && token.text !== ';' && token.start >= start && token.end <= end,
    );
    const text = bytes.subarray(words[0]?.start, words.at(-1)?.end).toString();
    return { text, type: Object.keys(node)[0] };
  });
}

test('property: parsed in pieces is as parsed whole', () => {
  const text = fc
    .array(fc.tuple(trivia, statement, trivia), { maxLength: 12 })
    .map((parts) => parts.map((each) => `${each.join('')}\n;`).join(''));
  fc.assert(
    fc.property(text, trivia, fc.nat(200), (sql, end, length) => {
      const batches = [...splitInBatches(sql + end, length)];
      const pieces = batches.flatMap((batch) => (isSplitProblem(batch) ? [] : batch));
      expect(batches.some(isSplitProblem)).toBe(false);
      expect(pieces.map(({ text, node }) => ({ text, type: Object.keys(node)[0] }))).toEqual(
        splitWhole(sql + end),
      );
    }),
  );
});

const lexical = fc.constantFrom(
  ...["'", '"', ';', '--', '/*', '*/', '\n', ' ', '\\', '$', '$$', '$a$', '(', ')', 'e', "E'", "u&'", 'n'],
  ...['é', '1', '$1', 'a', 'begin', 'atomic', 'end', 'create function f()', 'x;', '/', '*', '.'],
);

test('property: in any text, a syntax error has the same place in pieces as in the whole', () => {
  const mess = fc
    .array(fc.oneof(lexical, statement, fc.constant(';')), { maxLength: 25 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(mess, fc.nat(60), (sql, length) => {
      const whole = parseSql(sql);
      const problem = [...splitInBatches(sql, length)].find(isSplitProblem);
      if (!isProblem(whole)) {
        expect(problem).toBeUndefined();
        expect([...splitInBatches(sql, length)].flat()).toHaveLength(whole.length);
        return;
      }
      const before = [...sql].slice(0, whole.position).join('');
      expect(problem?.line).toBe(before.split('\n').length);
      if (problem?.message.startsWith('psql') !== true) expect(problem?.message).toBe(whole.message);
    }),
    { numRuns: 1000 },
  );
});

function isSql(gap: string): boolean {
  const tokens = scanSql(gap);
  return isProblem(tokens) || tokens.some(({ kind, text }) => kind !== 'comment' && text !== ';');
}

test('lines are counted from 1, by line feeds', () => {
  expect([0, 1, 2, 3].map((offset) => lineAt('a\nb\n', offset))).toEqual([1, 1, 2, 2]);
});
