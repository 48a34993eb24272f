import { apiSqlProblem } from '../../migration/apiSql.ts';
import {
  releaseHash,
  releaseId,
  releaseSchema,
  sentinelName,
  sqlChecksum,
} from '../../migration/checksum.ts';
import { migrationProblem } from '../../migration/classify.ts';
import { mapSchemaNames, searchPathNames } from '../../migration/schemaNames.ts';
import { mapTestNames } from '../../migration/testNames.ts';
import { loadSqlParser } from '../../migration/parser.ts';
import { planMigrations, type Migration } from '../../migration/planMigrations.ts';
import { isSplitProblem, splitSql, type SqlStatement } from '../../migration/statements.ts';
import { breathe } from '../../database/breathe.ts';
import { buildRelease } from '../../database/buildRelease.ts';
import { claim, ledgerVersion, readLedger, type Claimant, type Ledger } from '../../database/ledger.ts';
import { runMigration } from '../../database/runMigration.ts';
import { RunFailure } from '../../database/runFailure.ts';
import { failureOfError, StatementError, type StatementFailure } from '../../database/runStatements.ts';
import type { Session } from '../../database/session.ts';
import { errorKind, messageOf, sqlstateOf } from '../../database/sqlError.ts';
import { applied, blocked, servedRelease, type ApplyResult } from './applyResult.ts';
import {
  lockFor,
  transactionContext,
  withSession,
  type Visit,
  type VisitContext,
  type VisitProgress,
} from '../../database/withSession.ts';
import type { StoredTextFinding } from '../../database/rewriteStoredText.ts';

/** What the database must look like. */
export interface ApplyRequest extends Claimant, Visit {
  readonly migrations: readonly Migration[];
  readonly apiSql: string;
}

/** What a run is doing. */
export type ApplyProgress =
  | VisitProgress
  | { readonly phase: 'migrating'; readonly migration: string; readonly number: number; readonly of: number }
  | { readonly phase: 'building'; readonly release: string };

/** What a run needs beside its request. */
export interface ApplyContext extends VisitContext {
  readonly progress: (value: ApplyProgress) => void;
}

/**
 * Makes the database look as the request says: runs the pending migrations and publishes the release. Safe to be killed
 * at any moment and to be run by two processes at once; where nothing is to be done it only reads, without the lock.
 *
 * Returns `blocked` where a person must change something; throws a RunFailure where time or an administrator may help,
 * and the reason of the signal when it aborts.
 */
export async function applySchema(request: ApplyRequest, context: ApplyContext): Promise<ApplyResult> {
  await loadSqlParser();
  return await withSession(request, context, (session) => applyWith(session, request, context));
}

async function applyWith(
  session: Session,
  request: ApplyRequest,
  context: ApplyContext,
): Promise<ApplyResult> {
  const before = await readLedger(session, request);
  const verdict = verdictOn(before, request);
  if (verdict !== undefined) return verdict;
  const problem = await sqlProblem(before, request);
  if (problem !== undefined) return problem;

  await lockFor(session, context);
  // Whoever had the lock before us may have done all of it, or have claimed the schema.
  const ledger = await readLedger(session, request);
  const second = verdictOn(ledger, request);
  if (second !== undefined) return second;
  await claimSchema(session, request, ledger);
  const failure = await runPending(session, request, ledger, context);
  if (failure !== undefined) return failure;
  return await publish(session, request, context);
}

/** What the ledger alone decides: everything is done, or nothing may be. */
function verdictOn(ledger: Ledger, request: ApplyRequest): ApplyResult | undefined {
  if (ledger.version > ledgerVersion)
    return {
      kind: 'blocked',
      reason: 'LedgerNewer',
      message: `The ledger in this database has version ${String(ledger.version)}, this operator knows up to ${String(ledgerVersion)}: a newer operator wrote it. Upgrade the operator; nothing was changed.`,
    };
  if (ledger.refusal !== undefined)
    return { kind: 'blocked', reason: 'SchemaClaimed', message: `${ledger.refusal}. Nothing was changed.` };
  const plan = planMigrations(ledger.migrations, request.migrations);
  if (plan.kind === 'blocked')
    return blocked(ledger, request, plan.reason, plan.message, {
      migration: plan.migration,
      message: plan.message,
    });
  const id = releaseId(releaseHash({ ...request, schema: request.exposedSchema }));
  const isDone =
    ledger.version === ledgerVersion &&
    plan.pending.length === 0 &&
    ledger.current !== undefined &&
    servedRelease(ledger, id)?.id === ledger.current;
  return isDone ? applied(ledger, request, []) : undefined;
}

/** The first thing wrong with SQL that has not run yet, found before any of it runs. */
async function sqlProblem(ledger: Ledger, request: ApplyRequest): Promise<ApplyResult | undefined> {
  for (const migration of request.migrations.slice(ledger.migrations.length)) {
    await breathe(); // parsing is synchronous: let the Lease be renewed in between
    const statements = splitSql(migration.sql);
    if (isSplitProblem(statements))
      return migrationBlocked(ledger, request, migration.name, { ...statements, sqlstate: '42601' });
    for (const statement of statements) {
      const problem = migrationProblem(statement);
      if (problem !== undefined)
        return migrationBlocked(
          ledger,
          request,
          migration.name,
          { statement: statement.number, line: statement.line, message: problem.message },
          problem.reason,
        );
    }
  }
  await breathe();
  const statements = splitSql(request.apiSql);
  if (isSplitProblem(statements)) return apiBlocked(ledger, request, { ...statements, sqlstate: '42601' });
  const problem = apiSqlProblem(statements, request.exposedSchema);
  return problem === undefined ? undefined : apiBlocked(ledger, request, problem, 'ApiSqlRefused');
}

async function claimSchema(session: Session, request: ApplyRequest, ledger: Ledger): Promise<void> {
  if (ledger.claimed && ledger.version === ledgerVersion) return;
  try {
    await claim(session, request, ledger.version);
  } catch (error) {
    if (errorKind(error) !== 'permanent') throw error;
    throw new RunFailure(
      'SecretInvalid',
      `The role in the Secret could not write the ledger (schema pgrst_ledger): ${messageOf(error)}${sqlstateOf(error) === '42501' ? '. Grant it CREATE on the database, or use the role that owns the database objects' : ''}.`,
      error,
    );
  }
}

async function runPending(
  session: Session,
  request: ApplyRequest,
  ledger: Ledger,
  context: ApplyContext,
): Promise<ApplyResult | undefined> {
  const first = ledger.migrations.length;
  const pending = request.migrations.slice(first);
  for (const [index, migration] of pending.entries()) {
    context.signal.throwIfAborted();
    context.progress({
      phase: 'migrating',
      migration: migration.name,
      number: index + 1,
      of: pending.length,
    });
    await breathe();
    try {
      await runMigration(transactionContext(session, `migration ${migration.name}`, context), {
        name: migration.name,
        checksum: sqlChecksum(migration.sql),
        exposedSchema: request.exposedSchema,
        position: first + index,
        statements: statementsOf(migration.sql),
        appliedBy: request.identity,
      });
    } catch (error) {
      const failure = failureOf(error);
      return migrationBlocked(await readLedger(session, request), request, migration.name, failure);
    }
  }
  return undefined;
}

async function publish(session: Session, request: ApplyRequest, context: ApplyContext): Promise<ApplyResult> {
  const hash = releaseHash({ ...request, schema: request.exposedSchema });
  const id = releaseId(hash);
  const ledger = await readLedger(session, request);
  const there = servedRelease(ledger, id);
  let findings: readonly StoredTextFinding[] = [];
  if (there === undefined) {
    context.progress({ phase: 'building', release: id });
    try {
      const current = ledger.releases.find((release) => release.id === ledger.current && release.present);
      const result = await buildRelease(transactionContext(session, `release ${id}`, context), {
        exposedSchema: request.exposedSchema,
        id,
        hash,
        releaseSchema: releaseSchema(request.exposedSchema, id),
        sentinel: sentinelName(id),
        apiSql: request.apiSql,
        checksum: sqlChecksum(request.apiSql),
        statements: statementsOf(request.apiSql),
        current,
        builtBy: request.identity,
        strategy: 'Versioned',
        mapper: {
          mapSchemaNames: async (texts, mapping) =>
            await Promise.resolve(texts.map((text) => mapSchemaNames(text, mapping))),
          searchPathNames: async (values) =>
            await Promise.resolve(values.map((value) => searchPathNames(value))),
          mapTestNames: async (texts, mapping) =>
            await Promise.resolve(texts.map((text) => mapTestNames(text, mapping))),
        },
      });
      if (result.kind === 'refused')
        return apiBlocked(ledger, request, { message: result.message }, 'ApiSqlRefused');
      if (result.kind === 'published') findings = result.findings;
    } catch (error) {
      return apiBlocked(ledger, request, failureOf(error));
    }
  } else if (there.id !== ledger.current) {
    await session.query('update pgrst_ledger.claims set current_release = $2 where exposed_schema = $1', [
      request.exposedSchema,
      there.id,
    ]);
  }
  return applied(await readLedger(session, request), request, findings);
}

// The SQL was split before the lock was taken, so it splits.
function statementsOf(sql: string): readonly SqlStatement[] {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) throw new Error(statements.message);
  return statements;
}

/** What the user's SQL did wrong; anything else is thrown again. */
function failureOf(error: unknown): StatementFailure {
  if (error instanceof StatementError) return error.failure;
  if (sqlstateOf(error) !== undefined && errorKind(error) === 'permanent') return failureOfError(error);
  throw error;
}

function migrationBlocked(
  ledger: Ledger,
  request: ApplyRequest,
  migration: string,
  failure: StatementFailure,
  reason: 'MigrationFailed' | 'MigrationNeedsIdempotent' = 'MigrationFailed',
): ApplyResult {
  const where = `Migration ${migration}${placeOf(failure)}`;
  const advice =
    reason === 'MigrationFailed'
      ? ' Nothing of it is in the database: correct its SQL and apply the object again.'
      : '';
  return blocked(ledger, request, reason, `${where}: ${sentence(failure.message)}${advice}`, {
    migration,
    ...failure,
  });
}

function apiBlocked(
  ledger: Ledger,
  request: ApplyRequest,
  failure: StatementFailure,
  reason: 'ApiBuildFailed' | 'ApiSqlRefused' = 'ApiBuildFailed',
): ApplyResult {
  const advice =
    reason === 'ApiBuildFailed' ? ' Nothing was published: correct the SQL and apply the object again.' : '';
  const message = `spec.api${placeOf(failure)}: ${sentence(failure.message)}${advice}`;
  return blocked(ledger, request, reason, message, failure);
}

function placeOf(failure: StatementFailure): string {
  if (failure.statement === undefined || failure.line === undefined) return '';
  const state = failure.sqlstate === undefined ? '' : ` (SQLSTATE ${failure.sqlstate})`;
  return `, statement ${String(failure.statement)} at line ${String(failure.line)}${state}`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
