import type { SqlAnalyst } from '../../analysis/analyst.ts';
import { runContraction } from '../../database/contraction.ts';
import { refreshSnapshots, readDifferences } from '../../database/drift.ts';
import { readLedger, type Claimant } from '../../database/ledger.ts';
import type { ReleaseSchema } from '../../database/releaseContents.ts';
import { surveyContraction, type ContractionSurvey } from '../../database/surveyContraction.ts';
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
export interface SurveyRequest extends Claimant, Visit {
  readonly contraction: LaneEntry;
  /** All releases whose schemas are there. */
  readonly releases: readonly ReleaseSchema[];
}

/** What a look at a contraction came to. */
export type SurveyResult =
  | (ContractionSurvey & {
      readonly kind: 'surveyed';
      /** Commands of it whose effect its text does not tell. */
      readonly opaque: readonly string[];
    })
  | ContractionRefused;

/** A contraction that cannot run as it is; nothing of it is in the database. */
export interface ContractionRefused {
  readonly kind: 'contractionRefused';
  readonly message: string;
}

/** The contraction that is to run now. */
export interface ContractRequest extends SurveyRequest {
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

/** Finds out which releases need what the contraction takes away. Takes no lock that anybody would notice. */
export async function survey(request: SurveyRequest, context: ContractContext): Promise<SurveyResult> {
  const { contraction, releases } = request;
  const statements = await read(contraction, context.analyst);
  if ('message' in statements) return statements;
  const reading = await context.analyst.call('contractionTargets', contraction.sql);
  if ('message' in reading) return refused(contraction.name, reading.message);
  const { targets, opaque } = reading;
  return await withSession(request, context, async (session) => {
    const found = await surveyContraction(session, { targets, releases }, (bodies, sought) =>
      context.analyst.call('findMentions', bodies, sought),
    );
    return { kind: 'surveyed', ...found, opaque: opaque.map(({ command }) => command) };
  });
}

/** Runs the contraction and drops the releases that it ends, in one transaction, once. */
export async function contract(request: ContractRequest, context: ContractContext): Promise<ContractResult> {
  const { contraction, exposedSchema, position, ended, releases, identity } = request;
  const { name, sql } = contraction;
  const statements = await read(contraction, context.analyst);
  if ('message' in statements) return statements;
  return await withSession(request, context, async (session): Promise<ContractResult> => {
    await lockFor(session, context);
    const ledger = await readLedger(session, request);
    if (ledger.contractions.some((row) => row.name === name)) return { kind: 'contracted', name };
    const standing = await readDifferences(session, exposedSchema);
    const result = await runContraction(transactionContext(session, `contraction ${name}`, context), {
      exposedSchema,
      name,
      checksum: sqlChecksum(sql),
      position,
      statements,
      appliedBy: identity,
      ended,
      releases,
    });
    if (result.kind === 'refused') return refused(name, result.failure.message);
    await refreshSnapshots(session, exposedSchema, standing);
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

function refused(name: string, message: string): ContractionRefused {
  return { kind: 'contractionRefused', message: `Contraction ${name}: ${message}` };
}
