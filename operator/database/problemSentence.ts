import type { StatementFailure } from './runStatements.ts';

/** A condition holds so much and a little more; a syntax error quotes the SQL. */
const longest = 2048;

/** What went wrong in SQL, with its place, as a sentence. `label` names the SQL: `Migration 001-tasks`. */
export function problemSentence(label: string, failure: StatementFailure): string {
  const { statement, line, sqlstate, message } = failure;
  const state = sqlstate === undefined ? '' : ` (SQLSTATE ${sqlstate})`;
  const place =
    statement === undefined || line === undefined
      ? ''
      : `, statement ${String(statement)} at line ${String(line)}${state}`;
  return `${label}${place}: ${sentence(message)}`;
}

/** The text with a full stop, if it has none; as much of it as a condition can hold. */
export function sentence(text: string): string {
  if (text.length > longest) return `${text.slice(0, longest)} ...`;
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
