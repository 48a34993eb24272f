import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import type { SettledProcess } from '../../console/settleProcess.ts';
import { mendedVulnerabilities, supportOf } from '../../console/version.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { EventNote } from '../../runtime/reconciler.ts';
import type { Answer } from './answer.ts';
import type { Decided } from './plan.ts';
import type { PoolerDecision } from './pooler.ts';
import { unsupportedProblem } from './poolerProblem.ts';
import type { World } from './world.ts';

/** How the pods that are to stay stand. */
interface Standing {
  /** Versions of those that were seen to be as ordered, oldest first. */
  readonly versions: readonly string[];
  /** Names and words of those that cannot be asked. */
  readonly silent: readonly string[];
  readonly ready: number;
}

/** Whether PgBouncer is as the spec says, on every process; undefined without a pooler. */
export function poolerReady(decided: Decided): Answer | undefined {
  const { world, spec, pooler } = decided;
  if (!spec.pooler || !pooler) return undefined;
  const { replicas } = spec.pooler;
  const { versions, silent, ready } = standingOf(pooler, world);
  if (ready === 0 && world.pooler.ready === 0) {
    return { status: 'False', reason: 'PoolerNotReady', message: 'No PgBouncer pod is ready.' };
  }
  const unsupported = unsupportedProblem(world);
  if (unsupported) return { status: 'False', reason: unsupported.reason, message: unsupported.message };
  const [error] = silent;
  if (error !== undefined) {
    return {
      status: 'False',
      reason: 'PoolerUnreachable',
      message: `The console of ${error}. Until it answers, this pod has the limits and the configuration that it started with. See that the operator reaches port 6432 of it.`,
    };
  }
  if (versions.length < replicas || isChanging(world, pooler)) {
    const before = findCondition(world.status.conditions, 'PoolerReady');
    // A new operator process asks every console once more; until it has, what was seen stands.
    if (before?.status === 'True' && isReasking(decided))
      return { status: 'True', reason: before.reason as Answer['reason'], message: before.message };
    return {
      status: 'False',
      reason: 'PoolerChanging',
      message: `${versions.length} of ${replicas} PgBouncer pods have the newest limits and configuration.`,
    };
  }
  const { connections, poolSize } = pooler.share;
  const what = `${replicas} PgBouncer pods have their configuration, each with at most ${connections} server connections, ${poolSize} for a revision`;
  const [oldest = ''] = versions;
  return supportOf(oldest) === 'supported'
    ? { status: 'True', reason: 'PoolerSettled', message: `${what}.` }
    : {
        status: 'True',
        reason: 'PoolerOutdated',
        message: `${what}. They run PgBouncer ${oldest}; 1.26.1 mends ${mendedVulnerabilities}. Use an image with it: spec.pooler.image.`,
      };
}

/** What `status.pooler` says of it. */
export function poolerStatus(decided: Decided): Pick<ApiInstanceStatus, 'pooler'> {
  const { world, spec, pooler } = decided;
  if (!spec.pooler) return {};
  const known = world.status.pooler;
  if (!pooler || isReasking(decided)) return known ? { pooler: known } : {};
  const { versions, ready } = standingOf(pooler, world);
  const isSettled = versions.length >= spec.pooler.replicas && !isChanging(world, pooler);
  const version = isSettled ? versions[0] : known?.version;
  const configuration = isSettled ? pooler.generation : known?.configuration;
  return {
    pooler: {
      ...(version === undefined ? {} : { version }),
      processes: world.pooler.pods.length,
      ready,
      connectionsPerProcess: pooler.share.connections,
      poolSize: pooler.share.poolSize,
      ...(configuration === undefined ? {} : { configuration }),
    },
  };
}

/** The Event for a version with vulnerabilities: once, when it is first seen. */
export function poolerNotes(before: ApiInstanceStatus, after: ApiInstanceStatus): EventNote[] {
  const now = findCondition(after.conditions, 'PoolerReady');
  const isNews = now?.reason === 'PoolerOutdated' && before.pooler?.version !== after.pooler?.version;
  return isNews ? [{ type: 'Warning', reason: now.reason, note: now.message }] : [];
}

function standingOf({ staying }: PoolerDecision, world: World): Standing {
  const versions: string[] = [];
  const silent: string[] = [];
  for (const { pod, orderId } of staying) {
    const state = world.work.get(orderId);
    if (state?.state === 'done') versions.push((state.result as SettledProcess).version);
    else if (pod.isReady && state?.state === 'failed')
      silent.push(`pod ${pod.name} does not answer as it should: ${state.message}`);
    else if (pod.isReady && state?.state === 'running' && state.failure)
      silent.push(`pod ${pod.name} does not answer as it should: ${state.failure.message}`);
  }
  const ready = staying.filter(({ pod }) => pod.isReady).length;
  return {
    versions: versions.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })),
    silent,
    ready,
  };
}

/** Whether pods are still to come or to go. */
function isChanging({ pooler, spec }: World, { staying }: PoolerDecision): boolean {
  return pooler.pods.length !== staying.length || staying.length !== spec?.pooler?.replicas;
}

/** Whether all that is missing is a second look at processes that were seen to have this very configuration. */
function isReasking({ world, pooler }: Decided): boolean {
  if (!pooler || isChanging(world, pooler)) return false;
  return (
    world.status.pooler?.configuration === pooler.generation &&
    world.status.pooler.connectionsPerProcess === pooler.share.connections &&
    pooler.staying.every(({ pod, orderId }) => {
      const state = world.work.get(orderId);
      return (
        pod.isReady &&
        (state === undefined || (state.state === 'running' && !state.failure) || state.state === 'done')
      );
    })
  );
}
