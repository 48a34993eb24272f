/** Where a statement lies in a text; all offsets are UTF-16 units. */
export interface StatementRange {
  /** Its first word; blanks and comments before it belong to nobody. */
  readonly start: number;
  /** Behind its last word, before its semicolon. */
  readonly end: number;
  /** Behind its semicolon; the text's end where there is none. */
  readonly next: number;
}

/**
 * Finds the statements of a text without parsing it, as psql does: a semicolon ends a statement unless it stands in a
 * string, a quoted name, a comment, parentheses (CREATE RULE) or a BEGIN ATOMIC body. It follows PostgreSQL's scan.l
 * with standard_conforming_strings on, and takes a hundredth of the real scanner's memory. It never fails: where the text
 * is not SQL, the parser says so of the statement that this finds.
 */
export function cutStatements(sql: string): readonly StatementRange[] {
  const ranges: StatementRange[] = [];
  const statement = createStatementState();
  let start: number | undefined;
  let end = 0;
  for (let at = 0; at < sql.length;) {
    const past = skipTrivia(sql, at);
    if (past > at) {
      at = past;
      continue;
    }
    const word = match(identifier, sql, at);
    const behind = word === undefined ? skipToken(sql, at) : skipWord(sql, at, word);
    if (word === undefined && sql[at] === ';' && statement.endsHere()) {
      if (start !== undefined) ranges.push({ start, end, next: behind });
      start = undefined;
    } else {
      statement.pass(word?.toLowerCase(), sql[at] ?? '');
      start ??= at;
      end = behind;
    }
    at = behind;
  }
  if (start !== undefined) ranges.push({ start, end, next: sql.length });
  return ranges;
}

/** How far the beginning of a statement has been recognised, as far as it tells a routine with a body. */
type Head = 'start' | 'create' | 'or' | 'replace' | 'routine' | 'begin' | 'other';

// Whether a semicolon ends the statement. Statements inside of a body begin anew, because they may be routines too.
function createStatementState() {
  let head: Head = 'start';
  let parentheses = 0;
  let bodies = 0;

  const afterWord = (word: string): Head => {
    switch (head) {
      case 'start':
        // Only the END of a body can stand where a statement begins; every other one is a column's or a CASE's.
        if (word === 'end' && bodies > 0) bodies -= 1;
        return word === 'create' ? 'create' : 'other';
      case 'create':
        if (word === 'or') return 'or';
        return isRoutine(word) ? 'routine' : 'other';
      case 'or':
        return word === 'replace' ? 'replace' : 'other';
      case 'replace':
        return isRoutine(word) ? 'routine' : 'other';
      case 'routine':
        return word === 'begin' && parentheses === 0 ? 'begin' : 'routine';
      case 'begin':
        if (word === 'begin') return 'begin';
        if (word !== 'atomic') return 'routine';
        bodies += 1;
        return 'start';
      case 'other':
        return 'other';
    }
  };

  return {
    /** Takes the next token: the word in lower case, or undefined and the first character of something else. */
    pass(word: string | undefined, character: string): void {
      if (word !== undefined) {
        head = afterWord(word);
        return;
      }
      if (character === '(') parentheses += 1;
      if (character === ')') parentheses = Math.max(0, parentheses - 1);
      if (character === ';' && parentheses === 0) head = 'start';
      else head = head === 'routine' || head === 'begin' ? 'routine' : 'other';
    },
    /** Whether a semicolon here ends the statement; if so, the next one begins. */
    endsHere(): boolean {
      if (parentheses > 0 || bodies > 0) return false;
      head = 'start';
      return true;
    },
  };
}

const isRoutine = (word: string): boolean => word === 'function' || word === 'procedure';

const lineComment = /--[^\n\r]*/y;
const blanks = /[ \t\n\r\f\v]+/y;
const identifier = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const dollarTag = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
// Two strings with a line break between them are one: the second part of E'' has its backslashes too. (The server allows
// a comment there as well, libpg-query does not, so that such a text does not parse in any case.)
const continuation = /[ \t\f\v]*[\n\r][ \t\n\r\f\v]*'/y;

function match(pattern: RegExp, sql: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(sql)?.[0];
}

/** Behind the blanks or the one comment that begin here. */
function skipTrivia(sql: string, at: number): number {
  if (sql.startsWith('--', at)) return at + (match(lineComment, sql, at)?.length ?? 0);
  if (sql.startsWith('/*', at)) return skipComment(sql, at);
  return at + (match(blanks, sql, at)?.length ?? 0);
}

function skipComment(sql: string, at: number): number {
  const marks = /\/\*|\*\//g;
  marks.lastIndex = at;
  let depth = 0;
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return marks.lastIndex;
  }
  return sql.length;
}

/** Behind the word, and behind the string for which it is the E. */
function skipWord(sql: string, at: number, name: string): number {
  const behind = at + name.length;
  return (name === 'e' || name === 'E') && sql[behind] === "'" ? skipEscapeString(sql, behind) : behind;
}

function skipToken(sql: string, at: number): number {
  const character = sql[at];
  if (character === "'" || character === '"') return skipQuoted(sql, at, character);
  const tag = character === '$' ? match(dollarTag, sql, at) : undefined;
  return tag === undefined ? at + 1 : behindNext(sql, tag, at + tag.length);
}

// A doubled quote ends one part and begins the next, which comes to the same.
function skipQuoted(sql: string, at: number, quote: string): number {
  return behindNext(sql, quote, at + 1);
}

function skipEscapeString(sql: string, at: number): number {
  const special = /['\\]/g;
  special.lastIndex = at + 1;
  for (let found = special.exec(sql); found !== null; found = special.exec(sql)) {
    if (found[0] === '\\') {
      special.lastIndex += 1;
      continue;
    }
    const more = sql[special.lastIndex] === "'" ? "'" : match(continuation, sql, special.lastIndex);
    if (more === undefined) return special.lastIndex;
    special.lastIndex += more.length;
  }
  return sql.length;
}

function behindNext(sql: string, text: string, from: number): number {
  const found = sql.indexOf(text, from);
  return found === -1 ? sql.length : found + text.length;
}
