import type { ApiInstanceStatus, RolloutOutcome } from '../../api/v1alpha1/apiInstanceStatus.ts';
import { isoTime } from '../../api/v1alpha1/shared.ts';
import { selectorText } from '../../resources/names.ts';
import { changeBetween } from '../../resources/settingsChange.ts';
import { timeoutsOf } from '../../resources/timeouts.ts';
import { addHistory } from '../../rollout/actions.ts';
import type { HistoryEntry } from '../../rollout/scale.ts';
import { legacy, type RevisionState, type Stage } from '../../rollout/types.ts';
import type { EventNote } from '../../runtime/reconciler.ts';
import type { BudgetCheck } from './budgetCheck.ts';
import { instanceConditions, standingConditions } from './conditions.ts';
import type { Decided, InstancePlan } from './plan.ts';
import { poolerNotes, poolerStatus } from './poolerStatus.ts';
import { blockedBy, type Problem } from './problem.ts';
import {
  assumedBecause,
  isTrafficProved,
  podVersion,
  trafficProvedAt,
  unreachable,
  wasSettled,
} from './work.ts';
import type { Desired } from './desired.ts';
import { isReloaded } from './reload.ts';
import { workloadOf } from './workloads.ts';
import type { World } from './world.ts';

/** The whole status after a decision. */
export function statusAfter(decided: Decided): ApiInstanceStatus {
  const { world, target, traffic, states, history } = decided;
  const isSettled = traffic.stage === 'Settled';
  const settledOn = target.revision === legacy ? undefined : target.revision;
  const stable = isSettled ? settledOn : world.status.stable?.revision;
  // What is left by an abort is no candidate any more; `traffic` tells how much it still gets.
  const candidate = isSettled || target.revision === stable ? undefined : settledOn;
  const { main } = world.route;
  const serving = main === undefined ? undefined : states.get(main);
  const { lastAction, rejected, restart } = world.status;
  const reload = reloadAfter(decided);
  const change = changeAhead(world, decided.desired);
  const timeouts = serving && timeoutsOfRevision(world, serving.number);
  const after: ApiInstanceStatus = {
    observedGeneration: world.metadata.generation,
    conditions: instanceConditions(decided),
    ...(serving
      ? {
          replicas: serving.pods,
          selector: selectorText(world.metadata.name, workloadOf(world, serving.number)),
        }
      : { replicas: 0 }),
    ...describe('stable', stable, world, states),
    ...describe('candidate', candidate, world, states),
    ...trafficAfter(decided),
    ...(candidate === undefined ? {} : rolloutAfter(decided)),
    ...(timeouts ? { timeouts } : {}),
    ...poolerStatus(decided),
    ...(restart ? { restart } : {}),
    ...(reload ? { reload } : {}),
    ...(change ? { change } : {}),
    ...(rejected && rejected.length > 0 ? { rejected } : {}),
    ...(lastAction ? { lastAction } : {}),
    ...(history.length > 0 ? { history: [...history] } : {}),
  };
  return candidate === undefined ? after : { ...after, ...progressedAfter(decided, after) };
}

/** The last reload, with its end once every pod has done it. */
function reloadAfter({ world, spec, states }: Decided): ApiInstanceStatus['reload'] {
  const { reload } = world.status;
  if (!reload || reload.doneAt !== undefined) return reload;
  const isProved = (states.get(reload.revision)?.proved ?? 0) >= spec.replicas;
  return isProved && isReloaded(reload, world) ? { ...reload, doneAt: isoTime(world.now) } : reload;
}

/** What the revision of the spec changes beside the one that serves, and what that takes; undefined when it serves. */
function changeAhead(world: World, desired: Desired | undefined): ApiInstanceStatus['change'] {
  const { main } = world.route;
  const serving = world.revisions.find(({ number }) => number === main);
  if (!serving || !desired || desired.number === main) return undefined;
  const { effect, what } = changeBetween(serving.content, desired.revision.content);
  // What could be told to pods is not where nobody could tell whether they have heard it.
  const shares = workloadOf(world, serving.number) === (desired.revision.workload ?? desired.number);
  return {
    from: serving.number,
    to: desired.number,
    effect: effect === 'Reload' && !shares ? 'NewPods' : effect,
    what: what.slice(0, 20),
  };
}

/** What is remembered of the rollout, or the way back, that is under way. */
function rolloutAfter({ world, traffic, candidate, resumes }: Decided): Partial<ApiInstanceStatus> {
  const known = resumes ? world.status : {};
  const { heldSince, fast, startedAt, analysis } = known;
  const { canary } = traffic.route;
  const verdict = candidate.analysis;
  const isSame =
    verdict?.verdict === analysis?.verdict &&
    canary?.revision === analysis?.revision &&
    canary?.weight === analysis?.weight;
  const judged =
    verdict && canary
      ? {
          revision: canary.revision,
          weight: canary.weight,
          verdict: verdict.verdict,
          message: verdict.message,
        }
      : undefined;
  const shown = isSame ? analysis : judged;
  return {
    step: traffic.step,
    ...(traffic.pausedSince === undefined ? {} : { pausedSince: isoTime(traffic.pausedSince) }),
    ...(heldSince === undefined ? {} : { heldSince }),
    ...(fast === undefined ? {} : { fast }),
    startedAt: startedAt ?? isoTime(world.now),
    ...(candidate.breaking ? { breaking: candidate.breaking } : {}),
    ...(shown ? { analysis: shown } : {}),
  };
}

/** In these stages the rollout waits for people or for clients, and no deadline runs. */
const waiting: ReadonlySet<Stage> = new Set([
  'StepPaused',
  'ManuallyPaused',
  'AwaitingApproval',
  'TooFewRequests',
  'AnalysisInconclusive',
]);

/** When the rollout last got further: it has another step, or another share of the traffic. */
function progressedAfter(
  { world, traffic, resumes }: Decided,
  after: ApiInstanceStatus,
): Partial<ApiInstanceStatus> {
  if (waiting.has(traffic.stage)) return {};
  const marks = ({ step, traffic: share }: ApiInstanceStatus) =>
    [step, share?.revision, share?.weight, share?.provedWeight].join(' ');
  const { progressedAt } = world.status;
  const stands = resumes && progressedAt !== undefined && marks(world.status) === marks(after);
  return { progressedAt: stands ? progressedAt : isoTime(world.now) };
}

function timeoutsOfRevision({ revisions }: World, number: number): ApiInstanceStatus['timeouts'] {
  const serving = revisions.find((revision) => revision.number === number);
  return serving && timeoutsOf(serving.content);
}

/**
 * Whether all that is missing is a second look at what was seen before: a new operator process proves everything once
 * more, and until it has, the status that is there stands. Otherwise every restart would take Ready away for a second.
 */
export function isReproving({ world, spec, target, traffic, states }: Decided): boolean {
  const { status } = world;
  return (
    wasSettled(world) &&
    traffic.stage === 'ProvingTraffic' &&
    target.revision === status.stable?.revision &&
    (states.get(target.revision)?.ready ?? 0) >= spec.replicas &&
    traffic.expects.every((e) => unreachable(e, spec, world) === undefined)
  );
}

/** The status after a decision whose objects the API server does not take: what the spec passes on to them is wrong. */
export function refusedStatus(world: World, after: ApiInstanceStatus, words: string): ApiInstanceStatus {
  const message = `The API server does not take what the spec makes of an object: ${words.slice(0, 2000)}. Correct spec.postgrest.podTemplate or spec.networkPolicy and apply it again.`;
  return { ...after, conditions: standingConditions(world, { reason: 'InvalidSpec', message }) };
}

/**
 * A plan that leaves what runs alone and says why nothing is rolled out. `desired`: what would be. `budget`: where
 * nothing runs yet.
 */
export function withoutRollout(
  world: World,
  problem: Problem | undefined,
  { desired, budget }: { readonly desired?: Desired | undefined; readonly budget?: BudgetCheck } = {},
): InstancePlan {
  const { change: _before, ...known } = world.status;
  const change = changeAhead(world, desired);
  const status: ApiInstanceStatus = {
    ...known,
    ...(change ? { change } : {}),
    observedGeneration: world.metadata.generation,
    conditions: standingConditions(world, problem, budget?.answer),
  };
  return {
    apply: [],
    prune: [],
    ...(budget ? { work: budget.orders } : {}),
    status,
    notes: [],
    outcome: problem ? blockedBy(problem) : { kind: 'waiting', on: 'the world', retryAfterMs: 5000 },
  };
}

/** Events for what changed: a rollout that began or ended, and a problem that came up. */
export function rolloutNotes(before: ApiInstanceStatus, after: ApiInstanceStatus): EventNote[] {
  const notes: EventNote[] = [];
  notes.push(...poolerNotes(before, after));
  const newest = after.history?.[0];
  if (newest && newest.at !== before.history?.[0]?.at) {
    notes.push(endNote(newest));
  }
  const began = after.candidate?.revision;
  if (began !== undefined && began !== before.candidate?.revision) {
    notes.push({
      type: 'Normal',
      reason: 'ShiftingTraffic',
      note: `Traffic is to go to revision ${began} (release ${after.candidate?.release ?? ''}).`,
    });
  }
  const weight = after.traffic?.provedWeight;
  if (weight !== undefined && weight > 0 && weight !== before.traffic?.provedWeight) {
    notes.push({
      type: 'Normal',
      reason: 'Proved',
      note: `Revision ${after.traffic?.revision ?? 0} was seen to get ${weight} % of the traffic.`,
    });
  }
  const stalled = after.conditions?.find(({ type }) => type === 'Stalled');
  const stalledBefore = before.conditions?.find(({ type }) => type === 'Stalled');
  if (stalled?.status === 'True' && stalled.message !== stalledBefore?.message) {
    notes.push({ type: 'Warning', reason: stalled.reason, note: stalled.message });
  }
  return notes;
}

function endNote({ revision, release, from, outcome, message }: HistoryEntry): EventNote {
  const which = `revision ${revision} (release ${release})`;
  switch (outcome) {
    case 'Promoted':
      return { type: 'Normal', reason: 'RolloutComplete', note: `All traffic is on ${which}.` };
    case 'FastPromoted':
      return {
        type: 'Normal',
        reason: outcome,
        note: `All traffic is on ${which}; steps and checks were skipped.`,
      };
    case 'RolledBack':
    case 'FastRolledBack':
      return {
        type: 'Warning',
        reason: outcome,
        note: `Rolled back from revision ${from ?? 0}: all traffic is on ${which}.`,
      };
    case 'Aborted':
    case 'Superseded':
      return {
        type: 'Warning',
        reason: outcome,
        note: `The rollout of ${which} was ${outcome.toLowerCase()}; it had not been promoted.${message === undefined ? '' : ` ${message}`}`,
      };
  }
}

function describe(
  role: 'stable' | 'candidate',
  revision: number | undefined,
  world: World,
  states: ReadonlyMap<number, RevisionState>,
): Pick<ApiInstanceStatus, 'stable' | 'candidate'> {
  if (revision === undefined) return {};
  const state = states.get(revision);
  const known = world.status[role];
  if (!state) return known?.revision === revision ? { [role]: known } : {};
  const { release, pods, proved } = state;
  const version =
    versionOf(revision, world) ?? (isSamePods(known?.revision, revision, world) ? known?.version : undefined);
  return {
    [role]: {
      revision,
      release,
      replicas: pods,
      ready: proved,
      ...(version === undefined ? {} : { version }),
    },
  };
}

/** The version of PostgREST that its pods say they run. */
function versionOf(revision: number, world: World): string | undefined {
  return world.pods
    .filter((pod) => pod.revision === revision)
    .map((pod) => podVersion(pod, world))
    .find((version) => version !== undefined);
}

function isSamePods(known: number | undefined, revision: number, world: World): boolean {
  return known !== undefined && workloadOf(world, known) === workloadOf(world, revision);
}

function trafficAfter({ world, spec, target, traffic }: Decided): Pick<ApiInstanceStatus, 'traffic'> {
  const { canary, main } = traffic.route;
  const asked = { revision: canary?.revision ?? target.revision, weight: canary?.weight ?? 0 };
  if (main === undefined || asked.revision === legacy) return {};
  const before = world.status.traffic;
  const seen =
    traffic.seen ?? traffic.expects.find((e) => e.kind === 'weights' && isTrafficProved(e, spec, world));
  if (
    seen?.kind === 'weights' &&
    assumedBecause(seen, spec, world) === undefined &&
    (before?.provedWeight !== seen.weight || before.revision !== asked.revision)
  ) {
    const at = trafficProvedAt(seen, spec, world) ?? world.now;
    return { traffic: { ...asked, provedWeight: seen.weight, provedAt: isoTime(at) } };
  }
  // Another revision behind the canary: what was proved of the one before says nothing about it.
  if (before?.revision !== asked.revision) return { traffic: asked };
  const { provedWeight, provedAt } = before;
  return {
    traffic: {
      ...asked,
      ...(provedWeight === undefined ? {} : { provedWeight }),
      ...(provedAt === undefined ? {} : { provedAt }),
    },
  };
}

/** The rollouts that ended, with what this decision ends in front: how long a revision stays warm counts from there. */
export function historyAfter({
  world,
  spec,
  target,
  desired,
  states,
  traffic,
  resumes,
}: Omit<Decided, 'history'>): HistoryEntry[] {
  const { stable, candidate, startedAt, fast } = world.status;
  const before = stable?.revision ?? (spec.rollout.from ? legacy : undefined);
  let history = [...(world.status.history ?? [])];
  const end = (revision: number, outcome: RolloutOutcome, from: number | undefined): void => {
    const release = states.get(revision)?.release ?? '';
    history = addHistory(history, {
      revision,
      release,
      ...(from === undefined ? {} : { from }),
      outcome,
      ...(startedAt === undefined ? {} : { startedAt }),
      at: isoTime(world.now),
    });
  };
  // A candidate that is left without anybody having said abort: the spec went on, or back.
  const isRejected = (world.status.rejected ?? []).some(({ revision }) => revision === candidate?.revision);
  const wasGoingForward = candidate && candidate.revision !== stable?.revision && !isRejected;
  if (wasGoingForward && candidate.revision !== target.revision && desired && !target.rejection) {
    end(candidate.revision, target.revision === stable?.revision ? 'Aborted' : 'Superseded', before);
  }
  if (traffic.stage === 'Settled' && stable?.revision !== target.revision && target.revision !== legacy) {
    const isFast = resumes && fast === true;
    // A way back may end when the spec is already another one than that which it left.
    const isBack = (world.status.rejected ?? []).some(
      ({ revision, to }) => revision === stable?.revision && to === target.revision,
    );
    const back = isFast ? 'FastRolledBack' : 'RolledBack';
    const forward = isFast ? 'FastPromoted' : 'Promoted';
    end(target.revision, target.rejection || isBack ? back : forward, before);
  }
  return history;
}
