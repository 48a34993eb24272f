import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { apiVersion, durationMs, finalizer } from '../../api/v1alpha1/shared.ts';
import type { Owner } from '../../resources/names.ts';
import { contentHash, type RevisionSnapshot } from '../../resources/revision.ts';
import { replicasOf, warmLeftMs, type ScaleInput } from '../../rollout/scale.ts';
import { chooseTarget, type Target } from '../../rollout/target.ts';
import { decideTraffic } from '../../rollout/traffic.ts';
import { legacy, type RevisionState, type TrafficDecision } from '../../rollout/types.ts';
import { refKey, refOf } from '../../runtime/object.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import { takeAction } from './action.ts';
import { checkBudget, type BudgetCheck } from './budgetCheck.ts';
import { candidateOf, failureOf, unquestioned } from './candidate.ts';
import { decideDeletion } from './deletion.ts';
import { baseObjects, revisionObjects, takeOverObjects, trafficObjects } from './objects.ts';
import { credentialNotes } from './credentials.ts';
import { desiredRevision, type Desired, type NewRevision } from './desired.ts';
import type { Decided, InstancePlan } from './plan.ts';
import { podOrder } from './podOrder.ts';
import { blockedBy, findProblem, type Problem } from './problem.ts';
import { decidePooler } from './pooler.ts';
import { outdated } from './prune.ts';
import { reloading } from './reload.ts';
import {
  historyAfter,
  isReproving,
  refusedStatus,
  rolloutNotes,
  statusAfter,
  withoutRollout,
} from './status.ts';
import { endingRevisions } from './usable.ts';
import { canTakeOver, isWorn, workloadOf } from './workloads.ts';
import type { Work, World } from './world.ts';
import { isPodProved, isTrafficProved, trafficOrder } from './work.ts';

/** How often a settled instance is looked at although nothing was seen to change. */
const recheckMs = 10 * 60_000;
/** How soon an instance is looked at again while it waits for pods or proofs, should a change be missed. */
const waitMs = 5000;

/** Pure: the whole reconcile of an ApiInstance as data. */
export function decide(world: World): InstancePlan {
  const owner = ownerOf(world);
  if (world.metadata.deletionTimestamp !== undefined) return decideDeletion(world, owner);
  const problem = findProblem(world);
  const { spec } = world;
  if (!spec) return noted(world, withoutRollout(world, problem));
  const desired = desiredRevision(world, spec);
  const action = takeAction(world, spec, desired);
  if (action?.alone) return action.alone;
  const plan = noted(world, decideRollout(action?.world ?? world, spec, owner, desired, problem));
  if (!action) return plan;
  const { metadata, notes } = action.accepting;
  return { ...plan, metadata: { ...plan.metadata, ...metadata }, notes: [...notes, ...plan.notes] };
}

function decideRollout(
  world: World,
  spec: ApiInstanceSpec,
  owner: Owner,
  desired: Desired | undefined,
  problem: Problem | undefined,
): InstancePlan {
  if (spec.suspend) {
    return withoutRollout(
      world,
      {
        reason: 'Suspended',
        message: 'spec.suspend is true: nothing is changed. Set it to false to go on.',
      },
      { desired },
    );
  }
  const failure = problem ? undefined : failureOf(world, spec, desired);
  const known: World = failure ? { ...world, status: { ...world.status, ...failure } } : world;
  const choose = (wanted: Desired | undefined): Target | undefined =>
    chooseTarget({
      desired: wanted,
      main: known.route.main,
      stable: known.status.stable?.revision,
      candidate: known.status.candidate?.revision,
      kept: new Set([...known.revisions.map(({ number }) => number), ...(desired ? [desired.number] : [])]),
      rejected: known.status.rejected ?? [],
    });
  const chosen = choose(problem ? undefined : desired);
  const budget = checkBudget(known, spec, chosen, desired);
  const stays = budget.isAsking || budget.problem !== undefined;
  const target = stays ? choose(undefined) : chosen;
  const obstacle = problem ?? budget.problem;
  if (!target)
    return budget.isAsking
      ? asking(known, budget.orders)
      : withoutRollout(world, obstacle, { desired, budget });
  // Traffic goes back in this very plan, before its status is written: what failed is explained after.
  const plan = rollOut(known, spec, owner, target, desired, obstacle, budget);
  return budget.isAsking ? asking(known, plan.work) : plan;
}

/** With Events for what its status says anew. */
function noted(world: World, plan: InstancePlan): InstancePlan {
  return plan.status ? { ...plan, notes: [...plan.notes, ...rolloutNotes(world.status, plan.status)] } : plan;
}

/** Nothing moves until it is known whether there is room for what is about to begin; what was proved stays so. */
function asking({ status }: World, work: InstancePlan['work']): InstancePlan {
  const outcome = { kind: 'waiting', on: 'connections', retryAfterMs: waitMs } as const;
  return { apply: [], prune: [], ...(work ? { work } : {}), status, notes: [], outcome };
}

function rollOut(
  world: World,
  spec: ApiInstanceSpec,
  owner: Owner,
  target: Target,
  desired: Desired | undefined,
  problem: Problem | undefined,
  budget: BudgetCheck,
): InstancePlan {
  const isNew = desired?.number === target.revision && !('podTemplate' in desired.revision);
  const revisions = [...world.revisions, ...(isNew ? [desired.revision] : [])];
  const states = new Map([
    ...withoutSnapshot(world),
    ...revisions.map((r) => [r.number, revisionState(r, world)] as const),
  ]);
  const state = target.revision === legacy ? legacyState(spec) : states.get(target.revision);
  // Somebody has deleted its snapshot: nothing can be derived from it.
  if (!state) return withoutRollout(world, problem);

  const targetRevision = revisions.find(({ number }) => number === target.revision);
  if (targetRevision && !isWorn(world, targetRevision) && canTakeOver(world, targetRevision))
    return takeOver(world, owner, targetRevision);

  const { status } = world;
  const resumes = isUnderWay(status, target.revision);
  const candidate = target.mode === 'stepwise' ? candidateOf(world, spec, target.revision) : unquestioned;
  const traffic = decideTraffic({
    now: world.now,
    route: world.route,
    hasFrom: world.hasFrom,
    target: state,
    mode: target.mode,
    steps: spec.rollout.steps,
    replicas: spec.replicas,
    capacity: spec.rollout.capacity,
    step: resumes ? (status.step ?? 0) : 0,
    pausedSince: resumes && status.pausedSince !== undefined ? Date.parse(status.pausedSince) : undefined,
    isHeld: resumes && status.heldSince !== undefined,
    isFast: resumes && status.fast === true,
    isSettling: settlesIn(world, target.revision),
    clearance: candidate.clearance,
    judgement: candidate.judgement,
    isProved: (expectation) => isTrafficProved(expectation, spec, world),
  });
  // PostgREST backs off for up to 32 s when its first look-up of the pooler fails: pods come after the pooler.
  const canStart = !spec.pooler || world.pooler.ready > 0 || (world.route.main ?? legacy) !== legacy;
  const pooler = decidePooler(world, spec, owner);
  const prune = outdated(
    world,
    owner,
    spec,
    [target.revision, ...(desired ? [desired.number] : [])],
    traffic,
  );
  const gone = new Set(prune.revisions);
  const kept = revisions.filter(({ number }) => !gone.has(number));
  const ended = {
    world,
    spec,
    target,
    desired,
    problem,
    traffic,
    candidate,
    budget,
    resumes,
    states,
    canStart,
    pooler,
  };
  const decided = { ...ended, history: historyAfter(ended) };
  const scale = scaleInput(decided);
  const after = statusAfter(decided);
  const reload = reloading(world, owner);
  // Server-side apply would take over what somebody else has under a name of ours.
  const foreign = new Set(world.foreign.map(refKey));
  return {
    ...(world.metadata.finalizers?.includes(finalizer)
      ? {}
      : { metadata: { finalizers: [...(world.metadata.finalizers ?? []), finalizer] } }),
    apply: [
      ...baseObjects(owner, spec, world),
      ...(pooler?.objects ?? []),
      ...kept.flatMap((revision) =>
        revisionObjects(
          owner,
          revision,
          canStart ? replicasFor(revision.number, states, scale) : undefined,
          world,
        ),
      ),
      ...trafficObjects(owner, spec, traffic.route, world),
      ...reload.pokes,
    ].filter((object) => !foreign.has(refKey(refOf(object)))),
    prune: [...prune.objects, ...reload.replaced],
    work: [
      ...workFor(world, spec, owner, traffic),
      ...candidate.orders,
      ...budget.orders,
      ...reload.orders,
      ...(pooler?.orders ?? []),
    ],
    notes: credentialNotes(kept, world),
    status: isReproving(decided) ? world.status : after,
    refused: (message) => refusedStatus(world, after, message),
    outcome: outcomeOf(world, traffic, problem, scale),
  };
}

/**
 * The workload of a revision becomes its own: the next reconcile sees it have the other's pods, and whatever route those
 * have. Nothing else happens in this one.
 */
function takeOver(world: World, owner: Owner, revision: RevisionSnapshot | NewRevision): InstancePlan {
  return {
    apply: takeOverObjects(owner, revision, world),
    prune: [],
    status: world.status,
    notes: [],
    outcome: { kind: 'waiting', on: 'the settings', retryAfterMs: 0 },
  };
}

/** Whether the revision has just taken over the pods of the one that was stable: they are still to load its settings. */
function settlesIn(world: World, revision: number): boolean {
  const stable = world.status.stable?.revision;
  return (
    stable !== undefined && stable !== revision && workloadOf(world, stable) === workloadOf(world, revision)
  );
}

/** Whether status speaks of a rollout, or a way back, to this revision: else what it remembers is of another one. */
function isUnderWay({ candidate, lastAction, stable }: World['status'], revision: number): boolean {
  if (candidate) return candidate.revision === revision;
  // A rollback that was just accepted: its way has not begun yet.
  return lastAction?.verb === 'rollback' && lastAction.target === revision && stable?.revision !== revision;
}

/** The service of `rollout.from`: it has no pods of ours that could be waited for. */
function legacyState({ replicas }: ApiInstanceSpec): RevisionState {
  return {
    number: legacy,
    hash: '',
    release: '',
    replicas,
    pods: replicas,
    ready: replicas,
    proved: replicas,
  };
}

function revisionState(revision: RevisionSnapshot | NewRevision, world: World): RevisionState {
  return {
    number: revision.number,
    hash: 'hash' in revision ? revision.hash : contentHash(revision.content),
    release: revision.content.release.id,
    ...podsOf(revision.number, world),
  };
}

/**
 * The revision that serves, although somebody has deleted its snapshot: its pods are as they are and cannot be made
 * anew, but traffic can stay there, or go back there.
 */
function withoutSnapshot(world: World): (readonly [number, RevisionState])[] {
  const { main } = world.route;
  if (main === undefined || main === legacy) return [];
  const { stable } = world.status;
  const release = stable?.revision === main ? stable.release : '';
  return [[main, { number: main, hash: '', release, ...podsOf(main, world) }]];
}

function podsOf(number: number, world: World): Pick<RevisionState, 'replicas' | 'pods' | 'ready' | 'proved'> {
  const pods = world.pods.filter((pod) => pod.revision === number);
  const ready = pods.filter((pod) => pod.isReady);
  return {
    replicas: world.deployments.get(number)?.replicas,
    pods: pods.length,
    ready: ready.length,
    proved: ready.filter((pod) => isPodProved(pod, world)).length,
  };
}

function scaleInput({ world, spec, target, traffic, history }: Decided): ScaleInput {
  return {
    now: world.now,
    routes: [world.route, traffic.route],
    target: target.revision,
    replicas: spec.replicas,
    size: traffic.size,
    isTrafficProved:
      traffic.expects.length > 0 && traffic.expects.every((e) => isTrafficProved(e, spec, world)),
    isMoving: traffic.stage !== 'Settled',
    history,
    warmForMs: durationMs(spec.rollout.warmFor),
    ending: endingRevisions(world),
  };
}

function replicasFor(number: number, states: ReadonlyMap<number, RevisionState>, scale: ScaleInput): number {
  const state = states.get(number);
  return state ? replicasOf(state, scale) : 0;
}

function workFor(
  world: World,
  spec: ApiInstanceSpec,
  owner: Owner,
  traffic: TrafficDecision,
): WorkOrder<Work>[] {
  const releases = new Map(world.revisions.map((r) => [r.number, r.content.release.id]));
  const publishedAt = (revision: number): number | undefined => {
    const builtAt = world.schema?.releases.find(({ id }) => id === releases.get(revision))?.builtAt;
    return builtAt === undefined ? undefined : Date.parse(builtAt);
  };
  return [
    // Those of a revision that is still warm too: a rollback to it has nothing to wait for.
    ...world.pods.flatMap((pod) => podOrder(pod, publishedAt(pod.revision), world)),
    ...traffic.expects.flatMap((expectation) => trafficOrder(expectation, world, owner, spec)),
  ];
}

function outcomeOf(
  world: World,
  traffic: TrafficDecision,
  problem: Problem | undefined,
  scale: ScaleInput,
): InstancePlan['outcome'] {
  if (traffic.stage !== 'Settled') {
    const retryAfterMs = Math.min(traffic.wakeAfterMs ?? waitMs, waitMs);
    return { kind: 'waiting', on: traffic.stage, retryAfterMs };
  }
  if (problem) return blockedBy(problem);
  const cooling = world.revisions
    .filter(({ number }) => (world.deployments.get(number)?.replicas ?? 0) > 0)
    .map(({ number }) => warmLeftMs(number, scale))
    .filter((left) => left > 0);
  return { kind: 'settled', recheckAfterMs: Math.min(recheckMs, ...cooling) };
}

function ownerOf({ metadata }: World): Owner {
  const { name, namespace, uid } = metadata;
  return { apiVersion, kind: 'ApiInstance', name, namespace, uid };
}
