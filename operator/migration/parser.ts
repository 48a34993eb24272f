import libpgQuery from 'libpg-query';

/** One node of a parse tree: exactly one key, the node's type. */
export type ParseNode = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** One statement as the parser cuts it. Offsets are UTF-8 bytes; `end` leaves out the semicolon. */
export interface RawStatement {
  readonly node: ParseNode;
  readonly start: number;
  readonly end: number;
}

/** One token of the scanner; `start` and `end` are UTF-8 byte offsets. */
export interface Token {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly kind: 'identifier' | 'keyword' | 'string' | 'comment' | 'other';
}

/** The SQL does not parse. */
export interface SyntaxProblem {
  readonly message: string;
  /** Where, as a 0-based offset in characters (code points); undefined when the parser does not say. */
  readonly position: number | undefined;
}

// Token numbers of PostgreSQL 18's grammar as libpg-query 18 reports them; parser.test.ts pins them.
const identTokens = new Set([258, 259]); // IDENT, UIDENT
const stringTokens = new Set([261, 262, 263, 264]); // SCONST, USCONST, BCONST, XCONST
const commentTokens = new Set([275, 276]); // SQL_COMMENT, C_COMMENT

/** Loads the parser (WebAssembly, about 30 ms once). Everything else in this folder needs it to have happened. */
export async function loadSqlParser(): Promise<void> {
  await libpgQuery.loadModule();
}

let isBroken = false;

const tooDeep: SyntaxProblem = {
  message:
    'SQL is nested too deeply or too large for the parser (tens of thousands of operators or UNIONs in one statement): write it as several statements',
  position: undefined,
};

/**
 * Whether the parser is of no use any more: SQL that was nested too deeply has overrun its stack, and WebAssembly does
 * not tidy up after that. Everything is a problem from then on; only another thread or process loads it anew.
 */
export function isParserBroken(): boolean {
  return isBroken;
}

/**
 * The statements of a text, in order; none for a text of blanks and comments. Synchronous, 0.3 s for a megabyte, and the
 * tree takes about a hundred times the memory of the text: see `splitInBatches`.
 */
export function parseSql(sql: string): readonly RawStatement[] | SyntaxProblem {
  if (isBroken) return tooDeep;
  let result: { stmts?: unknown };
  try {
    result = libpgQuery.parseSync(sql);
  } catch (error) {
    const problem = syntaxProblem(error);
    return problem !== tooDeep && isBlank(sql) ? [] : problem;
  }
  const statements = (result.stmts ?? []) as {
    stmt: ParseNode;
    stmt_location?: number;
    stmt_len?: number;
  }[];
  const bytes = Buffer.byteLength(sql);
  return statements.map(({ stmt, stmt_location: start = 0, stmt_len: length }) => ({
    node: stmt,
    start,
    end: length === undefined || length === 0 ? bytes : start + length,
  }));
}

/** The tokens of a text, or why it cannot be scanned (an unterminated string, say). */
export function scanSql(sql: string): readonly Token[] | SyntaxProblem {
  if (isBroken) return tooDeep;
  if (sql.trim() === '') return [];
  try {
    return libpgQuery.scanSync(sql).tokens.map(({ start, end, text, tokenType, keywordKind }) => ({
      start,
      end,
      text,
      kind: tokenKind(tokenType, keywordKind),
    }));
  } catch (error) {
    return syntaxProblem(error);
  }
}

/** Whether a parse or a scan ended in a problem. */
export function isProblem(result: object): result is SyntaxProblem {
  return 'message' in result;
}

function tokenKind(type: number, keywordKind: number): Token['kind'] {
  if (identTokens.has(type)) return 'identifier';
  if (stringTokens.has(type)) return 'string';
  if (commentTokens.has(type)) return 'comment';
  return keywordKind > 0 ? 'keyword' : 'other';
}

// The parser has no answer (it throws a TypeError) for a text without a statement.
function isBlank(sql: string): boolean {
  const tokens = scanSql(sql);
  return !isProblem(tokens) && tokens.every((token) => token.kind === 'comment' || token.text === ';');
}

function syntaxProblem(error: unknown): SyntaxProblem {
  if (error instanceof Error && ['RangeError', 'RuntimeError'].includes(error.name)) {
    isBroken = true;
    return tooDeep;
  }
  // Where the scanner fails, the library tries to read its message as JSON.
  if (error instanceof SyntaxError)
    return { message: 'the SQL ends inside of a string, a quoted name or a comment', position: undefined };
  const details = libpgQuery.hasSqlDetails(error) ? error.sqlDetails : undefined;
  return {
    message: error instanceof Error ? error.message : 'the SQL cannot be parsed',
    position: details === undefined || details.cursorPosition < 0 ? undefined : details.cursorPosition,
  };
}
