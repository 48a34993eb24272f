import pg from 'pg';
import type { ReleaseSchema } from './releaseContents.ts';
import type { StatementFailure } from './runStatements.ts';
import { messageOf, sqlstateOf } from './sqlError.ts';

const shown = 10;

/**
 * What PostgreSQL says against a contraction, as a sentence that says what to do. `cause` is its error; the failure stays
 * as it is where that is none of those that a contraction is apt to meet. PostgreSQL's hint goes: it advises CASCADE,
 * which would take apart what is kept.
 */
export function contractionFailure(
  { hint, ...failure }: StatementFailure,
  cause: unknown,
  releases: readonly ReleaseSchema[],
): StatementFailure {
  const sentence = refusal(cause, releases);
  if (sentence !== undefined) return { ...failure, message: sentence };
  return hint === undefined ? failure : { ...failure, hint };
}

function refusal(cause: unknown, releases: readonly ReleaseSchema[]): string | undefined {
  switch (sqlstateOf(cause)) {
    // dependent_objects_still_exist; feature_not_supported with a detail is ALTER COLUMN TYPE under a view.
    case '2BP01':
      return neededBy(cause, releases);
    case '0A000':
      return detailOf(cause).length === 0 ? undefined : neededBy(cause, releases);
    case '42703': // undefined_column
    case '42P01': // undefined_table
    case '42704': // undefined_object
    case '42883': // undefined_function
    case '3F000': // invalid_schema_name
      return `${messageOf(cause)}: it is gone already, or was never there. Remove the statement, or write IF EXISTS.`;
    default:
      return undefined;
  }
}

function neededBy(cause: unknown, releases: readonly ReleaseSchema[]): string {
  const lines = detailOf(cause);
  const what = lines.length === 0 ? messageOf(cause) : list(lines);
  const needing = releases.filter(({ schema }) => lines.some((line) => namesSchema(line, schema)));
  if (needing.length === 0)
    return `Something that stays needs what it takes away: ${what}. Drop that in the same contraction, or keep what it needs.`;
  const ids = needing.map(({ id }) => id).join(', ');
  return `Release ${ids} needs what it takes away: ${what}. It can run when ${needing.length === 1 ? 'that release is' : 'those releases are'} no longer kept.`;
}

/** The objects that the DETAIL of a refusal names, one a line; names of the catalog, never values of rows. */
function detailOf(cause: unknown): readonly string[] {
  if (!(cause instanceof pg.DatabaseError) || cause.detail === undefined) return [];
  return cause.detail.split('\n').filter((line) => line !== '');
}

function list(lines: readonly string[]): string {
  const rest = lines.length - shown;
  return `${lines.slice(0, shown).join('; ')}${rest > 0 ? `; and ${String(rest)} more` : ''}`;
}

// `view api_1a2b3c4d.tasks depends on ...`: a release's name needs no quotes, and no other name ends like it.
function namesSchema(line: string, schema: string): boolean {
  return new RegExp(`(?<![\\w$])${schema}(?![\\w$])`).test(line);
}
