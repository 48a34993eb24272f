/** The longest API SQL of one ApiSchema, in bytes of UTF-8: 4 MiB, over all of its sources. */
export const maxApiSqlBytes = 4 * 1024 * 1024;

/** The longest SQL of one migration or contraction, in bytes of UTF-8: 1 MiB, as much as a ConfigMap holds. */
export const maxMigrationSqlBytes = 1024 * 1024;

/** Why a text cannot be SQL at all, whatever is in it. */
export interface TextProblem {
  /** Counted from 1; absent when it is the text as a whole. */
  readonly line?: number;
  readonly message: string;
}

/** The text without the byte order mark that some editors put before it: PostgreSQL takes it for the first letter of a name. */
export function withoutBom(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/**
 * What PostgreSQL and its parser would choke on, or take for something else, said before they see it. `maxBytes` is one
 * of the limits above.
 */
export function textProblem(sql: string, maxBytes: number): TextProblem | undefined {
  const bytes = Buffer.byteLength(sql);
  if (bytes > maxBytes)
    return {
      message: `The SQL is ${bytes} bytes long, and at most ${maxBytes} (${maxBytes / 1024 / 1024} MiB) are read: take out what is no SQL (rows to load, say), or split it`,
    };
  const nul = sql.indexOf('\0');
  if (nul !== -1)
    return {
      line: lineOf(sql, nul),
      message:
        'The SQL holds a NUL character, which PostgreSQL has no text for (a file in UTF-16, perhaps): save it as UTF-8',
    };
  // What is no UTF-8 was replaced by U+FFFD when the file or the object was read.
  const wrong = sql.isWellFormed() ? sql.indexOf('\uFFFD') : sql.search(/\p{Surrogate}/u);
  if (wrong !== -1)
    return {
      line: lineOf(sql, wrong),
      message:
        "The SQL is not UTF-8 (it holds a character that could not be decoded): save it as UTF-8. Where U+FFFD itself is meant, write U&'\\FFFD'",
    };
  return undefined;
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
