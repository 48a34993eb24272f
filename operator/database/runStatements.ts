import pg from 'pg';
import type { RunnableStatement } from '../migration/runnable.ts';
import { ownPathStatement, scriptSeparator, userStatement, type Session } from './session.ts';
import { errorKind, messageOf, sqlstateOf } from './sqlError.ts';

/** Where in a text PostgreSQL found an error, and what it said. Values of rows (its DETAIL) are left out on purpose. */
export interface StatementFailure {
  /** Counted from 1; absent when the error came at COMMIT (a deferred constraint). */
  readonly statement?: number;
  /** Line in the whole text, counted from 1. */
  readonly line?: number;
  readonly sqlstate?: string;
  readonly message: string;
  readonly hint?: string;
  /** So many statements of the migration are done and stay; absent when nothing of it is in the database. */
  readonly statementsDone?: number;
}

/** A statement of the user's failed; `cause` is PostgreSQL's error. */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly failure: StatementFailure;

  constructor(failure: StatementFailure, cause: unknown) {
    super(failure.message, { cause });
    this.failure = failure;
  }
}

/** SQL of the user's, and SQL of ours around it. */
export interface Script {
  /** With our settings, before the user's statements. */
  readonly before: readonly string[];
  /** SET and RESET of the user's that are to be in force. */
  readonly settings?: readonly string[];
  readonly statements: readonly RunnableStatement[];
  /** With our settings again, after the user's statements. */
  readonly after: readonly string[];
  /** Ends a statement that takes longer; default: never. */
  readonly statementTimeoutMs?: number | undefined;
}

/**
 * Runs the statements in one round trip, inside the transaction that is open. Afterwards the session has our own settings
 * again, whatever the SQL has set. Throws as `runScript` does.
 */
export async function runStatements(
  session: Session,
  statements: readonly RunnableStatement[],
): Promise<void> {
  await runScript(session, { before: [], statements, after: [] });
}

/**
 * Runs the script in one round trip where that means the same as one by one. Throws a StatementError when a statement of
 * the user's fails, and the error itself when the connection breaks or a statement of ours fails.
 */
export async function runScript(session: Session, script: Script): Promise<void> {
  const { statements, statementTimeoutMs } = script;
  const before = [
    ...script.before,
    userStatement,
    ...timeoutStatements(statementTimeoutMs),
    ...(script.settings ?? []),
  ];
  const texts = statements.map(({ text }) => text);
  const isQuiet = before.length === script.before.length + 1 && statements.every(leavesNothing);
  const after = [...(isQuiet ? [ownPathStatement] : session.ownStatements), ...script.after];
  const messages = statements.some(changesLexing)
    ? [before, ...texts.map((text) => [text]), after]
    : [[...before, ...texts, ...after]];
  let sent = 0;
  for (const message of messages) {
    const result = await session.script(message);
    if (result.kind === 'failed') {
      if (errorKind(result.error) === 'connection') throw result.error;
      const at = locate(message, result.error) ?? { index: result.completed, position: undefined };
      const statement = statements[sent + at.index - before.length];
      if (statement === undefined) throw result.error;
      throw statementError(result.error, statement, { statementTimeoutMs, position: at.position });
    }
    sent += message.length;
  }
}

/** Whether the session is as it was after the statement, but for the search_path that we gave it. */
export function leavesNothing({ keepsSession }: RunnableStatement): boolean {
  return keepsSession === true;
}

/** The statement that ends what takes longer than this; none for no limit. */
export function timeoutStatements(statementTimeoutMs: number | undefined): readonly string[] {
  return statementTimeoutMs === undefined
    ? []
    : [`set statement_timeout = '${String(statementTimeoutMs)}ms'`];
}

/** A StatementError for an error of a statement; `position` is that in the statement, counted from 1. */
export function statementError(
  error: unknown,
  statement: RunnableStatement,
  options: { readonly statementTimeoutMs?: number | undefined; readonly position?: number | undefined } = {},
): StatementError {
  const failure = failureAt(error, statement, options.position);
  if (failure.sqlstate !== '57014' || options.statementTimeoutMs === undefined)
    return new StatementError(failure, error);
  const message = `${failure.message} (the migration's statementTimeout is ${String(options.statementTimeoutMs)} ms: raise it when the statement may take longer)`;
  return new StatementError({ ...failure, message }, error);
}

/** Whether the error is one that the same SQL would meet again. */
export function isFinal(error: unknown): boolean {
  return (
    error instanceof StatementError || (sqlstateOf(error) !== undefined && errorKind(error) === 'permanent')
  );
}

/** What an error of PostgreSQL says, without a place. */
export function failureOfError(error: unknown): StatementFailure {
  const sqlstate = sqlstateOf(error);
  const hint = error instanceof pg.DatabaseError ? error.hint : undefined;
  return {
    message: messageOf(error).slice(0, 4096),
    ...(sqlstate === undefined ? {} : { sqlstate }),
    ...(hint === undefined ? {} : { hint: hint.slice(0, 4096) }),
  };
}

/** What an error of PostgreSQL says, with its place in the text that the statement was cut from. */
export function failureAt(
  error: unknown,
  statement: RunnableStatement,
  position: number | undefined = positionOf(error),
): StatementFailure {
  // Characters are counted from 1; the line breaks before the position are the same in whatever units.
  const before = [...statement.text].slice(0, Math.max(0, (position ?? 1) - 1));
  return {
    statement: statement.number,
    line: statement.line + before.filter((character) => character === '\n').length,
    ...failureOfError(error),
  };
}

/** Which statement of a message the error's position lies in, and where in it. */
function locate(
  message: readonly string[],
  error: unknown,
): { readonly index: number; readonly position: number | undefined } | undefined {
  let position = positionOf(error);
  if (position === undefined) return undefined;
  for (const [index, text] of message.entries()) {
    const length = [...text].length;
    if (position <= length + 1) return { index, position };
    position -= length + scriptSeparator.length;
  }
  return undefined;
}

function positionOf(error: unknown): number | undefined {
  const position = error instanceof pg.DatabaseError ? error.position : undefined;
  return position === undefined ? undefined : Number(position);
}

// PostgreSQL reads a whole message under the settings of its beginning: what changes how strings are read goes alone.
function changesLexing({ text }: RunnableStatement): boolean {
  return /standard_conforming_strings|backslash_quote/i.test(text);
}
