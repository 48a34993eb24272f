import { createHash } from 'node:crypto';
import { checksumOf } from '../../migration/checksum.ts';
import { needText } from '../../database/surveyContraction.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { Approvable } from './approval.ts';
import { jobStage } from './jobStage.ts';
import type { LaneEntry } from './lane.ts';
import type { LedgerSummary } from './ledgerSummary.ts';
import { laneIdentity } from './lane.ts';
import { orderFor, visitOf, type OrderedWork } from './order.ts';
import { patienceFor, type Inputs } from './request.ts';
import type { ConditionAnswer } from './conditionAnswer.ts';
import type { SurveyResult } from './contractOrder.ts';
import { pendingSet } from './reviewSql.ts';
import { namesOf } from './served.ts';
import { failedMessage } from './verdict.ts';
import type { Usage, Work, World } from './world.ts';

/** How often revisions that leave, or a Job, are looked for while a contraction waits for them; in milliseconds. */
export const contractingPollMs = 2_000;

/** The second lane: what is to be done about it, and what is said. */
export interface Contracting {
  readonly orders: readonly WorkOrder<Work>[];
  /** The condition ContractionPending. */
  readonly answer: ConditionAnswer;
  /** A person must act before it goes on, and not only approve. */
  readonly isStalled: boolean;
  /** What a person may approve now. */
  readonly approvable?: Approvable;
  /** What it takes away is still being looked for. */
  readonly isLooking: boolean;
  /** Ids of the releases that an approved contraction ends: no revision may begin to use them. */
  readonly ending: readonly string[];
  /** It waits for something that wakes nobody. */
  readonly isPolled: boolean;
}

type Surveyed = Extract<SurveyResult, { kind: 'surveyed' }>;

/**
 * The first contraction that has not run: surveyed, approved, then run once no kept revision uses a release that needs
 * what it takes away. A release that has traffic, or that a spec names, is never ended: the contraction waits.
 */
export function contracting(world: World, inputs: Inputs, summary: LedgerSummary): Contracting {
  const lane = inputs.sources.contractions;
  const position = lane.length - summary.contractions.pending;
  const next = lane[position];
  const base = { isStalled: false, isLooking: false, isPolled: false, ending: [] };
  if (next === undefined)
    return { ...base, orders: [], answer: { status: 'False', reason: 'NoContraction', message: none(lane) } };
  const survey = surveyOrder(world, inputs, summary, next);
  const { orders, state } = survey;
  const running = runningContraction(world, inputs, summary, next, position);
  if (running !== undefined) return { ...base, ...running, orders: [...orders, ...running.orders] };
  if (state?.state === 'done' && state.result.kind === 'contractionRefused')
    return { ...base, orders, isStalled: true, answer: pending('ContractionFailed', state.result.message) };
  if (state?.state === 'failed')
    return { ...base, orders, answer: pending('Contracting', failedMessage(state.message)) };
  if (state?.state !== 'done' || state.result.kind !== 'surveyed')
    return {
      ...base,
      orders,
      isLooking: true,
      answer: pending('Contracting', `What contraction ${next.name} takes away is being looked for.`),
    };
  return { ...base, ...afterSurvey(world, inputs, summary, next, position, state.result, orders) };
}

function afterSurvey(
  world: World,
  inputs: Inputs,
  summary: LedgerSummary,
  next: LaneEntry,
  position: number,
  surveyed: Surveyed,
  orders: readonly WorkOrder<Work>[],
): Partial<Contracting> & Pick<Contracting, 'orders' | 'answer'> {
  const needed = [...new Set(surveyed.needs.map(({ release }) => release))];
  const held = heldBy(world, summary, needed);
  if (held !== undefined)
    return {
      orders,
      answer: pending(
        'ReleasesInUse',
        `Contraction ${next.name} waits: ${held} ${needsText(surveyed, needed)}`,
      ),
    };
  if (surveyed.refusal !== undefined)
    return {
      orders,
      isStalled: true,
      answer: pending(
        'ContractionFailed',
        `${surveyed.refusal} It was tried, and nothing of it is in the database.`,
      ),
    };
  const ends = world.usage.filter(({ release }) => needed.includes(release));
  const target = approvableOf(next, needed);
  const isFree =
    inputs.spec.contractions[position]?.approval === 'Automatic' || isApproved(world, next, needed);
  if (!isFree)
    return {
      orders,
      approvable: target,
      answer: pending('AwaitingApproval', approvalText(next, surveyed, ends, needed)),
    };
  if (ends.length > 0)
    return {
      orders,
      ending: needed,
      isPolled: true,
      answer: pending(
        'EndingReleases',
        `Contraction ${next.name} waits until these revisions have left the rollback window: ${usageText(ends)}.`,
      ),
    };
  const job = jobBefore(world, inputs.spec, next);
  if (job !== undefined) {
    const { isStalled, reason, message } = job.verdict;
    return {
      orders: [...orders, ...job.orders],
      ending: needed,
      isStalled,
      isPolled: true,
      answer: pending(reason, message),
    };
  }
  const run = contractOrder(world, inputs, summary, next, position, needed);
  const all = [...orders, ...run.orders];
  const { state } = run;
  if (state?.state === 'done' && state.result.kind === 'contractionRefused')
    return {
      orders: all,
      ending: needed,
      isStalled: true,
      answer: pending('ContractionFailed', `${state.result.message} Nothing of it is in the database.`),
    };
  const text = state?.state === 'failed' ? failedMessage(state.message) : `Contraction ${next.name} runs.`;
  return { orders: all, ending: needed, answer: pending('Contracting', text) };
}

/** The Job that has to succeed first; undefined when it has, or none is wanted. */
function jobBefore(
  world: World,
  spec: Inputs['spec'],
  next: LaneEntry,
): ReturnType<typeof jobStage> | undefined {
  const set = pendingSet([next]);
  const isDone = world.jobs.some(
    ({ state, pendingHash }) => state === 'succeeded' && pendingHash === set.hash,
  );
  return spec.beforeMigration === undefined || isDone ? undefined : jobStage(world, spec, set);
}

/**
 * The contraction that runs, whatever the world has come to since it began: it is left alone unless what it ends has got
 * traffic. Status remembers what that is.
 */
function runningContraction(
  world: World,
  inputs: Inputs,
  summary: LedgerSummary,
  next: LaneEntry,
  position: number,
): Pick<Contracting, 'orders' | 'answer' | 'ending'> | undefined {
  const ending = (world.object.status?.releases ?? []).flatMap(({ id, ending: isEnding }) =>
    isEnding === true ? [id] : [],
  );
  const { orders, state } = contractOrder(world, inputs, summary, next, position, ending);
  if (state?.state !== 'running' || heldBy(world, summary, ending) !== undefined) return undefined;
  return { orders, ending, answer: pending('Contracting', `Contraction ${next.name} runs.`) };
}

/** What a person approves: this text, and the end of these releases. */
function approvableOf(next: LaneEntry, needed: readonly string[]): Approvable {
  const ended =
    needed.length > 10 ? `${String(needed.length)}#${shortHash(needed)}` : [...needed].sort().join('+');
  return `${approvalStem(next)}${ended}`;
}

function approvalStem(next: LaneEntry): Approvable {
  return `contraction/${next.name}@${checksumOf(next).slice(0, 12)}/`;
}

/** Whether somebody has approved it knowing that it ends these releases, or more. */
function isApproved(world: World, next: LaneEntry, needed: readonly string[]): boolean {
  const stem = approvalStem(next);
  return (world.object.status?.approved ?? []).some(
    (what) =>
      what === approvableOf(next, needed) ||
      (what.startsWith(stem) && needed.every((id) => what.slice(stem.length).split('+').includes(id))),
  );
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([...parts].sort()))
    .digest('hex')
    .slice(0, 12);
}

/** Why none of these releases may be ended, as the beginning of a sentence; undefined when they may. */
function heldBy(world: World, summary: LedgerSummary, needed: readonly string[]): string | undefined {
  const newest = summary.release?.id;
  if (newest !== undefined && needed.includes(newest))
    return `the newest release, ${newest}, needs what it takes away.`;
  const users = world.usage.filter(({ release, hasTraffic }) => hasTraffic && needed.includes(release));
  if (users.length > 0)
    return `${usageText(users)} ${users.length === 1 ? 'has' : 'have'} traffic and ${users.length === 1 ? 'needs' : 'need'} what it takes away.`;
  // Also where the revision itself cannot be read.
  const serving = world.followers.filter(({ serves = '', rollsTo = '' }) =>
    needed.some((id) => id === serves || id === rollsTo),
  );
  if (serving.length > 0)
    return `${namesOf(serving)} ${serving.length === 1 ? 'serves' : 'serve'} a release that needs what it takes away.`;
  const pinned = world.followers.filter(({ pins }) => pins !== undefined && needed.includes(pins));
  if (pinned.length > 0)
    return `spec.schemaRef.release of ${pinned.map(({ name }) => name).join(', ')} names a release that needs what it takes away.`;
  return undefined;
}

/** All releases for which `heldBy` would say why. */
function untouchable({ usage, followers }: World, { release }: LedgerSummary): readonly string[] {
  return [
    ...(release === undefined ? [] : [release.id]),
    ...usage.filter(({ hasTraffic }) => hasTraffic).map((each) => each.release),
    ...followers.flatMap(({ pins, serves, rollsTo }) =>
      [pins, serves, rollsTo].filter((id) => id !== undefined),
    ),
  ];
}

function approvalText(
  next: LaneEntry,
  surveyed: Surveyed,
  ends: readonly Usage[],
  needed: readonly string[],
): string {
  const price =
    needed.length === 0
      ? 'No release needs what it takes away.'
      : `It ends ${ends.length === 0 ? 'no kept revision' : `these revisions, to which nobody can roll back then: ${usageText(ends)}`}. ${needsText(surveyed, needed)}`;
  const opaque =
    surveyed.opaque.length === 0
      ? ''
      : ` What ${surveyed.opaque.join(', ')} in it does cannot be told beforehand.`;
  const outside = surveyed.outside.slice(0, 5).map(({ object, what }) => `${object} (${what})`);
  const others =
    outside.length === 0 ? '' : ` Outside of the releases these name it too: ${outside.join(', ')}.`;
  return `Contraction ${next.name} waits for approval. ${price}${opaque}${others} To run it, set the annotation pgrst.dev/action=approve.`;
}

function needsText({ needs }: Surveyed, releases: readonly string[]): string {
  const shown = needs
    .filter(({ release }) => releases.includes(release))
    .slice(0, 5)
    .map(needText);
  return shown.length === 0 ? '' : `${shown.join('; ')}.`;
}

function usageText(usage: readonly Usage[]): string {
  const shown = usage
    .slice(0, 10)
    .map(
      ({ instance, revision, release }) => `${instance} revision ${String(revision)} (release ${release})`,
    );
  return usage.length > shown.length
    ? `${shown.join(', ')} and ${String(usage.length - shown.length)} more`
    : shown.join(', ');
}

function surveyOrder(
  world: World,
  { spec, connection }: Inputs,
  summary: LedgerSummary,
  contraction: LaneEntry,
): OrderedWork {
  const releases = summary.releases.map(({ id, schema }) => ({ id, schema }));
  const inUse = [...new Set(untouchable(world, summary))].sort();
  const request = { ...visitOf(world, connection, spec.schema), contraction, releases, inUse };
  return orderFor(
    { kind: 'survey', request, patience: patienceFor(spec) },
    {
      rest: [
        connection.token,
        spec.schema,
        laneIdentity([contraction]),
        releases,
        summary.migrations.applied,
        inUse,
      ],
    },
    world.work,
    world.now,
  );
}

function contractOrder(
  world: World,
  { spec, connection }: Inputs,
  summary: LedgerSummary,
  contraction: LaneEntry,
  position: number,
  needed: readonly string[],
): OrderedWork {
  const releases = summary.releases.map(({ id, schema }) => ({ id, schema }));
  const ended = releases.filter(({ id }) => needed.includes(id));
  const request = { ...visitOf(world, connection, spec.schema), contraction, position, ended, releases };
  return orderFor(
    { kind: 'contract', request, patience: patienceFor(spec) },
    { rest: [contraction.name, connection.token, spec.schema, laneIdentity([contraction]), ended] },
    world.work,
    world.now,
  );
}

function pending(reason: ConditionAnswer['reason'], message: string): ConditionAnswer {
  return { status: 'True', reason, message };
}

function none(lane: readonly LaneEntry[]): string {
  return lane.length === 0 ? 'The spec has no contractions.' : 'All contractions of the spec have run.';
}
