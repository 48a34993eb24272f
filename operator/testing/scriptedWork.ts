import type { LimitsAnswer, Work, WorkResult } from '../controllers/apiinstance/world.ts';
import type { ConnectionLimits } from '../database/connectionLimits.ts';
import type { AnalysisFailure, AnalysisOrder, AnalysisProgress } from '../proof/analysis.ts';
import type { ContractResult } from '../proof/contract.ts';
import { revisionOf } from '../resources/names.ts';
import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { RunTask, TaskContext } from '../runtime/tasks.ts';
import type { FakeKube } from './fakeKube.ts';
import type { Pod, SimulatedCluster } from './simulatedCluster.ts';

/** What the proofs and checks of an operator come to; a test changes it at any moment. By revision where it is a map. */
export interface Script {
  /** What a probe of a pod says is wrong; absent: it passes. */
  readonly probes: Map<number, string>;
  /** What the candidate takes from clients; absent: nothing. */
  readonly contracts: Map<number, ContractResult>;
  /** What the analysis says; by default that the candidate passes. */
  analysis: (order: AnalysisOrder) => AnalysisProgress | AnalysisFailure;
  /** What the database says of its connections, or why it cannot be asked; by default that there is room for all. */
  limits: LimitsAnswer;
  /** Why the ingress cannot be asked; undefined: it can. */
  unreachable: string | undefined;
  /** The version that PostgREST says it has; undefined: it says none. */
  version: string | undefined;
  /** Pods that hear no notification, by name. */
  readonly deaf: Set<string>;
  /** Pods of which the operator gives up that they hear anything, by name. */
  readonly givesUp: Set<string>;
  /** The settings that each pod was last told to load, by name. */
  readonly loaded: Map<string, string>;
  /** How often the database was asked for its connections. */
  asked: number;
  /** For how long a pod does not show that it holds its release, in milliseconds. */
  podDelayMs: number;
}

/** A server with room for a thousand clients, and none yet. */
export const roomy: ConnectionLimits = {
  maxConnections: 1003,
  reserved: 3,
  database: { name: 'app', limit: undefined },
  role: { name: 'authenticator', limit: undefined },
  sessions: [],
};

/** Everything passes at once. */
export function createScript(): Script {
  return {
    probes: new Map(),
    contracts: new Map(),
    analysis: () => ({ verdict: 'Passed', message: 'error rate 0 % of at most 5 %' }),
    limits: { limits: roomy },
    unreachable: undefined,
    version: '12.0.2',
    deaf: new Set(),
    givesUp: new Set(),
    loaded: new Map(),
    podDelayMs: 0,
    asked: 0,
  };
}

/** What one operator process has proved in its life. */
export interface Proofs {
  /** Pods, by `podKey`. */
  readonly pods: Set<string>;
  /** Candidates that were seen to answer everything beside a main route. */
  readonly hundred: Set<number>;
}

const againMs = 100;

/** Says of a pod what a restart in it changes. */
export function podKey({ status }: Pod): string {
  return `${status?.podIP ?? ''} ${status?.containerStatuses?.[0]?.restartCount ?? 0}`;
}

/** The long work of an operator, answered by the script and the simulated data plane. */
export function createScriptedWork(
  kube: FakeKube,
  clock: Clock,
  cluster: SimulatedCluster,
  script: Script,
  proofs: Proofs,
): RunTask<Work, WorkResult> {
  const podAt = (ip: string) =>
    (kube.all('Pod') as readonly Pod[]).find(({ status }) => status?.podIP === ip);
  const revisionAt = (ip: string): number => revisionOf(podAt(ip)?.metadata.labels) ?? 0;

  async function until(holds: () => boolean, { signal }: TaskContext): Promise<void> {
    while (!holds()) {
      await delay(clock, againMs, signal);
      signal.throwIfAborted();
    }
  }

  async function judge(order: AnalysisOrder, context: TaskContext): Promise<AnalysisFailure> {
    let told = '';
    for (;;) {
      const verdict = script.analysis(order);
      if ('failure' in verdict) return verdict;
      if (JSON.stringify(verdict) !== told) context.progress(verdict);
      told = JSON.stringify(verdict);
      await delay(clock, againMs, context.signal);
      context.signal.throwIfAborted();
    }
  }

  return async ({ spec }, context) => {
    switch (spec.kind) {
      case 'pod': {
        const from = clock.now();
        await until(() => clock.now() >= from + script.podDelayMs, context);
        const pod = podAt(spec.ip);
        const { settings } = spec;
        if (settings && pod) {
          await until(() => {
            const isThere = script.loaded.get(pod.metadata.name) === settings.token;
            if (!isThere) context.progress({ waitingFor: 'its settings', isStale: true });
            return isThere;
          }, context);
        }
        if (pod) proofs.pods.add(podKey(pod));
        return { by: 'sentinel', ...(script.version === undefined ? {} : { version: script.version }) };
      }
      case 'reload':
        if (script.givesUp.has(spec.pod)) return { deaf: 'nobody listens' };
        await until(() => !script.deaf.has(spec.pod), context);
        script.loaded.set(spec.pod, spec.settings?.token ?? '');
        return { reloadedAfterMs: 1 };
      case 'pooler':
        return { version: '1.26.1', serverConnections: 0 };
      case 'probes': {
        const failure = script.probes.get(revisionAt(spec.ip));
        return failure === undefined ? { passed: true } : { passed: false, failure };
      }
      case 'contract':
        return script.contracts.get(revisionAt(spec.candidate.ip)) ?? { total: 0, changes: [] };
      case 'connections':
        script.asked += 1;
        return script.limits;
      case 'analysis':
        return judge(spec, context);
      case 'traffic': {
        const { expectation } = spec;
        await until(() => {
          context.progress({ unreachable: script.unreachable });
          return script.unreachable === undefined && cluster.dataPlane.does(expectation);
        }, context);
        if (expectation.kind === 'weights' && expectation.weight === 100)
          proofs.hundred.add(expectation.candidate);
        return { requests: 1 };
      }
      case 'gone':
        await until(() => cluster.route().main === undefined, context);
        return { requests: 1 };
    }
  };
}
