import { isProblem, parseSql, scanSql, type ParseNode } from './parser.ts';

/** One statement of a text. */
export interface SqlStatement {
  /** Counted from 1. */
  readonly number: number;
  /** The statement, without the blanks and comments around it and without its semicolon. */
  readonly text: string;
  /** Its first line in the whole text, counted from 1. */
  readonly line: number;
  /** Its offset in the whole text, in UTF-16 units. */
  readonly offset: number;
  readonly node: ParseNode;
}

/** Why a text cannot be split: it does not parse. */
export interface SplitProblem {
  readonly statement: number;
  readonly line: number;
  readonly message: string;
}

/**
 * Cuts a text into its statements with PostgreSQL's own parser. What lies between the statements is blanks, comments and
 * semicolons, nothing else: joining both gives the text back. Needs `loadSqlParser`.
 */
export function splitSql(sql: string): readonly SqlStatement[] | SplitProblem {
  const parsed = parseSql(sql);
  if (isProblem(parsed)) {
    const position = parsed.position ?? 0;
    const before = [...sql].slice(0, position).join('');
    return {
      statement: countStatements(before) + 1,
      line: lineAt(sql, before.length),
      message: parsed.message,
    };
  }
  const tokens = scanSql(sql);
  if (isProblem(tokens)) return { statement: 1, line: 1, message: tokens.message };
  const words = tokens.filter((token) => token.kind !== 'comment' && token.text !== ';');
  const cursor = createCursor(sql);
  let word = 0;
  return parsed.map(({ node, start, end }, index) => {
    // The parser's slice goes from one semicolon to the next: the blanks and comments at its ends belong to nobody.
    while ((words[word]?.start ?? end) < start) word += 1;
    const first = words[word]?.start ?? start;
    let last = first;
    for (; (words[word]?.start ?? end) < end; word += 1) last = words[word]?.end ?? end;
    const begin = cursor.moveTo(first);
    const text = sql.slice(begin.offset, cursor.moveTo(last).offset);
    return { number: index + 1, text, line: begin.line, offset: begin.offset, node };
  });
}

/** Goes forward through a text by byte offsets, which the parser gives, and tells offset (UTF-16 units) and line. */
function createCursor(sql: string) {
  const bytes = Buffer.from(sql);
  let byte = 0;
  let offset = 0;
  let line = 1;
  return {
    moveTo(target: number): { readonly offset: number; readonly line: number } {
      const passed = bytes.subarray(byte, target).toString();
      byte = target;
      offset += passed.length;
      line += passed.split('\n').length - 1;
      return { offset, line };
    },
  };
}

/** Whether splitting ended in a problem. */
export function isSplitProblem(result: readonly SqlStatement[] | SplitProblem): result is SplitProblem {
  return !Array.isArray(result);
}

/** The line, counted from 1, in which the offset (UTF-16 units) lies. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

// A text before a syntax error need not scan (it may end inside a string): then the statement is not countable.
function countStatements(before: string): number {
  const tokens = scanSql(before);
  if (isProblem(tokens)) return 0;
  let count = 0;
  let pending = false;
  for (const token of tokens) {
    if (token.text === ';') {
      if (pending) count += 1;
      pending = false;
    } else if (token.kind !== 'comment') pending = true;
  }
  return count;
}
