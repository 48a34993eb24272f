import type { SqlAnalyst } from '../../analysis/analyst.ts';
import { runContraction } from '../../database/contraction.ts';
import { announceChanges, renewSnapshots } from '../../database/drift.ts';
import {
  newerLedger,
  readLedger,
  readUpgradedLedger,
  type Claimant,
  type Ledger,
} from '../../database/ledger.ts';
import { problemSentence } from '../../database/problemSentence.ts';
import type { ReleaseSchema } from '../../database/releaseContents.ts';
import type { Session } from '../../database/session.ts';
import { surveyContraction, type ContractionSurvey } from '../../database/surveyContraction.ts';
import { dryRunContraction } from '../../database/tryContractions.ts';
import {
  lockFor,
  transactionContext,
  withSession,
  type Visit,
  type VisitContext,
} from '../../database/withSession.ts';
import { sqlChecksum } from '../../migration/checksum.ts';
import type { RunnableStatement } from '../../migration/runnable.ts';
import type { LaneEntry } from './lane.ts';

/** Which contraction is next, and what is there. */
interface NextContraction extends Claimant, Visit {
  readonly contraction: LaneEntry;
  /** All releases whose schemas are there. */
  readonly releases: readonly ReleaseSchema[];
}

/** The contraction to look at. */
export interface SurveyRequest extends NextContraction {
  /** Ids of the releases that it must not end: clients read them, or a spec names them. */
  readonly inUse: readonly string[];
}

/** What a look at a contraction came to. */
export type SurveyResult =
  | (ContractionSurvey & {
      readonly kind: 'surveyed';
      /** Commands of it whose effect its text does not tell. */
      readonly opaque: readonly string[];
      /** Why it would be refused, a sentence; undefined when PostgreSQL took it, or it could not be tried. */
      readonly refusal?: string;
    })
  | ContractionRefused;

/** A contraction that cannot run as it is; nothing of it is in the database. */
export interface ContractionRefused {
  readonly kind: 'contractionRefused';
  readonly message: string;
}

/** The contraction that is to run now. */
export interface ContractRequest extends NextContraction {
  /** Index in the spec, from 0. */
  readonly position: number;
  /** The releases that it ends. No kept revision uses them any more. */
  readonly ended: readonly ReleaseSchema[];
}

/** What running a contraction came to. */
export type ContractResult = { readonly kind: 'contracted'; readonly name: string } | ContractionRefused;

/** What both need beside their request. */
export interface ContractContext extends VisitContext {
  readonly analyst: SqlAnalyst;
}

/**
 * Finds out which releases need what the contraction takes away, and, unless one of them is in use, whether PostgreSQL
 * takes it: tried in a transaction that is rolled back, which holds its locks for a few seconds at most.
 */
export async function survey(request: SurveyRequest, context: ContractContext): Promise<SurveyResult> {
  const { contraction, releases } = request;
  const statements = await read(contraction, context.analyst);
  if ('message' in statements) return statements;
  const reading = await context.analyst.call('contractionTargets', contraction.sql);
  if ('message' in reading) return refused(contraction.name, reading.message);
  const { targets, opaque } = reading;
  return await withSession(request, context, async (session): Promise<SurveyResult> => {
    const foreign = foreignLedger(contraction.name, await readLedger(session, request));
    if (foreign !== undefined) return foreign;
    const found = await surveyContraction(session, { targets, releases }, (bodies, sought) =>
      context.analyst.call('findMentions', bodies, sought),
    );
    const refusal = await refusalOf(session, request, statements, found, context);
    return {
      kind: 'surveyed',
      ...found,
      opaque: opaque.map(({ command }) => command),
      ...(refusal === undefined ? {} : { refusal }),
    };
  });
}

async function refusalOf(
  session: Session,
  { contraction: { name }, releases, inUse }: SurveyRequest,
  statements: readonly RunnableStatement[],
  { needs }: ContractionSurvey,
  context: ContractContext,
): Promise<string | undefined> {
  const needed = new Set(needs.map(({ release }) => release));
  if (inUse.some((id) => needed.has(id))) return undefined;
  // It says nothing of its waiting: it may be the contraction itself that is at work, and the survey before stands.
  await lockFor(session, { ...context, progress: () => undefined });
  const ended = releases.filter(({ id }) => needed.has(id));
  const verdict = await dryRunContraction(session, { name, statements, ended, releases });
  return verdict.kind === 'refused' ? problemSentence(`Contraction ${name}`, verdict.failure) : undefined;
}

/** Runs the contraction and drops the releases that it ends, in one transaction, once. */
export async function contract(request: ContractRequest, context: ContractContext): Promise<ContractResult> {
  const { contraction, exposedSchema, position, ended, releases, identity } = request;
  const { name, sql } = contraction;
  const statements = await read(contraction, context.analyst);
  if ('message' in statements) return statements;
  return await withSession(request, context, async (session): Promise<ContractResult> => {
    await lockFor(session, context);
    const ledger = await readUpgradedLedger(session, request);
    const foreign = foreignLedger(name, ledger);
    if (foreign !== undefined) return foreign;
    const transaction = transactionContext(session, `contraction ${name}`, context);
    await renewSnapshots(transaction, exposedSchema);
    if (ledger.contractions.some((row) => row.name === name)) return { kind: 'contracted', name };
    await announceChanges(transaction, exposedSchema);
    const result = await runContraction(transaction, {
      exposedSchema,
      name,
      checksum: sqlChecksum(sql),
      position,
      statements,
      appliedBy: identity,
      ended,
      releases,
    });
    await renewSnapshots(transaction, exposedSchema);
    if (result.kind === 'refused')
      return { kind: 'contractionRefused', message: problemSentence(`Contraction ${name}`, result.failure) };
    return { kind: 'contracted', name };
  });
}

async function read(
  { name, sql }: LaneEntry,
  analyst: SqlAnalyst,
): Promise<readonly RunnableStatement[] | ContractionRefused> {
  const [result] = await analyst.call('readMigrations', [{ name, sql, idempotent: false }]);
  if (result === undefined) throw new Error(`contraction ${name} was not read`);
  return result.kind === 'problem' ? refused(name, result.failure.message) : result.statements;
}

/** Why we must not touch the database, nor tell what is in it. */
function foreignLedger(name: string, ledger: Ledger): ContractionRefused | undefined {
  const reason = newerLedger(ledger) ?? ledger.refusal;
  return reason === undefined ? undefined : refused(name, `${reason}.`);
}

function refused(name: string, message: string): ContractionRefused {
  return { kind: 'contractionRefused', message: `Contraction ${name}: ${message}` };
}
