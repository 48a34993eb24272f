import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { durationMs } from '../../api/v1alpha1/shared.ts';
import type { ConnectionLimits, SessionCount } from '../../database/connectionLimits.ts';
import {
  budgetOf,
  demandWords,
  directPods,
  type Demand,
  type Limit,
} from '../../resources/connectionBudget.ts';
import { names } from '../../resources/names.ts';
import type { RevisionContent } from '../../resources/revision.ts';
import { warmLeftMs } from '../../rollout/scale.ts';
import type { Target } from '../../rollout/target.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { Answer } from './answer.ts';
import type { Desired } from './desired.ts';
import type { Problem } from './problem.ts';
import { workloadOf } from './workloads.ts';
import type { LimitsAnswer, Work, World } from './world.ts';

/** Whether the database has room for what a cutover opens. */
export interface BudgetCheck {
  /** The condition ConnectionBudget; undefined while nothing is known. */
  readonly answer: Answer | undefined;
  readonly orders: readonly WorkOrder<Work>[];
  /** A rollout that is about to begin waits for the answer. */
  readonly isAsking: boolean;
  /** Why it does not begin. What runs already is never held up. */
  readonly problem: Problem | undefined;
}

/** The type of the condition. */
const type = 'ConnectionBudget';
/** How often the database is asked again while a rollout that does not fit waits to begin. */
const beginningMs = 60_000;
/** And while nothing waits, but what is there does not fit or is not known. */
const restMs = 10 * 60_000;

const nothing: BudgetCheck = { answer: undefined, orders: [], isAsking: false, problem: undefined };

/**
 * What there is to say about connections before the target is gone for. The sum is made without the database; it is asked
 * when a rollout is about to begin, and when the sum has become another one. What fits and stays the same is not asked
 * about again: the condition remembers it.
 */
export function checkBudget(
  world: World,
  spec: ApiInstanceSpec,
  target: Target | undefined,
  desired: Desired | undefined,
): BudgetCheck {
  const { databaseUri } = world;
  // What takes over the pods that serve opens nothing more.
  if (!target || takesOver(world, target, desired)) return nothing;
  const demand = demandOf(world, spec, target, desired);
  const words = demandWords(demand);
  const known = standing(world, words);
  if (databaseUri.state === 'missing') return { ...nothing, answer: known };
  const begins = isBeginning(world, target);
  if (!begins && known?.status === 'True') return { ...nothing, answer: known };
  const round = Math.floor(world.now / (begins ? beginningMs : restMs));
  const order: WorkOrder<Work> = {
    id: `connections ${round} ${databaseUri.version} ${words}`,
    spec: { kind: 'connections', uri: databaseUri.value, isWaitedFor: begins },
  };
  const found = resultOf(world, order.id);
  if (!found) return { ...nothing, answer: known, orders: [order], isAsking: begins };
  const answer = answerOf(world, demand, found);
  const problem =
    begins && answer.status === 'False' ? { reason: answer.reason, message: answer.message } : undefined;
  return { answer, orders: [order], isAsking: false, problem };
}

function takesOver(world: World, { revision }: Target, desired: Desired | undefined): boolean {
  const { main } = world.route;
  if (main === undefined || revision === main) return false;
  const workload = desired?.number === revision ? desired.revision.workload : undefined;
  return (workload ?? workloadOf(world, revision)) === workloadOf(world, main);
}

/** A candidate that has neither pods nor a place in status: it would be the first thing of a rollout. */
function isBeginning({ route, status, deployments }: World, { revision, mode }: Target): boolean {
  const isThere = status.candidate?.revision === revision || (deployments.get(revision)?.replicas ?? 0) > 0;
  return mode === 'stepwise' && revision !== route.main && !isThere;
}

/**
 * The most that is open at a cutover: what serves and what it makes way for, with those that are still warm. At rest the
 * next rollout is counted in, unless a warm revision stands in for it: what will not fit is said before it begins. Pods
 * that are about to go are not counted.
 */
function demandOf(world: World, spec: ApiInstanceSpec, target: Target, desired: Desired | undefined): Demand {
  const { main } = world.route;
  const contents = new Map(world.revisions.map(({ number, content }) => [number, content]));
  if (desired) contents.set(desired.number, desired.revision.content);
  const current = (number: number): number => world.deployments.get(number)?.replicas ?? 0;
  // The service of rollout.from has no content, and no pods of ours.
  const busy = new Set([target.revision, ...(main === undefined ? [] : [main])]);
  const warmInput = {
    now: world.now,
    history: world.status.history ?? [],
    warmForMs: durationMs(spec.rollout.warmFor),
  };
  const warm = [...contents.keys()].filter(
    (number) => !busy.has(number) && current(number) > 0 && warmLeftMs(number, warmInput) > 0,
  );
  const next = target.revision === main && warm.length === 0 ? [desired?.number ?? target.revision] : [];
  const alive = [
    ...[...busy].map((number) => ({ number, pods: Math.max(current(number), spec.replicas) })),
    ...warm.map((number) => ({ number, pods: current(number) })),
    ...next.map((number) => ({ number, pods: spec.replicas })),
  ].flatMap(({ number, pods }) => {
    const content = contents.get(number);
    return content ? [{ content, pods }] : [];
  });
  // Behind a pooler that the spec has no more, its pods hold no more than their own pools.
  const isCapped = (content: RevisionContent): boolean =>
    content.database.pooled && spec.pooler !== undefined;
  return {
    direct: alive
      .filter(({ content }) => !isCapped(content))
      .map(({ content, pods }) => directPods(content, pods)),
    // Each process has at least one.
    pooler: spec.pooler && Math.max(spec.pooler.maxServerConnections, spec.pooler.replicas),
  };
}

/** What the condition says, as long as it speaks of this sum. */
function standing({ status }: World, words: string): Answer | undefined {
  const found = status.conditions?.find((condition) => condition.type === type);
  if (!found?.message.startsWith(`${words};`)) return undefined;
  return { status: found.status, reason: found.reason as Answer['reason'], message: found.message };
}

function answerOf(world: World, demand: Demand, found: LimitsAnswer): Answer {
  if ('unknown' in found) {
    const message = `${demandWords(demand)}; whether so many are free is not known, which holds nothing up. ${found.unknown}`;
    return { status: 'Unknown', reason: 'BudgetUnknown', message };
  }
  const { fits, message } = budgetOf(demand, limitsOf(found.limits, world));
  return fits
    ? { status: 'True', reason: 'BudgetFits', message }
    : { status: 'False', reason: 'BudgetExceeded', message };
}

/** The limits that there are, with what others use of each. The operator's own sessions are counted in every demand. */
function limitsOf(
  { maxConnections, reserved, database, role, sessions }: ConnectionLimits,
  world: World,
): Limit[] {
  const isOurs = recogniser(sessions, world);
  const others = sessions.filter(
    (session) => !session.application.startsWith('postgrest-operator') && !isOurs(session),
  );
  const used = (of: (session: SessionCount) => boolean): number =>
    others.filter(of).reduce((sum, { count }) => sum + count, 0);
  const limits: Limit[] = [
    { of: 'server', name: '', max: maxConnections, reserved, others: used(() => true) },
  ];
  if (database.limit !== undefined)
    limits.push({
      of: 'database',
      name: database.name,
      max: database.limit,
      reserved: 0,
      others: used(({ isDatabase }) => isDatabase),
    });
  if (role.limit !== undefined)
    limits.push({
      of: 'role',
      name: role.name,
      max: role.limit,
      reserved: 0,
      others: used(({ isRole }) => isRole),
    });
  return limits;
}

/**
 * Tells the sessions of this instance: those of its role that come from a pod of ours, or name one. Where pods are there
 * and no session is like that, their addresses are translated on the way, and those of its role in its database are ours.
 */
function recogniser(sessions: readonly SessionCount[], world: World): (session: SessionCount) => boolean {
  const { addresses, metadata, revisions } = world;
  const prefixes = revisions.map(
    ({ number }) => `${names(metadata.name).revision(workloadOf(world, number))}-`,
  );
  const isOurs = ({ application, address, isRole }: SessionCount): boolean =>
    isRole &&
    ((address !== undefined && addresses.has(address)) ||
      prefixes.some((prefix) => application.startsWith(prefix)));
  if (addresses.size === 0 || sessions.some(isOurs)) return isOurs;
  return ({ isRole, isDatabase }) => isRole && isDatabase;
}

function resultOf({ work }: World, id: string): LimitsAnswer | undefined {
  const state = work.get(id);
  return state?.state === 'done' ? (state.result as LimitsAnswer) : undefined;
}
