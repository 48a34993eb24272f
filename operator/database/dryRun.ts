import type { ApiDescription } from '../migration/apiDescription.ts';
import { buildCandidate } from './candidate.ts';
import { describeChange } from './description.ts';
import { problemSentence } from './problemSentence.ts';
import type { PlannedStatement, PlanRequest, PlanTools, RunPlan } from './runPlan.ts';
import type { StatementFailure } from './runStatements.ts';
import type { Session } from './session.ts';
import { surveyContraction, type ContractionSurvey } from './surveyContraction.ts';
import {
  beginTrial,
  rolledBack,
  trialLimits,
  type Trial,
  type TrialEnd,
  type TrialLimits,
  type TriedStatement,
} from './trial.ts';
import { tryContractions, tryReversed, type CandidateBuild } from './tryContractions.ts';

/**
 * Tries a whole run in one transaction that is always rolled back: the pending migrations, the build of the API SQL, the
 * contractions without the releases that need what they take away; then, in another one, the contractions before the
 * migrations, because a database where they came in that order must work as well. What was tried holds its locks until
 * then: the limits say for how long. Only what a sequence has given out stays given out.
 *
 * Call it with the lock held. Throws what the connection threw.
 */
export async function planRun(
  session: Session,
  request: PlanRequest,
  tools: PlanTools,
  limits: TrialLimits = trialLimits,
): Promise<RunPlan> {
  const { migrations, contractions, releases } = request;
  const surveys: ContractionSurvey[] = [];
  for (const { targets } of contractions)
    surveys.push(await surveyContraction(session, { targets, releases }, tools.findMentions));
  const forward = await rolledBack(session, () => tryForward(session, request, surveys, tools, limits));
  const overlaps =
    forward.isComplete && migrations.length > 0 && contractions.length > 0
      ? await rolledBack(session, () => tryReversed(session, request, surveys, limits))
      : [];
  const { change } = forward;
  return {
    statements: await planned(request, forward.tried, tools),
    ...(forward.failure === undefined ? {} : { failure: forward.failure }),
    api: change === undefined ? undefined : await tools.diffApi(change.before, change.after),
    contractions: contractions.map(({ name, opaque }, index) => ({
      name,
      opaque,
      fits: forward.fitting.has(name),
      needs: surveys[index]?.needs ?? [],
      outside: surveys[index]?.outside ?? [],
    })),
    problems: [...forward.problems, ...overlaps],
  };
}

interface Forward {
  readonly tried: readonly TriedStatement[];
  /** It came to its end, whatever the contractions met. */
  readonly isComplete: boolean;
  readonly failure?: StatementFailure & { readonly source: string };
  readonly change?: ApiChangeText;
  /** Names of the contractions that PostgreSQL took. */
  readonly fitting: ReadonlySet<string>;
  readonly problems: readonly string[];
}

interface ApiChangeText {
  readonly before: ApiDescription;
  readonly after: ApiDescription;
}

async function tryForward(
  session: Session,
  request: PlanRequest,
  surveys: readonly ContractionSurvey[],
  tools: PlanTools,
  limits: TrialLimits,
): Promise<Forward> {
  const trial = await beginTrial(session, limits);
  const incomplete = { tried: trial.tried, isComplete: false, fitting: new Set<string>() };
  // The build knows its own writes by the id of the transaction; what a subtransaction writes carries another one.
  await session.query('savepoint before');
  const prepared = await trial.limit(() => request.prepare(session));
  if (prepared.kind !== 'done')
    return { ...incomplete, ...ended('What comes before the migrations', 'roles', prepared, trial) };
  if (prepared.value !== undefined) return { ...incomplete, problems: [prepared.value] };
  await session.query('release savepoint before');
  for (const { name, statements } of request.migrations) {
    await session.query('savepoint before');
    const end = await trial.run(name, statements);
    if (end !== undefined) return { ...incomplete, ...ended(`Migration ${name}`, name, end, trial) };
    await session.query('release savepoint before');
  }
  const built = await tryBuild(session, request, trial, limits);
  if (built.kind !== 'built') return { ...incomplete, ...ended('spec.api', 'api', built, trial) };
  const tested = await tryContractions(session, trial, request, surveys, tools, built);
  return { ...incomplete, isComplete: true, change: built.change, ...tested };
}

interface Built extends CandidateBuild {
  readonly kind: 'built';
  readonly change: ApiChangeText;
}

async function tryBuild(
  session: Session,
  { exposedSchema, api, current, sentinelOf }: PlanRequest,
  trial: Trial,
  limits: TrialLimits,
): Promise<Built | TrialEnd> {
  const candidate = await trial.limit(() => buildCandidate(session, exposedSchema, api));
  if (candidate.kind !== 'done') return candidate;
  const { parked, refusal } = candidate.value;
  if (refusal !== undefined) return { kind: 'failed', failure: { message: refusal }, cause: undefined };
  const before = current && {
    schema: current.schema === exposedSchema ? (parked ?? exposedSchema) : current.schema,
    as: exposedSchema,
    except: sentinelOf(current.id),
  };
  const after = { schema: exposedSchema, as: exposedSchema, except: undefined };
  // Thousands of views take their time to be compared.
  const change = await trial.limit(() => describeChange(session, before, after), limits.budgetMs / 2);
  if (change.kind === 'stopped')
    return {
      ...change,
      message: `it was built, but not compared with the newest release: ${change.message}`,
    };
  if (change.kind === 'failed') return change;
  const isNew = change.value.before.length > 0 || change.value.after.length > 0;
  return { kind: 'built', change: change.value, isNew, parked };
}

function ended(
  label: string,
  source: string,
  end: TrialEnd,
  trial: Trial,
): Pick<Forward, 'failure' | 'problems'> {
  const rest = 'What comes after it was not tried.';
  if (end.kind === 'stopped') return { problems: [`${label}: ${end.message}. ${rest}`] };
  const missing = trial.tried.find(({ isTried }) => !isTried);
  const doubt =
    missing === undefined
      ? ''
      : ` Statement ${String(missing.statement.number)} of migration ${missing.source} runs outside of a transaction and was not tried, which may be the cause.`;
  return {
    failure: { source, ...end.failure },
    problems: [`${problemSentence(label, end.failure)}${doubt} ${rest}`],
  };
}

async function planned(
  request: PlanRequest,
  tried: readonly TriedStatement[],
  tools: PlanTools,
): Promise<readonly PlannedStatement[]> {
  const all = [...request.migrations, ...request.contractions].flatMap(({ name, statements }) =>
    statements.map((statement) => ({ source: name, statement })),
  );
  const results = new Map(tried.map((each) => [each.statement, each]));
  const texts = await tools.maskConstants(all.map(({ statement }) => statement.text));
  return all.map(({ source, statement }, index) => {
    const result = results.get(statement);
    return {
      source,
      number: statement.number,
      line: statement.line,
      text: texts[index] ?? '',
      locks: result?.locks ?? [],
      rewrites: result?.rewrites ?? [],
      transaction: statement.solo === undefined,
      isTried: result?.isTried ?? false,
    };
  });
}
