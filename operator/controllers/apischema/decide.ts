import { findCondition } from '../../runtime/conditions.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import type { EventNote, WorkOrder } from '../../runtime/reconciler.ts';
import { acceptAction, isActionPending, rememberAction, type Approvable } from './approval.ts';
import { collecting } from './collecting.ts';
import { contracting, contractingPollMs, type Contracting } from './contracting.ts';
import { decideDeletion } from './deletion.ts';
import { jobPollMs, jobStage } from './jobStage.ts';
import { orderFor, resyncMs } from './order.ts';
import { blockedOutcome, planFor, secretPollMs, type SchemaPlan } from './plan.ts';
import { planning } from './planning.ts';
import { applyIdentity, applyRequestOf, patienceFor, type Inputs } from './request.ts';
import type { Verdict } from './status.ts';
import { isApplyResult, settledBefore, stalled, verdictOf } from './verdict.ts';
import type { Missing, SchemaWorkState, Work, World } from './world.ts';

/** What is to be done about one ApiSchema. */
export function decide(world: World): SchemaPlan {
  if (world.object.metadata.deletionTimestamp !== undefined) return decideDeletion(world);
  const { plan, approvable, isLooking = false } = decideLive(world);
  // What waits for approval may not be known yet, after a restart of the operator: the answer is not no then.
  if (isActionPending(world) && !isLooking)
    return acceptAction(world, approvable, isShown(world, plan, approvable));
  return rememberAction(world) ?? plan;
}

/** Whether the status that was read says of what waits for approval just what would be said now. */
function isShown({ object }: World, { status }: SchemaPlan, approvable: Approvable | undefined): boolean {
  const type = approvable?.startsWith('release/') === true ? 'Ready' : 'ContractionPending';
  const [then, now] = [object.status, status].map((each) => findCondition(each?.conditions, type));
  return then !== undefined && then.reason === now?.reason && then.message === now.message;
}

interface Decision {
  readonly plan: SchemaPlan;
  /** What a person may approve now. */
  readonly approvable?: Approvable | undefined;
  /** It is still being found out what waits for approval. */
  readonly isLooking?: boolean;
}

function decideLive(world: World): Decision {
  const { spec, connection, sources } = world;
  if (spec.kind === 'invalid') {
    const verdict = stalled('InvalidSpec', `The spec is not valid: ${spec.problem}. Correct it.`);
    return { plan: planFor(world, verdict, blockedOutcome(verdict)) };
  }
  const isSuspended = spec.value.suspend;
  if (connection.kind === 'missing') return { plan: decideMissing(world, connection, isSuspended) };
  if (sources.kind === 'missing') return { plan: decideMissing(world, sources, isSuspended) };
  const inputs: Inputs = { spec: spec.value, connection, sources };
  if (isSuspended) {
    const { orders, plan, failure } = planning(world, inputs);
    const message =
      failure === undefined ? suspended.message : `${suspended.message} It cannot yet: ${failure}`;
    const verdict: Verdict = { ...suspended, message, ...(plan === undefined ? {} : { plan }) };
    return { plan: { ...planFor(world, verdict, { kind: 'settled' }), work: orders } };
  }
  if (world.unmetDependency !== undefined) return { plan: waitForDependency(world, world.unmetDependency) };
  return decideApply(world, inputs);
}

const suspended: Verdict = {
  status: 'Unknown',
  reason: 'Suspended',
  message:
    'Suspended: nothing is changed in the database until spec.suspend is false; status.plan shows what would be. What is served stays served.',
  isStalled: false,
  lastError: 'keep',
};

function decideApply(world: World, inputs: Inputs): Decision {
  // What the ledger said before this is not so any more: everything is looked at anew.
  if (hasChangedLedger(world)) {
    const verdict = settledBefore(world) ?? verdictOf(world, undefined);
    const outcome: Outcome = { kind: 'waiting', on: 'a new look at the database', retryAfterMs: 100 };
    const plan = planFor(world, verdict, outcome);
    return { plan: { ...plan, work: [], notes: [...plan.notes, ...droppedNotes(world)] }, isLooking: true };
  }
  const request = applyRequestOf(world, inputs);
  const patience = patienceFor(inputs.spec);
  const {
    orders: applies,
    state,
    standing,
  } = orderFor(
    { kind: 'apply', request, patience },
    // A look at the releases would wait for the locks of a contraction.
    { ...applyIdentity(inputs, request), isHeld: isContracting(world) },
    world.work,
    world.now,
  );
  const planned = planning(world, inputs);
  const orders = [...applies, ...planned.orders];
  const plan = planned.plan === undefined ? {} : { plan: planned.plan };
  const result = standing !== undefined && isApplyResult(standing) ? standing : undefined;
  if (result?.kind === 'needsJob' && state?.state === 'done') {
    const stage = jobStage(world, inputs.spec, result.pending);
    const verdict: Verdict = { ...stage.verdict, ...plan, summary: result.summary, ...lintOf(result) };
    const outcome = verdict.isStalled ? blockedOutcome(verdict, jobPollMs) : waitingFor(verdict, jobPollMs);
    return decided(world, verdict, outcome, [...orders, ...stage.orders]);
  }
  if (result?.kind === 'applied') {
    const lane = contracting(world, inputs, result.summary);
    const mayCollect = lane.ending.length === 0 && state?.state === 'done';
    const collect = mayCollect ? collecting(world, inputs, result.summary) : [];
    const verdict = withContraction({ ...verdictOf(world, state), ...plan }, lane);
    const outcome = outcomeOfLane(verdict, lane, state);
    const all = [...orders, ...lane.orders, ...collect];
    const { approvable, isLooking } = lane;
    return { ...decided(world, verdict, outcome, all), approvable, isLooking };
  }
  const verdict = { ...verdictOf(world, state), ...plan };
  const approvable: Approvable | undefined =
    result?.kind === 'blocked' && result.release !== undefined ? `release/${result.release}` : undefined;
  const isLooking = state === undefined || state.state === 'running';
  return { ...decided(world, verdict, outcomeOf(verdict, state), orders), approvable, isLooking };
}

function decided(
  world: World,
  verdict: Verdict,
  outcome: Outcome,
  work: readonly WorkOrder<Work>[],
): Decision {
  return { plan: { ...planFor(world, verdict, outcome), work } };
}

function isContracting({ work }: World): boolean {
  return [...work].some(([id, { state }]) => id.startsWith('contract-') && state === 'running');
}

function hasChangedLedger(world: World): boolean {
  const hasContracted = [...world.work.values()].some(
    (state) => state.state === 'done' && state.result.kind === 'contracted',
  );
  return hasContracted || droppedIn(world).length > 0;
}

function droppedIn({ work }: World): readonly string[] {
  return [...work.values()].flatMap((state) =>
    state.state === 'done' && 'dropped' in state.result ? state.result.dropped : [],
  );
}

function droppedNotes(world: World): readonly EventNote[] {
  const dropped = droppedIn(world);
  if (dropped.length === 0) return [];
  const note = `No kept revision uses these releases any more, and they were dropped: ${dropped.slice(0, 20).join(', ')}.`;
  return [{ type: 'Normal', reason: 'ReleasesDropped', note }];
}

function withContraction(verdict: Verdict, { answer, isStalled, ending }: Contracting): Verdict {
  return { ...verdict, contraction: answer, ending, ...(isStalled ? { stalledBy: answer } : {}) };
}

function lintOf({ lint }: { readonly lint?: Verdict['lint'] }): Pick<Verdict, 'lint'> {
  return lint === undefined ? {} : { lint };
}

// A run that is under way stays under way: the Secret may only be on its way from one version to the next.
function decideMissing(world: World, missing: Missing, isSuspended: boolean): SchemaPlan {
  if (isSuspended) return { ...planFor(world, suspended, { kind: 'settled' }), work: [] };
  const verdict = stalled(missing.reason, missing.message);
  return planFor(world, verdict, blockedOutcome(verdict, secretPollMs));
}

function waitForDependency(world: World, message: string): SchemaPlan {
  const verdict: Verdict = { status: 'False', reason: 'WaitingForDependency', message, isStalled: false };
  // What runs already was begun when it was met: it goes on.
  return planFor(world, verdict, waitingFor(verdict, resyncMs));
}

function outcomeOfLane(verdict: Verdict, lane: Contracting, state: SchemaWorkState | undefined): Outcome {
  return lane.isPolled ? waitingFor(verdict, contractingPollMs) : outcomeOf(verdict, state);
}

function outcomeOf(verdict: Verdict, state: SchemaWorkState | undefined): Outcome {
  if (state?.state !== 'done') return waitingFor(verdict, resyncMs);
  return verdict.isStalled
    ? blockedOutcome(verdict, resyncMs)
    : { kind: 'settled', recheckAfterMs: resyncMs };
}

function waitingFor(verdict: Verdict, retryAfterMs: number): Outcome {
  return { kind: 'waiting', on: verdict.message, retryAfterMs };
}
