import type { RunnableStatement } from '../migration/runnable.ts';
import { dropSchemas, keptBeside, soloFailure } from './contraction.ts';
import { contractionFailure } from './contractionRefusal.ts';
import { problemSentence } from './problemSentence.ts';
import { watchReleases, type ReleaseSchema } from './releaseContents.ts';
import type { PlanRequest, PlanTools } from './runPlan.ts';
import type { StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import { needText, surveyContraction, type ContractionSurvey } from './surveyContraction.ts';
import { beginTrial, rolledBack, trialLimits, type Trial, type TrialEnd, type TrialLimits } from './trial.ts';

/** What a dry run of one contraction came to. */
export type ContractionVerdict =
  | { readonly kind: 'fits' }
  /** PostgreSQL refuses it, or the operator does. */
  | { readonly kind: 'refused'; readonly failure: StatementFailure }
  /** It would have taken too long to find out. */
  | { readonly kind: 'unknown'; readonly message: string };

/**
 * Tries one contraction, without the releases that it ends, in a transaction that is rolled back. What it locks is
 * locked for at most a few seconds (`trialLimits`). Call it with the lock held. Throws what the connection threw.
 */
export async function dryRunContraction(
  session: Session,
  contraction: OneContraction,
  limits: TrialLimits = trialLimits,
): Promise<ContractionVerdict> {
  const alone = soloFailure(contraction.statements);
  if (alone !== undefined) return { kind: 'refused', failure: alone };
  const end = await rolledBack(session, async () => {
    const trial = await beginTrial(session, limits);
    return await tryOne(session, trial, contraction);
  });
  if (end === undefined) return { kind: 'fits' };
  if (end.kind === 'stopped') return { kind: 'unknown', message: end.message };
  return { kind: 'refused', failure: end.failure };
}

/** The release that the API SQL would become, while it is built. */
const candidateId = 'to be built';

/** The build in the same transaction. */
export interface CandidateBuild {
  /** Whether clients would see a difference to the current release. */
  readonly isNew: boolean;
  /** What had the exposed name, under its name for the moment. */
  readonly parked: string | undefined;
}

/**
 * Tries the pending contractions after the migrations and the build, without the releases that need what they take away.
 * Returns the names of those that PostgreSQL took, and a sentence for each problem.
 */
export async function tryContractions(
  session: Session,
  trial: Trial,
  request: PlanRequest,
  surveys: readonly ContractionSurvey[],
  tools: PlanTools,
  { isNew, parked }: CandidateBuild,
): Promise<{ readonly fitting: ReadonlySet<string>; readonly problems: readonly string[] }> {
  const fitting = new Set<string>();
  const problems: string[] = [];
  const candidate = { id: candidateId, schema: request.exposedSchema };
  for (const [index, contraction] of request.contractions.entries()) {
    const { name, targets, statements } = contraction;
    const label = `Contraction ${name}`;
    const alone = soloFailure(statements);
    if (alone !== undefined) {
      problems.push(problemSentence(label, alone));
      continue;
    }
    const needing = needingReleases(request, surveys[index]);
    const own = await surveyContraction(
      session,
      { targets, releases: [candidate], newest: candidateId },
      tools.findMentions,
    );
    const [need] = own.needs;
    if (need !== undefined)
      problems.push(`${label}: the API SQL of this spec needs what it takes away: ${needText(need)}.`);
    else if (!isNew && needing.some(({ id }) => id === request.current?.id))
      problems.push(`${label}: the newest release, ${request.current?.id ?? ''}, needs what it takes away.`);
    // Dropping a schema that clients read, if only for a moment, makes them wait, and one of them may lose a deadlock.
    const read = needing.filter(({ id }) => request.inUse.has(id));
    if (read.length > 0) {
      problems.push(
        `${label}: not tried, because releases that need what it takes away have traffic: ${read.map(({ id }) => id).join(', ')}.`,
      );
      continue;
    }
    await session.query('savepoint contraction');
    const there = request.releases.map(({ id, schema }) => ({
      id,
      schema: schema === request.exposedSchema ? (parked ?? schema) : schema,
    }));
    const ended = there.filter(({ id }) => needing.some((release) => release.id === id));
    const end = await tryOne(session, trial, { name, statements, ended, releases: [...there, candidate] });
    if (end === undefined) {
      fitting.add(name);
      await session.query('release savepoint contraction');
      continue;
    }
    await undo(session);
    if (end.kind === 'stopped') return { fitting, problems: [...problems, `${label}: ${end.message}.`] };
    problems.push(problemSentence(label, end.failure));
  }
  return { fitting, problems };
}

/**
 * Tries the contractions before the pending migrations: a database where they came in that order must work as well. A
 * sentence for the migration that no longer runs.
 */
export async function tryReversed(
  session: Session,
  request: PlanRequest,
  surveys: readonly ContractionSurvey[],
  limits: TrialLimits,
): Promise<readonly string[]> {
  const trial = await beginTrial(session, limits);
  const taken: string[] = [];
  for (const [index, { name, statements }] of request.contractions.entries()) {
    if (soloFailure(statements) !== undefined) continue;
    await session.query('savepoint contraction');
    const ended = needingReleases(request, surveys[index]);
    if (ended.some(({ id }) => request.inUse.has(id))) {
      await session.query('release savepoint contraction');
      continue;
    }
    const { releases } = request;
    // One that fails here takes away what a pending migration makes: then there is but one order.
    if ((await tryOne(session, trial, { name, statements, ended, releases })) !== undefined)
      await undo(session);
    else taken.push(name);
  }
  if (taken.length === 0) return [];
  for (const { name, statements } of request.migrations) {
    const end = await trial.run(name, statements);
    if (end === undefined) continue;
    const isCertain = end.kind === 'failed' && trial.tried.every(({ isTried }) => isTried);
    if (!isCertain) return [];
    return [
      `${problemSentence(`Migration ${name}`, end.failure)} That is so once contraction ${taken.join(', ')} has run, and it may come first in another database: write both so that either order works.`,
    ];
  }
  return [];
}

/** A contraction, the releases that it ends, and all that are there. */
interface OneContraction {
  readonly name: string;
  readonly statements: readonly RunnableStatement[];
  readonly ended: readonly ReleaseSchema[];
  readonly releases: readonly ReleaseSchema[];
}

async function tryOne(
  session: Session,
  trial: Trial,
  { name, statements, ended, releases }: OneContraction,
): Promise<TrialEnd | undefined> {
  const schemas = ended.map(({ schema }) => schema);
  const dropped = await trial.limit(() => dropSchemas(session, schemas));
  if (dropped.kind !== 'done') return dropped;
  if (dropped.value !== undefined) return refused(dropped.value);
  const hurt = await watchReleases(session, keptBeside(releases, ended));
  const end = await trial.run(name, statements);
  if (end?.kind === 'failed')
    return { ...end, failure: contractionFailure(end.failure, end.cause, releases) };
  if (end !== undefined) return end;
  const damage = await hurt();
  return damage === undefined ? undefined : refused(damage);
}

function refused(message: string): TrialEnd {
  return { kind: 'failed', failure: { message }, cause: undefined };
}

async function undo(session: Session): Promise<void> {
  await session.query('rollback to savepoint contraction');
  await session.ownSettings();
}

function needingReleases(
  { releases }: PlanRequest,
  survey: ContractionSurvey | undefined,
): readonly ReleaseSchema[] {
  return releases.filter(({ id }) => survey?.needs.some(({ release }) => release === id) === true);
}
