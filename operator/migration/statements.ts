import { cutStatements, type StatementRange } from './cutStatements.ts';
import { isProblem, parseSql, type ParseNode, type RawStatement } from './parser.ts';

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
  const statements: SqlStatement[] = [];
  for (const batch of splitInBatches(sql)) {
    if (isSplitProblem(batch)) return batch;
    statements.push(...batch);
  }
  return statements;
}

/**
 * How much text is parsed at a time, in UTF-16 units; a longer statement is parsed alone. A parse tree takes some hundred
 * times the memory of its text, and 4 MB of API SQL must fit.
 */
const batchLength = 64 * 1024;

/**
 * As `splitSql`, but a part of the statements at a time: whoever forgets a batch before he takes the next one never has
 * the parse trees of the whole text in memory. A problem comes after all statements before it, and ends the batches.
 */
export function* splitInBatches(
  sql: string,
  length: number = batchLength,
): Generator<readonly SqlStatement[] | SplitProblem, void> {
  const lines = createLineCursor(sql);
  let from = 0;
  let number = 0;
  for (const { ranges, to } of groupRanges(sql, length)) {
    const text = sql.slice(from, to);
    const parsed = parseSql(text);
    if (isProblem(parsed)) {
      const at = from + offsetOf(text, parsed.position ?? 0);
      const before = ranges.filter(({ next }) => next <= at && next < sql.length);
      const good = parseSql(sql.slice(from, before.at(-1)?.next ?? from));
      if (!isProblem(good) && good.length === before.length) yield joined(sql, before, good, number, lines);
      const message = psqlCommand(sql, at) ?? parsed.message;
      yield { statement: number + before.length + 1, line: lines.lineOf(at), message };
      return;
    }
    yield joined(sql, ranges, parsed, number, lines);
    from = to;
    number += ranges.length;
  }
}

interface RangeGroup {
  readonly ranges: readonly StatementRange[];
  /** Where its text ends, and the next group's begins. */
  readonly to: number;
}

// Every part of the text belongs to a group: what follows the last statement may be a comment without an end.
function groupRanges(sql: string, length: number): readonly RangeGroup[] {
  const groups: RangeGroup[] = [];
  let ranges: StatementRange[] = [];
  let from = 0;
  for (const range of cutStatements(sql)) {
    const to = ranges.at(-1)?.next;
    if (to !== undefined && range.next - from > length) {
      groups.push({ ranges, to });
      ranges = [];
      from = to;
    }
    ranges.push(range);
  }
  return [...groups, { ranges, to: sql.length }];
}

function joined(
  sql: string,
  ranges: readonly StatementRange[],
  parsed: readonly RawStatement[],
  before: number,
  lines: LineCursor,
): readonly SqlStatement[] {
  // Both sides are PostgreSQL's grammar; statements.test.ts holds them together.
  if (ranges.length !== parsed.length)
    throw new Error(`${ranges.length} statements were found where the parser sees ${parsed.length}`);
  return parsed.map(({ node }, index) => {
    const { start, end } = ranges[index] ?? { start: 0, end: 0 };
    const number = before + index + 1;
    return { number, text: sql.slice(start, end), line: lines.lineOf(start), offset: start, node };
  });
}

function psqlCommand(sql: string, at: number): string | undefined {
  if (sql[at] !== '\\') return undefined;
  const command = /\\[\w!?]*/y;
  command.lastIndex = at;
  return `psql command ${command.exec(sql)?.[0] ?? ''}: commands that begin with a backslash are psql's own, not SQL. Remove it, or put what it does (a file that it includes, say) in its place`;
}

/** Goes forward through a text and tells lines. */
export interface LineCursor {
  /** The line, counted from 1, of an offset that is not smaller than the one before. */
  lineOf(offset: number): number;
}

/** A cursor through a text, by UTF-16 units, or through its UTF-8, by bytes. */
export function createLineCursor(text: string | Buffer): LineCursor {
  let line = 1;
  let feed = text.indexOf('\n');
  return {
    lineOf(offset) {
      for (; feed !== -1 && feed < offset; feed = text.indexOf('\n', feed + 1)) line += 1;
      return line;
    },
  };
}

/** The offset in UTF-16 units of the character (code point) with this number, counted from 0. */
function offsetOf(text: string, characters: number): number {
  let offset = 0;
  for (let left = characters; left > 0 && offset < text.length; left -= 1)
    offset += (text.codePointAt(offset) ?? 0) > 0xffff ? 2 : 1;
  return offset;
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
