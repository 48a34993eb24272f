import type { ApiInstanceStatus, RolloutOutcome } from '../../api/v1alpha1/apiInstanceStatus.ts';
import { isoTime } from '../../api/v1alpha1/shared.ts';
import { selectorText } from '../../resources/names.ts';
import { addHistory } from '../../rollout/actions.ts';
import type { HistoryEntry } from '../../rollout/scale.ts';
import type { RevisionState } from '../../rollout/types.ts';
import type { EventNote } from '../../runtime/reconciler.ts';
import { instanceConditions, standingConditions } from './conditions.ts';
import type { Decided, InstancePlan } from './plan.ts';
import { blockedBy, type Problem } from './problem.ts';
import { isTrafficProved, trafficProvedAt, unreachable } from './work.ts';
import type { World } from './world.ts';

/** The whole status after a decision. */
export function statusAfter(decided: Decided): ApiInstanceStatus {
  const { world, target, traffic, states, history } = decided;
  const isSettled = traffic.stage === 'Settled';
  const stable = isSettled ? target.revision : (world.status.stable?.revision ?? undefined);
  // What is left by an abort is no candidate any more; `traffic` tells how much it still gets.
  const candidate = isSettled || target.revision === stable ? undefined : target.revision;
  const serving = world.main === undefined ? undefined : states.get(world.main);
  const { lastAction, rejected } = world.status;
  return {
    observedGeneration: world.metadata.generation,
    conditions: instanceConditions(decided),
    ...(serving
      ? { replicas: serving.pods, selector: selectorText(world.metadata.name, serving.number) }
      : { replicas: 0 }),
    ...describe('stable', stable, world, states),
    ...describe('candidate', candidate, world, states),
    ...trafficAfter(decided),
    ...(candidate === undefined ? {} : { step: traffic.step }),
    ...(candidate === undefined || traffic.pausedSince === undefined
      ? {}
      : { pausedSince: isoTime(traffic.pausedSince) }),
    ...(rejected && rejected.length > 0 ? { rejected } : {}),
    ...(lastAction ? { lastAction } : {}),
    ...(history.length > 0 ? { history: [...history] } : {}),
  };
}

/**
 * Whether all that is missing is a second look at what was seen before: a new operator process proves everything once
 * more, and until it has, the status that is there stands. Otherwise every restart would take Ready away for a second.
 */
export function isReproving({ world, spec, target, traffic, states }: Decided): boolean {
  const { status } = world;
  const { generation } = world.metadata;
  const wasSettled = status.conditions?.some(
    (c) => c.type === 'Progressing' && c.status === 'False' && c.observedGeneration === generation,
  );
  return (
    wasSettled === true &&
    traffic.stage === 'ProvingTraffic' &&
    target.revision === status.stable?.revision &&
    (states.get(target.revision)?.ready ?? 0) >= spec.replicas &&
    traffic.expects.every((e) => unreachable(e, spec, world.work) === undefined)
  );
}

/** A plan that leaves what runs alone and says why nothing is rolled out. */
export function withoutRollout(world: World, problem: Problem | undefined): InstancePlan {
  const status: ApiInstanceStatus = {
    ...world.status,
    observedGeneration: world.metadata.generation,
    conditions: standingConditions(world, problem),
  };
  return {
    apply: [],
    prune: [],
    status,
    notes: rolloutNotes(world.status, status),
    outcome: problem ? blockedBy(problem) : { kind: 'waiting', on: 'the world', retryAfterMs: 5000 },
  };
}

/** Events for what changed: a rollout that began or ended, and a problem that came up. */
export function rolloutNotes(before: ApiInstanceStatus, after: ApiInstanceStatus): EventNote[] {
  const notes: EventNote[] = [];
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

function endNote({ revision, release, from, outcome }: HistoryEntry): EventNote {
  const which = `revision ${revision} (release ${release})`;
  switch (outcome) {
    case 'Promoted':
      return { type: 'Normal', reason: 'RolloutComplete', note: `All traffic is on ${which}.` };
    case 'RolledBack':
      return {
        type: 'Warning',
        reason: 'RolledBack',
        note: `Rolled back from revision ${from ?? 0}: all traffic is on ${which}.`,
      };
    case 'Aborted':
    case 'Superseded':
      return {
        type: 'Warning',
        reason: outcome,
        note: `The rollout of ${which} was ${outcome.toLowerCase()}; it had not been promoted.`,
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
  return { [role]: { revision, release, replicas: pods, ready: proved } };
}

function trafficAfter({ world, spec, target, traffic }: Decided): Pick<ApiInstanceStatus, 'traffic'> {
  const { canary, main } = traffic.route;
  if (main === undefined) return {};
  const asked = { revision: canary?.revision ?? target.revision, weight: canary?.weight ?? 0 };
  const before = world.status.traffic;
  const seen =
    traffic.seen ?? traffic.expects.find((e) => e.kind === 'weights' && isTrafficProved(e, spec, world.work));
  if (
    seen?.kind === 'weights' &&
    (before?.provedWeight !== seen.weight || before.revision !== asked.revision)
  ) {
    const at = trafficProvedAt(seen, spec, world.work) ?? world.now;
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
  target,
  desired,
  states,
  traffic,
}: Omit<Decided, 'history'>): HistoryEntry[] {
  const { stable, candidate } = world.status;
  let history = [...(world.status.history ?? [])];
  const end = (revision: number, outcome: RolloutOutcome, from: number | undefined): void => {
    const release = states.get(revision)?.release ?? '';
    history = addHistory(history, {
      revision,
      release,
      ...(from === undefined ? {} : { from }),
      outcome,
      at: isoTime(world.now),
    });
  };
  // A candidate that is left without anybody having said abort: the spec went on, or back.
  const isRejected = (world.status.rejected ?? []).some(({ revision }) => revision === candidate?.revision);
  const wasGoingForward = candidate && candidate.revision !== stable?.revision && !isRejected;
  if (wasGoingForward && candidate.revision !== target.revision && desired && !target.rejection) {
    end(
      candidate.revision,
      target.revision === stable?.revision ? 'Aborted' : 'Superseded',
      stable?.revision,
    );
  }
  if (traffic.stage === 'Settled' && stable?.revision !== target.revision) {
    end(target.revision, target.rejection ? 'RolledBack' : 'Promoted', stable?.revision);
  }
  return history;
}
