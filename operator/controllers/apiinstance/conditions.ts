import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { Condition } from '../../api/v1alpha1/shared.ts';
import { setCondition } from '../../runtime/conditions.ts';
import { legacy } from '../../rollout/types.ts';
import type { Rejected } from '../../rollout/target.ts';
import type { Answer } from './answer.ts';
import { isOverdue } from './candidate.ts';
import { poolerReady } from './poolerStatus.ts';
import type { Problem } from './problem.ts';
import type { Decided } from './plan.ts';
import { assumedBecause, isTrafficProved, podProgress, unreachable } from './work.ts';
import { isReloading } from './reload.ts';
import { usability, type Usability } from './usable.ts';
import { workloadOf } from './workloads.ts';
import type { World } from './world.ts';

/** A pod that still has no schema cache after so long points at its database rather than at its start. */
const startMs = 15_000;

/** All conditions of an instance that has something to roll out or to keep. */
export function instanceConditions(decided: Decided): Condition[] {
  const progress = progressOf(decided);
  const pooler = poolerReady(decided);
  return write(decided.world, {
    Available: available(decided.world, decided.spec),
    Ready: ready(decided, progress),
    Progressing: progressing(decided, progress),
    Paused: paused(decided, progress),
    TrafficProved: trafficProved(decided),
    SchemaCacheProved: schemaCacheProved(decided),
    RollbackSafe: rollbackSafe(decided.world),
    Degraded: degraded(decided, progress),
    Stalled: stalled(decided.problem),
    ...(decided.budget.answer ? { ConnectionBudget: decided.budget.answer } : {}),
    ...(pooler ? { PoolerReady: pooler } : {}),
  }).filter(({ type }) => type !== 'PoolerReady' || decided.spec.pooler !== undefined);
}

/** The conditions while nothing can be decided: what serves still serves. */
export function standingConditions(world: World, problem: Problem | undefined, budget?: Answer): Condition[] {
  const why: Answer = problem
    ? no(problem)
    : { status: 'False', reason: 'Reconciling', message: 'Nothing can be rolled out yet.' };
  return write(world, {
    Available: available(world, world.spec),
    Ready: why,
    Stalled: stalled(problem),
    ...(budget ? { ConnectionBudget: budget } : {}),
  });
}

function write(world: World, answers: Readonly<Record<string, Answer>>): Condition[] {
  const observedGeneration = world.metadata.generation;
  return Object.entries(answers).reduce<Condition[]>(
    (list, [type, answer]) => setCondition(list, { type, ...answer, observedGeneration }, world.now),
    world.status.conditions ?? [],
  );
}

/** Clients are served: somebody is behind the main route. */
function available(world: World, spec: ApiInstanceSpec | undefined): Answer {
  const { main } = world.route;
  const serving = world.pods.filter((pod) => pod.revision === main && pod.isReady).length;
  if (main === undefined) {
    return { status: 'False', reason: 'NoReadyPods', message: 'No revision has been promoted yet.' };
  }
  if (main === legacy) {
    const name = spec?.rollout.from?.service.name ?? '';
    return {
      status: 'True',
      reason: 'ServingClients',
      message: `Service ${name} (spec.rollout.from) serves.`,
    };
  }
  return serving > 0
    ? { status: 'True', reason: 'ServingClients', message: `Revision ${main} serves.` }
    : {
        status: 'False',
        reason: 'NoReadyPods',
        message: `Revision ${main} has no ready pod. See: kubectl describe pods -l pgrst.dev/instance=${world.metadata.name},pgrst.dev/revision=${workloadOf(world, main)}`,
      };
}

/** What serves is what the spec says. */
function ready(decided: Decided, progress: Answer): Answer {
  const { problem, target, traffic } = decided;
  if (problem) return no(problem);
  if (traffic.stage !== 'Settled') return { ...progress, status: 'False' };
  const { rejection } = target;
  if (rejection) return { status: 'False', reason: rejection.reason, message: rejectionMessage(rejection) };
  if (!hasAllPods(decided)) return { ...progress, status: 'False' };
  return {
    status: 'True',
    reason: 'RolloutComplete',
    message: `Revision ${target.revision} has all traffic.`,
  };
}

const left: Record<Rejected['reason'], string> = {
  Aborted: 'was aborted',
  RolledBack: 'was rolled back',
  AnalysisFailed: 'failed its analysis',
  ProgressDeadlineExceeded: 'missed its progress deadline',
};

function rejectionMessage({ revision, to, reason, message }: Rejected): string {
  const why = message === undefined ? '' : `: ${message.replace(/[.]$/, '')}`;
  const serves = to === legacy ? 'the service of rollout.from' : `revision ${to}`;
  return `Revision ${revision}, which the spec describes, ${left[reason]}${why}; ${serves} serves. Change the spec, or set the annotation pgrst.dev/action=retry to roll it out again.`;
}

/** Whether clients are served worse than they should be, or a check has sent the newest revision back. */
function degraded(decided: Decided, progress: Answer): Answer {
  const { target, traffic, world, spec } = decided;
  const { rejection } = target;
  if (rejection?.reason === 'AnalysisFailed' || rejection?.reason === 'ProgressDeadlineExceeded') {
    return { status: 'True', reason: rejection.reason, message: rejectionMessage(rejection) };
  }
  if (isOverdue(world, spec, target.revision)) {
    const message = `The rollout got no further for ${spec.rollout.progressDeadline}, and there is nothing to go back to. ${progress.message}`;
    return { status: 'True', reason: 'ProgressDeadlineExceeded', message };
  }
  const { failedCheck } = decided.candidate;
  if (failedCheck !== undefined)
    return { status: 'True', reason: 'AnalysisFailed', message: `${failedCheck}.` };
  if (traffic.stage === 'Settled' && !hasAllPods(decided)) return { ...progress, status: 'True' };
  return { status: 'False', reason: 'Healthy', message: 'Nothing is amiss.' };
}

/** Whether one can go back, and to what. */
function rollbackSafe(world: World): Answer {
  const { candidate, rejected = [] } = world.status;
  const busy = new Set([world.route.main, candidate?.revision, ...rejected.map(({ revision }) => revision)]);
  const others = usability(world).filter(({ revision }) => !busy.has(revision.number));
  const name = ({ revision }: Usability): string =>
    `${revision.number} (release ${revision.content.release.id})`;
  const safe = others.filter(({ isUsable }) => isUsable).map(name);
  const ended = others.filter(({ isUsable }) => !isUsable).map(name);
  const rest =
    ended.length === 0 ? '' : ` Kept, but their release is gone or about to go: ${ended.join(', ')}.`;
  return safe.length === 0
    ? {
        status: 'False',
        reason: 'NothingToRollBackTo',
        message: `No other revision is kept that could serve.${rest}`,
      }
    : {
        status: 'True',
        reason: 'RollbackPossible',
        message: `Revisions to roll back to: ${safe.join(', ')}.${rest}`,
      };
}

function progressing({ traffic }: Decided, progress: Answer): Answer {
  if (traffic.stage === 'Settled') {
    return { status: 'False', reason: 'RolloutComplete', message: 'No rollout runs.' };
  }
  return { ...progress, status: 'True' };
}

/** Where the rollout stands, in words. */
function progressOf(decided: Decided): Answer {
  const { traffic, target, canStart } = decided;
  const { revision } = target;
  const of = `revision ${revision}`;
  const say = (reason: Reason, message: string): Answer => ({ status: 'True', reason, message });
  if (!canStart)
    return say('PoolerNotReady', 'Waiting for a ready PgBouncer pod before PostgREST is started.');
  switch (traffic.stage) {
    case 'ProvingTraffic': {
      const error = unreachableNow(decided);
      if (error !== undefined) {
        return say(
          'IngressUnreachable',
          `The operator cannot see where the ingress sends traffic (${error}); each step waits 30 s for it and is then taken for done. Check the ingress controller, the annotations of the Ingress and the operator's setting for the controller's Service.`,
        );
      }
      return say('ProvingTraffic', `Proving through the ingress that ${of} gets its share.`);
    }
    case 'ShiftingTraffic':
      return say('ShiftingTraffic', `Traffic is moving for ${of}.`);
    case 'StepPaused':
      return say('StepPaused', pauseMessage(decided));
    case 'Promoting':
      return say('Promoting', `The stable Service is moving to ${of}.`);
    case 'ManuallyPaused':
      return say(
        'ManuallyPaused',
        `Somebody has paused the rollout of ${of}, which has ${traffic.route.canary?.weight ?? 0} %. Set pgrst.dev/action=resume to go on, or abort.`,
      );
    case 'Probing':
      return say('Analysing', `The pods of ${of} are being probed before they get traffic.`);
    case 'ComparingContracts':
      return say('ComparingContracts', `What ${of} takes away from clients is being looked for.`);
    case 'AwaitingApproval':
      return approvalAnswer(decided);
    case 'Analysing':
      return say(
        'Analysing',
        `${capital(of)} is being judged. ${decided.candidate.analysis?.message ?? ''}`.trim(),
      );
    case 'TooFewRequests':
      return say(
        'TooFewRequests',
        `${capital(of)} had too few requests to be judged (${decided.candidate.analysis?.message ?? ''}). Send it some, lower rollout.analysis.minRequests, or set pgrst.dev/action=promote to go on.`,
      );
    case 'AnalysisInconclusive':
      return say(
        'AnalysisInconclusive',
        `${capital(of)} cannot be judged: ${decided.candidate.analysis?.message ?? ''}. Mend that, or set pgrst.dev/action=promote to go on.`,
      );
    case 'ScalingUp':
    case 'ProvingPods':
    case 'Settled':
      return pods(decided);
  }
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What waits for somebody's approval. */
function approvalAnswer({ candidate, target }: Decided): Answer {
  const how = 'Set pgrst.dev/action=approve to go on, or abort.';
  if (candidate.breaking) {
    const { total, changes, stable } = candidate.breaking;
    const shown = changes.slice(0, 5).join('; ');
    const rest = total > 5 ? `; and ${total - 5} more in status.breaking` : '';
    return {
      status: 'True',
      reason: 'BreakingChange',
      message: `Clients of revision ${stable} lose with revision ${target.revision}: ${shown}${rest}. ${how}`,
    };
  }
  return {
    status: 'True',
    reason: 'ContractUnknown',
    message: `Nobody can tell what clients lose with revision ${target.revision}: ${candidate.contractUnknown ?? 'it is not known'}. ${how}`,
  };
}

/** Why the data plane cannot be asked: what the router says of its object comes first. */
function unreachableNow({ traffic, spec, world }: Decided): string | undefined {
  const error = traffic.expects.map((e) => unreachable(e, spec, world)).find((text) => text !== undefined);
  return error === undefined ? undefined : (world.refusal ?? error);
}

/** Which pods are missing, and what they say. */
function pods(decided: Decided): Answer {
  const { target, states, spec, world, traffic } = decided;
  const state = states.get(target.revision);
  const proved = state?.proved ?? 0;
  const unready = world.pods.filter((pod) => pod.revision === target.revision && !pod.isReady);
  const waiting = unready.map((pod) => ({ pod, says: podProgress(pod, world)?.waitingFor }));
  const stuck = waiting.find(({ pod, says }) => says !== undefined && world.now - pod.createdAt > startMs);
  const count = `${proved} of ${traffic.size} pods of revision ${target.revision} are ready and proved`;
  if (stuck) {
    return {
      status: 'True',
      reason: 'DatabaseUnreachable',
      message: `${count}. Pod ${stuck.pod.name}: ${stuck.says ?? ''}. Check that the database in Secret ${spec.database.uriSecretRef.name} can be reached and that its password is right; the pod's log says more.`,
    };
  }
  if (isReloading(target.revision, world)) {
    const message = `${proved} of ${traffic.size} pods of revision ${target.revision} have loaded what is there now; the others are told, one after the other.`;
    return { status: 'True', reason: 'Reloading', message };
  }
  const reason = (state?.ready ?? 0) < traffic.size ? 'ScalingUp' : 'ProvingPods';
  return { status: 'True', reason, message: `${count}.` };
}

function pauseMessage({ traffic, spec, target }: Decided): string {
  const duration = spec.rollout.steps[traffic.step]?.pause?.duration;
  const until = duration === undefined ? 'until somebody sets pgrst.dev/action=promote' : `for ${duration}`;
  return `Revision ${target.revision} holds ${traffic.route.canary?.weight ?? 0} % ${until}.`;
}

function paused(decided: Decided, progress: Answer): Answer {
  const { stage } = decided.traffic;
  return stage === 'StepPaused' || stage === 'ManuallyPaused'
    ? { ...progress, status: 'True' }
    : { status: 'False', reason: 'Reconciling', message: 'No pause runs.' };
}

/** The data plane does what the objects say. */
function trafficProved(decided: Decided): Answer {
  const { traffic, spec, world } = decided;
  if (traffic.route.main === undefined) {
    return { status: 'False', reason: 'ScalingUp', message: 'There is no route yet.' };
  }
  const proved = traffic.expects.length > 0 && traffic.expects.every((e) => isTrafficProved(e, spec, world));
  const assumed = traffic.expects.map((e) => assumedBecause(e, spec, world)).find((why) => why !== undefined);
  if (proved && assumed !== undefined) {
    return {
      status: 'Unknown',
      reason: 'IngressUnreachable',
      message: `The ingress could not be asked (${assumed}). The change has had 30 s, more than the router needs, and is taken for done.`,
    };
  }
  if (proved) {
    return {
      status: 'True',
      reason: 'Proved',
      message: 'Every ingress pod was seen to send traffic where the objects say.',
    };
  }
  const error = unreachableNow(decided);
  return error === undefined
    ? { status: 'False', reason: 'ProvingTraffic', message: 'Being proved through the ingress.' }
    : { status: 'Unknown', reason: 'IngressUnreachable', message: `The ingress cannot be asked: ${error}.` };
}

function schemaCacheProved(decided: Decided): Answer {
  const { target, states, spec } = decided;
  if (target.revision === legacy) {
    return {
      status: 'False',
      reason: 'RolledBack',
      message: 'No revision serves: the service of rollout.from does.',
    };
  }
  const state = states.get(target.revision);
  const enough = `All pods of revision ${target.revision} were seen to hold release ${state?.release ?? ''}.`;
  if (hasAllPods(decided)) return { status: 'True', reason: 'Proved', message: enough };
  return {
    status: 'False',
    reason: 'ProvingPods',
    message: `${state?.proved ?? 0} of ${spec.replicas} pods of revision ${target.revision} were seen to hold their release.`,
  };
}

function stalled(problem: Problem | undefined): Answer {
  return problem && !problem.mayPass
    ? no(problem, 'True')
    : { status: 'False', reason: 'Reconciling', message: 'Nobody has to act.' };
}

/** A problem as the answer of a condition. */
function no({ reason, message }: Problem, status: Answer['status'] = 'False'): Answer {
  return { status, reason, message };
}

function hasAllPods({ target, states, spec }: Decided): boolean {
  return target.revision === legacy || (states.get(target.revision)?.proved ?? 0) >= spec.replicas;
}
