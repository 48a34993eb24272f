import type { ApiSchemaStatus, Change, Release } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { Condition } from '../../api/v1alpha1/shared.ts';
import type { Drift } from '../../database/driftSentences.ts';
import type { LintResult } from '../../lint/source.ts';
import { findCondition, setCondition, type ConditionDraft } from '../../runtime/conditions.ts';
import { driftText } from './blocked.ts';
import { notDropped } from './collecting.ts';
import type { ConditionAnswer } from './conditionAnswer.ts';
import { fittedStatus, shownMessage } from './fittedStatus.ts';
import type { LedgerSummary } from './ledgerSummary.ts';
import { findingText } from './reviewSql.ts';
import { servedAnswer } from './served.ts';
import type { World } from './world.ts';

/** What a decision says about the object; conditions, status and Events are made from it. */
export interface Verdict {
  /** Whether the database is as the spec says. */
  readonly status: Condition['status'];
  readonly reason: Reason;
  /** What is so, and what to do about it. */
  readonly message: string;
  /** A person must act. */
  readonly isStalled: boolean;
  /** Something beside the above on which a person must act. */
  readonly stalledBy?: ConditionAnswer;
  /** Places of a release just built whose names could not be mapped, as `function, line n`. */
  readonly unmapped?: readonly string[];
  /** What the ledger says now; absent: as before. */
  readonly summary?: LedgerSummary;
  /** Why it could not be applied; absent: it could, or is being. `keep`: as before. */
  readonly lastError?: NonNullable<ApiSchemaStatus['lastError']> | 'keep';
  // What was found out on the way; absent: as before.
  readonly lint?: LintResult;
  readonly drift?: readonly Drift[];
  readonly tests?: NonNullable<ApiSchemaStatus['tests']>;
  readonly changes?: readonly Change[];
  readonly plan?: NonNullable<ApiSchemaStatus['plan']>;
  /** The condition ContractionPending. */
  readonly contraction?: ConditionAnswer;
  /** Ids of the releases that a contraction ends. */
  readonly ending?: readonly string[];
}

/** The verdict that the status holds already: for work that may still turn out to change nothing. */
export function previousVerdict(world: World): Verdict | undefined {
  const { status, metadata } = world.object;
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready === undefined || status?.observedGeneration !== metadata.generation) return undefined;
  const stalled = findCondition(status.conditions, 'Stalled');
  return {
    status: ready.status,
    reason: ready.reason as Reason,
    message: ready.message,
    isStalled: stalled?.status === 'True' && stalled.reason === ready.reason,
    lastError: 'keep',
  };
}

const shown = 50;

/** The whole status for a verdict. */
export function statusFor(world: World, verdict: Verdict): ApiSchemaStatus {
  const previous = world.object.status ?? {};
  const { generation } = world.object.metadata;
  const { summary } = verdict;
  const release = summary === undefined ? previous.release : summary.release;
  const lastError = verdict.lastError === 'keep' ? previous.lastError : verdict.lastError;
  const releases = releasesFor(world, verdict);
  const changes = verdict.changes === undefined ? previous.changes : [...verdict.changes];
  const findings = verdict.lint === undefined ? previous.findings : findingsOf(verdict.lint);
  const plan = verdict.plan ?? (previous.plan?.generation === generation ? previous.plan : undefined);
  return fittedStatus({
    observedGeneration: generation,
    conditions: conditionsFor(world, verdict, release),
    ...optional('release', release),
    ...optional('releases', releases),
    ...optional('notDropped', notDropped(world, summary)),
    ...optional('migrations', summary === undefined ? previous.migrations : laneOf(summary.migrations)),
    ...optional('contractions', summary === undefined ? previous.contractions : laneOf(summary.contractions)),
    ...optional('findings', findings),
    ...optional('changes', changes),
    ...optional('tests', verdict.tests ?? previous.tests),
    ...optional('plan', plan),
    ...optional('approved', previous.approved),
    ...optional('lastAction', previous.lastAction),
    ...optional('lastError', lastError),
  });
}

function optional<K extends string, T>(key: K, value: T | undefined): Partial<Record<K, T>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, T>);
}

function laneOf(lane: LedgerSummary['migrations']) {
  return { ...lane, last: [...lane.last] };
}

function findingsOf({ findings }: LintResult): NonNullable<ApiSchemaStatus['findings']> {
  return worstFirst(findings).map(({ rule, level, source, statement, line, message, why, fix }) => ({
    rule,
    level,
    source,
    statement,
    line,
    message: `${message} ${why} ${fix}`,
  }));
}

function worstFirst(findings: LintResult['findings']): LintResult['findings'] {
  return [...findings].sort((a, b) => Number(b.level === 'error') - Number(a.level === 'error'));
}

/** The releases with those who use them; where there are too many, those in use come first into the list. */
function releasesFor(world: World, { summary, ending = [] }: Verdict): ApiSchemaStatus['releases'] {
  const known = summary?.releases ?? world.object.status?.releases;
  const all = known?.map(({ id, schema, builtAt }) => {
    const usedBy = world.usage
      .filter(({ release }) => release === id)
      .slice(0, shown)
      .map(({ instance, revision, hasTraffic }) => ({
        instance,
        revision,
        ...(hasTraffic ? { hasTraffic } : {}),
      }));
    return {
      id,
      schema,
      builtAt,
      ...(usedBy.length === 0 ? {} : { usedBy }),
      ...(ending.includes(id) ? { ending: true } : {}),
    };
  });
  if (all === undefined || all.length <= shown) return all;
  const unused = all.filter(({ usedBy }) => usedBy === undefined).slice(Math.max(0, shown - usedCount(all)));
  return all.filter((release) => !unused.includes(release)).slice(0, shown);
}

function usedCount(releases: readonly { readonly usedBy?: unknown }[]): number {
  return releases.filter(({ usedBy }) => usedBy !== undefined).length;
}

function conditionsFor(world: World, verdict: Verdict, release: Release | undefined): Condition[] {
  const { status, reason, message, stalledBy } = verdict;
  const drafts: ConditionDraft[] = [
    { type: 'Ready', status, reason, message },
    { type: 'Applied', status, reason, message },
    { type: 'Served', ...servedAnswer(world, verdict, release) },
    ...draft('LintPassed', verdict.lint === undefined ? undefined : lintAnswer(verdict.lint)),
    ...draft('Drifted', driftAnswer(world, verdict.drift)),
    ...draft('ContractionPending', verdict.contraction ?? idleLane(world, verdict)),
    verdict.isStalled || stalledBy === undefined
      ? { type: 'Stalled', status: verdict.isStalled ? 'True' : 'False', reason, message }
      : { type: 'Stalled', ...stalledBy, status: 'True' },
  ];
  const observedGeneration = world.object.metadata.generation;
  return drafts.reduce<Condition[]>(
    (list, { message: text, ...each }) =>
      setCondition(list, { ...each, message: shownMessage(text), observedGeneration }, world.now),
    [...(world.object.status?.conditions ?? [])],
  );
}

function draft(type: string, answer: ConditionAnswer | undefined): ConditionDraft[] {
  return answer === undefined ? [] : [{ type, ...answer }];
}

function lintAnswer({ findings, failed, ignored }: LintResult): ConditionAnswer {
  const left = ignored === 0 ? '' : ` Ignored: ${String(ignored)}.`;
  const [worst] = worstFirst(findings);
  if (worst === undefined)
    return {
      status: 'True',
      reason: 'LintClean',
      message: `The lint found nothing in the newest SQL.${left}`,
    };
  const count = `${String(findings.length)} finding${findings.length === 1 ? '' : 's'}, see status.findings; the worst: ${findingText(worst)}`;
  return {
    status: failed ? 'False' : 'True',
    reason: failed ? 'LintFailed' : 'LintWarnings',
    message: `${count}${left}`,
  };
}

function driftAnswer({ spec }: World, drift: readonly Drift[] | undefined): ConditionAnswer | undefined {
  if (spec.kind === 'valid' && spec.value.drift === 'Ignore')
    return { status: 'Unknown', reason: 'NotCompared', message: 'spec.drift is Ignore.' };
  if (drift === undefined) return undefined;
  return drift.length === 0
    ? { status: 'False', reason: 'NoDrift', message: 'Releases and ledger are as the operator left them.' }
    : { status: 'True', reason: 'DriftDetected', message: driftText(drift) };
}

/** What is said of the second lane while it is not its turn; undefined: as before. */
function idleLane(world: World, { status, summary }: Verdict): ConditionAnswer | undefined {
  const { spec, object } = world;
  if (spec.kind === 'valid' && spec.value.contractions.length === 0)
    return { status: 'False', reason: 'NoContraction', message: 'The spec has no contractions.' };
  const said = findCondition(object.status?.conditions, 'ContractionPending');
  const { applied } = (summary ?? object.status)?.contractions ?? { applied: 0 };
  const isPending =
    spec.kind === 'valid' ? spec.value.contractions.length > applied : said?.status !== 'False';
  // A look at a database that is as the spec says changes nothing of what was said; when all have run, nothing does.
  if (said !== undefined && (status === 'True' || (!isPending && said.status === 'False'))) return undefined;
  if (!isPending)
    return { status: 'False', reason: 'NoContraction', message: 'All contractions of the spec have run.' };
  return {
    status: 'True',
    reason: 'Contracting',
    message:
      'Contractions wait until the migrations and the API SQL have been applied: see the condition Applied.',
  };
}
