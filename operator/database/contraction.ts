import type { RunnableStatement } from '../migration/runnable.ts';
import { contractionFailure } from './contractionRefusal.ts';
import { dependentsOf } from './dependents.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { watchReleases, type ReleaseSchema } from './releaseContents.ts';
import { failureOfError, runStatements, StatementError, type StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import { errorKind, sqlstateOf } from './sqlError.ts';
import { inTransaction, type TransactionContext } from './transaction.ts';

/** One contraction, ready to run. */
export interface ContractionToRun {
  readonly exposedSchema: string;
  readonly name: string;
  /** `sqlChecksum` of its SQL. */
  readonly checksum: string;
  /** Index in the spec, from 0. */
  readonly position: number;
  readonly statements: readonly RunnableStatement[];
  /** Who runs it, for the ledger. */
  readonly appliedBy: string;
  /** The releases that it ends; their schemas are dropped with it. */
  readonly ended: readonly ReleaseSchema[];
  /** All releases whose schemas are there, to name them where PostgreSQL names what is in them. */
  readonly releases: readonly ReleaseSchema[];
}

/** How a contraction ended. */
export type ContractionResult =
  | { readonly kind: 'applied' }
  /** PostgreSQL or the operator refused it; nothing of it is in the database, and the releases are as they were. */
  | { readonly kind: 'refused'; readonly failure: StatementFailure };

/**
 * Runs one contraction exactly once, in one transaction: its ledger row first, then the schemas of the releases that it
 * ends are dropped, these and no others, then its SQL runs. PostgreSQL's own dependency check is the last guard, and that
 * nothing was taken out of the other releases (CASCADE). Call it with the lock held. Throws a RunFailure, or what the connection threw.
 */
export async function runContraction(
  context: TransactionContext,
  contraction: ContractionToRun,
): Promise<ContractionResult> {
  const alone = soloFailure(contraction.statements);
  if (alone !== undefined) return { kind: 'refused', failure: alone };
  const { session } = context;
  try {
    return await inTransaction<ContractionResult>(context, async () => {
      await recordContraction(session, contraction);
      const message = await endReleases(session, contraction.exposedSchema, contraction.ended);
      if (message !== undefined) return { value: { kind: 'refused', failure: { message } }, end: 'rollback' };
      const hurt = await watchReleases(session, keptBeside(contraction.releases, contraction.ended));
      await runStatements(session, contraction.statements);
      const damage = await hurt();
      if (damage !== undefined)
        return { value: { kind: 'refused', failure: { message: damage } }, end: 'rollback' };
      await session.query(
        `update pgrst_ledger.contractions
            set applied_at = clock_timestamp(),
                duration_ms = extract(epoch from clock_timestamp() - now()) * 1000
          where exposed_schema = $1 and name = $2`,
        [contraction.exposedSchema, contraction.name],
      );
      return { value: { kind: 'applied' }, end: 'commit' };
    });
  } catch (error) {
    const failure = refusalOf(error, contraction.releases);
    if (failure === undefined) throw error;
    return { kind: 'refused', failure };
  }
}

/** Drops the schemas of the releases that it ends. Returns why it must not; the newest release is never one of them. */
async function endReleases(
  session: Session,
  exposedSchema: string,
  ended: readonly ReleaseSchema[],
): Promise<string | undefined> {
  if (ended.length === 0) return undefined;
  const [served] = await session.query<{ id: string }>(
    'select current_release as id from pgrst_ledger.claims where exposed_schema = $1 and current_release = any ($2)',
    [exposedSchema, ended.map(({ id }) => id)],
  );
  if (served !== undefined)
    return `Release ${served.id} is the newest one: a contraction never ends it. Publish a release that does without what the contraction takes away.`;
  const refusal = await dropSchemas(
    session,
    ended.map(({ schema }) => schema),
  );
  if (refusal !== undefined) return refusal;
  // So that drift can tell what we dropped from what went without us.
  await session.query(
    'update pgrst_ledger.releases set collected_at = now() where exposed_schema = $1 and id = any ($2)',
    [exposedSchema, ended.map(({ id }) => id)],
  );
  return undefined;
}

/**
 * Drops schemas of releases with all that is in them, in the transaction that is open. Returns why it must not: what
 * depends on them from outside would be dropped as well.
 */
export async function dropSchemas(session: Session, schemas: readonly string[]): Promise<string | undefined> {
  if (schemas.length === 0) return undefined;
  const dependents = await dependentsOf(session, schemas);
  if (dependents.length > 0)
    return `These depend on the releases that it ends and would go with them: ${dependents.join(', ')}. Drop them or make them independent first.`;
  for (const schema of schemas)
    await session.query(`drop schema if exists ${quoteIdentifier(schema)} cascade`);
  return undefined;
}

/** What was said against a contraction, in a sentence where we have one; undefined for what is no fault of its SQL. */
function refusalOf(error: unknown, releases: readonly ReleaseSchema[]): StatementFailure | undefined {
  const isStatement = error instanceof StatementError;
  const cause = isStatement ? error.cause : error;
  if (sqlstateOf(cause) === undefined || errorKind(cause) !== 'permanent') return undefined;
  // Without a place: it came at COMMIT.
  const failure = isStatement ? error.failure : failureOfError(error);
  return contractionFailure(failure, cause, releases);
}

/** The releases that stay. */
export function keptBeside(
  releases: readonly ReleaseSchema[],
  ended: readonly ReleaseSchema[],
): readonly ReleaseSchema[] {
  return releases.filter(({ id }) => ended.every((each) => each.id !== id));
}

/** Why a contraction cannot be one transaction: a statement of it that PostgreSQL runs only alone. */
export function soloFailure(statements: readonly RunnableStatement[]): StatementFailure | undefined {
  const alone = statements.find(({ solo }) => solo !== undefined);
  if (alone === undefined) return undefined;
  return {
    statement: alone.number,
    line: alone.line,
    message:
      'The statement cannot run inside a transaction, and a contraction is one, so that it and the releases that it ends go together: move the statement into a migration.',
  };
}

async function recordContraction(session: Session, contraction: ContractionToRun): Promise<void> {
  await session.query(
    `insert into pgrst_ledger.contractions (exposed_schema, name, position, checksum, applied_by, ended_releases)
     values ($1, $2, $3, $4, $5, $6)`,
    [
      contraction.exposedSchema,
      contraction.name,
      contraction.position,
      contraction.checksum,
      contraction.appliedBy,
      contraction.ended.map(({ id }) => id),
    ],
  );
}
