import type { RunnableStatement } from '../migration/runnable.ts';
import type { Session } from './session.ts';
import { errorKind, messageOf, sqlstateOf } from './sqlError.ts';
import pg from 'pg';

/** Where in a text PostgreSQL found an error, and what it said. Values of rows (its DETAIL) are left out on purpose. */
export interface StatementFailure {
  /** Counted from 1; absent when the error came at COMMIT (a deferred constraint). */
  readonly statement?: number;
  /** Line in the whole text, counted from 1. */
  readonly line?: number;
  readonly sqlstate?: string;
  readonly message: string;
  readonly hint?: string;
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

/**
 * Runs the statements one by one, so that an error names its statement, inside the transaction that is open. Afterwards
 * the session has our own settings again, whatever the SQL has set. Throws a StatementError unless the connection broke.
 */
export async function runStatements(
  session: Session,
  statements: readonly RunnableStatement[],
): Promise<void> {
  await session.userSettings();
  for (const statement of statements) {
    try {
      await session.run(statement.text);
    } catch (error) {
      if (errorKind(error) === 'connection') throw error;
      throw new StatementError(failureAt(error, statement), error);
    }
  }
  await session.ownSettings();
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
export function failureAt(error: unknown, statement: RunnableStatement): StatementFailure {
  // `position` counts characters from 1; the line breaks before it are the same in whatever units.
  const position = error instanceof pg.DatabaseError ? Number(error.position ?? 1) : 1;
  const before = [...statement.text].slice(0, Math.max(0, position - 1));
  return {
    statement: statement.number,
    line: statement.line + before.filter((character) => character === '\n').length,
    ...failureOfError(error),
  };
}
