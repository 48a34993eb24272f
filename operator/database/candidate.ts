import type { RunnableStatement } from '../migration/runnable.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { runStatements } from './runStatements.ts';
import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';

/** A build inside its transaction, while it has the exposed name. */
export interface Candidate {
  /** The schema that had the name before, under its name for the moment; undefined when there was none. */
  readonly parked: string | undefined;
  /** Why it must not be published: it does what API SQL must not do. */
  readonly refusal: string | undefined;
}

const writesQuery = sqlFile('apiWrites');

/** What a schema is called while a build has its name. */
export function parkedName(exposedSchema: string): string {
  return `${exposedSchema}__pgrst_parked`;
}

/**
 * Parks what has the exposed name and runs the API SQL verbatim in a fresh schema of that name, in the transaction that
 * is open. Nobody else sees anything of it. Throws a StatementError when PostgreSQL refuses a statement.
 */
export async function buildCandidate(
  session: Session,
  exposedSchema: string,
  statements: readonly RunnableStatement[],
): Promise<Candidate> {
  const parked = parkedName(exposedSchema);
  const isTaken = await schemaExists(session, exposedSchema);
  if (isTaken) await renameSchema(session, exposedSchema, parked);
  await session.query(`create schema ${quoteIdentifier(exposedSchema)}`);
  const before = await writtenRows(session);
  await runStatements(session, statements);
  const refusal =
    (await writesRefusal(session, exposedSchema, parked)) ?? rowsRefusal(before, await writtenRows(session));
  return { parked: isTaken ? parked : undefined, refusal };
}

/** How many rows of each table this session has written, as far as its counts are not collected yet. */
async function writtenRows(session: Session): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query<{ name: string; count: string }>(
    `select relid::regclass::text as name, (n_tup_ins + n_tup_upd + n_tup_del)::text as count
       from pg_stat_xact_user_tables where n_tup_ins + n_tup_upd + n_tup_del > 0`,
  );
  return new Map(rows.map(({ name, count }) => [name, count]));
}

// The counts are collected between transactions only, so within one they grow when, and only when, rows are written.
function rowsRefusal(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): string | undefined {
  const tables = [...after].filter(([name, count]) => before.get(name) !== count).map(([name]) => name);
  return tables.length === 0
    ? undefined
    : `The API SQL changes rows of ${tables.slice(0, 20).join(', ')}, by way of a function that it calls, and would do so again with every release: move the call into a migration.`;
}

/** Whether there is a schema of that name. */
export async function schemaExists(session: Session, name: string): Promise<boolean> {
  const rows = await session.query('select from pg_namespace where nspname = $1', [name]);
  return rows.length > 0;
}

/** Renames a schema; the objects in it and what refers to them follow, except where it is kept as text. */
export async function renameSchema(session: Session, from: string, to: string): Promise<void> {
  await session.query(`alter schema ${quoteIdentifier(from)} rename to ${quoteIdentifier(to)}`);
}

async function writesRefusal(session: Session, schema: string, parked: string): Promise<string | undefined> {
  const rows = await session.query<{ kind: 'outside' | 'state'; what: string }>(writesQuery, [
    schema,
    parked,
  ]);
  const state = rows.filter(({ kind }) => kind === 'state').map(({ what }) => what);
  if (state.length > 0)
    return `The API SQL creates ${state.join(', ')} in schema ${schema}. A release holds no state, because it is rebuilt for every change: create them in another schema, in a migration.`;
  const outside = rows.map(({ what }) => what);
  if (outside.length > 0)
    return `The API SQL creates or changes what lies outside of schema ${schema}: ${outside.join(', ')}. That would change the release that is served now: move it into a migration, or, when it was meant for the API, write its name as ${schema}.<name>.`;
  return undefined;
}
