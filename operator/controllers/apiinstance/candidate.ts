import { createHash } from 'node:crypto';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { durationMs, isoTime } from '../../api/v1alpha1/shared.ts';
import type { AnalysisProgress } from '../../proof/analysis.ts';
import { pathPrefix } from '../../resources/pathPrefix.ts';
import { publicPort } from '../../resources/ports.ts';
import { leave, type Memory } from '../../rollout/actions.ts';
import type { Rejected } from '../../rollout/target.ts';
import { legacy, type Clearance, type Judgement } from '../../rollout/types.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { Desired } from './desired.ts';
import { isPodProved } from './work.ts';
import { workloadOf } from './workloads.ts';
import type { PodState, Work, WorkResult, World } from './world.ts';

/** What is known of a candidate beyond its pods and its traffic, and the work that finds it out. */
export interface Candidate {
  readonly clearance: Clearance;
  readonly judgement: Judgement;
  /** What the analysis says, at its weight; undefined while none runs. */
  readonly analysis: AnalysisProgress | undefined;
  /** Why nobody can tell what the candidate takes from clients. */
  readonly contractUnknown: string | undefined;
  /** What the comparison found; undefined while it is not known or nothing breaks. */
  readonly breaking: NonNullable<World['status']['breaking']> | undefined;
  /** The probe, or the check of the analysis, that failed: with its value, its threshold and its samples. */
  readonly failedCheck: string | undefined;
  readonly orders: readonly WorkOrder<Work>[];
}

/** Nothing is asked of it: on a way back, and where the spec asks for nothing. */
export const unquestioned: Candidate = {
  clearance: 'clear',
  judgement: 'passed',
  analysis: undefined,
  contractUnknown: undefined,
  breaking: undefined,
  failedCheck: undefined,
  orders: [],
};

/** How a candidate that is rolled out in steps does with probes, contract and analysis. */
export function candidateOf(world: World, spec: ApiInstanceSpec, revision: number): Candidate {
  const { main, canary } = world.route;
  const { candidate, fast } = world.status;
  // After promote-full only proofs count: a check that fails would take back what somebody has decided.
  if (main === revision || (fast === true && candidate?.revision === revision)) return unquestioned;
  const weight = canary?.revision === revision ? canary.weight : 0;
  return weight > 0 ? judged(world, spec, revision, weight) : cleared(world, spec, revision);
}

/**
 * Why the candidate has to be left, and what is remembered of that; undefined: it need not. A first rollout has nobody
 * to go back to and is never left.
 */
export function failureOf(
  world: World,
  spec: ApiInstanceSpec,
  desired: Desired | undefined,
): Memory | undefined {
  const { route, status } = world;
  const { main } = route;
  const isLeft = status.rejected?.some(({ hash }) => hash === desired?.hash) === true;
  if (!desired || main === undefined || main === desired.number || isLeft) return undefined;
  const to = main === legacy ? legacy : (status.stable?.revision ?? main);
  const because = (reason: Rejected['reason'], message: string): Memory =>
    leave({ memory: status, desired }, to, reason, isoTime(world.now), message);
  const { failedCheck } = candidateOf(world, spec, desired.number);
  if (failedCheck !== undefined) return because('AnalysisFailed', failedCheck);
  if (!isOverdue(world, spec, desired.number)) return undefined;
  return because(
    'ProgressDeadlineExceeded',
    `It got no further for ${spec.rollout.progressDeadline}. ${progressMessage(world)}`.trim(),
  );
}

/** Whether the rollout of this revision has got no further within its deadline. */
export function isOverdue({ status, now }: World, spec: ApiInstanceSpec, revision: number): boolean {
  const { candidate, progressedAt } = status;
  if (candidate?.revision !== revision || progressedAt === undefined) return false;
  return now - Date.parse(progressedAt) > durationMs(spec.rollout.progressDeadline);
}

function progressMessage({ status }: World): string {
  return status.conditions?.find(({ type }) => type === 'Progressing')?.message.slice(0, 800) ?? '';
}

/** A candidate without a share: its pods are probed, and its contract is compared with stable's. */
function cleared(world: World, spec: ApiInstanceSpec, revision: number): Candidate {
  const pods = world.pods.filter((pod) => pod.revision === revision && pod.isReady);
  const probes = probing(world, spec, pods);
  const contract = comparing(world, spec, revision, pods);
  const clearance = probes.clearance === 'clear' ? contract.clearance : probes.clearance;
  return {
    ...unquestioned,
    ...contract,
    ...probes,
    clearance,
    orders: [...probes.orders, ...contract.orders],
  };
}

function probing(
  world: World,
  spec: ApiInstanceSpec,
  pods: readonly PodState[],
): Pick<Candidate, 'clearance' | 'failedCheck' | 'orders'> {
  const probes = spec.rollout.analysis?.probes ?? [];
  if (probes.length === 0) return { clearance: 'clear', failedCheck: undefined, orders: [] };
  const side = sideOf(spec);
  const asked = pods.flatMap((pod) => {
    if (pod.ip === undefined || !isPodProved(pod, world)) return [];
    const id = `probes ${pod.uid} ${pod.restarts} ${digest(probes)}`;
    return [{ id, spec: { kind: 'probes', ip: pod.ip, ...side, probes } as const }];
  });
  const results = asked.map(({ id }) => resultOf(world, id));
  const failed = results.find((result) => result !== undefined && 'passed' in result && !result.passed);
  const passed = results.filter((result) => result !== undefined && 'passed' in result && result.passed);
  const isClear = passed.length > 0 && passed.length === asked.length;
  return {
    clearance: isClear ? 'clear' : 'probing',
    failedCheck: failed && 'failure' in failed ? failed.failure : undefined,
    orders: asked,
  };
}

function comparing(
  world: World,
  spec: ApiInstanceSpec,
  revision: number,
  pods: readonly PodState[],
): Pick<Candidate, 'clearance' | 'contractUnknown' | 'breaking' | 'orders'> {
  const { route, status } = world;
  const { main } = route;
  const nothing = { contractUnknown: undefined, breaking: undefined, orders: [] };
  if (spec.rollout.breaking === 'Allow' || main === undefined || main === legacy) {
    return { ...nothing, clearance: 'clear' };
  }
  const known = status.breaking;
  if (known?.revision === revision && known.stable === main) {
    return { ...nothing, breaking: known, clearance: known.approved === true ? 'clear' : 'awaitingApproval' };
  }
  const candidate = pods.find(({ ip }) => ip !== undefined);
  const stable = world.pods.find((pod) => pod.revision === main && pod.isReady && pod.ip !== undefined);
  if (candidate?.ip === undefined || stable?.ip === undefined) return { ...nothing, clearance: 'comparing' };
  const side = sideOf(spec);
  const order: WorkOrder<Work> = {
    id: `contract ${stable.uid} ${candidate.uid}`,
    spec: { kind: 'contract', stable: { ip: stable.ip, ...side }, candidate: { ip: candidate.ip, ...side } },
  };
  const result = resultOf(world, order.id);
  const orders = [order];
  if (result && 'unknown' in result) {
    return { ...nothing, orders, clearance: 'awaitingApproval', contractUnknown: result.unknown };
  }
  if (!result || !('total' in result)) return { ...nothing, orders, clearance: 'comparing' };
  if (result.total === 0) return { ...nothing, orders, clearance: 'clear' };
  const breaking = { revision, stable: main, total: result.total, changes: [...result.changes] };
  return { ...nothing, orders, clearance: 'awaitingApproval', breaking };
}

const judgements: Record<AnalysisProgress['verdict'], Judgement> = {
  Running: 'running',
  Passed: 'passed',
  TooFewRequests: 'tooFewRequests',
  Inconclusive: 'inconclusive',
};

/** A candidate with a share is judged for as long as it has it. */
function judged(world: World, spec: ApiInstanceSpec, revision: number, weight: number): Candidate {
  const { analysis } = spec.rollout;
  // What was approved stays so, although nobody asks any more.
  const known = world.status.breaking;
  const breaking = known?.revision === revision ? known : undefined;
  if (!analysis) return { ...unquestioned, breaking };
  const { name: instance, namespace } = world.metadata;
  const order: WorkOrder<Work> = {
    id: analysisId(revision, weight, spec),
    spec: {
      kind: 'analysis',
      namespace,
      instance,
      // Gates and their labels know workloads.
      revision: workloadOf(world, revision),
      stable: workloadOf(world, world.route.main ?? legacy),
      weight,
      analysis,
    },
  };
  const state = world.work.get(order.id);
  const failure = resultOf(world, order.id);
  const progress = state?.state === 'running' ? (state.progress as AnalysisProgress | undefined) : undefined;
  return {
    ...unquestioned,
    breaking,
    judgement: progress ? judgements[progress.verdict] : 'running',
    analysis: progress,
    failedCheck: failure && 'failure' in failure ? failure.failure : undefined,
    orders: [order],
  };
}

function analysisId(revision: number, weight: number, { rollout }: ApiInstanceSpec): string {
  return `analysis ${revision} ${weight} ${digest(rollout.analysis)}`;
}

function resultOf({ work }: World, id: string): WorkResult | undefined {
  const state = work.get(id);
  return state?.state === 'done' ? state.result : undefined;
}

function sideOf({ expose }: ApiInstanceSpec): { port: number; host: string; prefix: string } {
  return { port: publicPort, host: expose.host, prefix: pathPrefix(expose.path) };
}

function digest(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(value ?? null))
    .digest('hex')
    .slice(0, 12);
}
