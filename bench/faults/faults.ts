import { setTimeout as delay } from 'node:timers/promises';
import { ingressNamespace, ingressPods, ingressReady, operatorLeader, podsOf, type Pod } from './pods.ts';
import type { Excuse } from '../../hack/load/excuse.ts';
import { operatorNamespace } from '../../hack/kube/operator.ts';
import { until } from '../../hack/lib/wait.ts';
import type { Case } from './case.ts';
import type { Node } from './node.ts';
import type { Phase } from './phases.ts';

/** What came of a fault, once the world is whole again (the operands aside, which the operator looks after). */
export interface Injection {
  /** Which failures it explains; none: not one request may fail. */
  readonly excuses: readonly Excuse[];
  /** The revision to end on, where that is not the operation's own. */
  readonly target?: number;
  /** What was hit, for the report. */
  readonly hit: string;
}

/** One kind of fault. */
export interface Fault {
  readonly name: string;
  /** For people: what it does. */
  readonly what: string;
  /** What it may cost, for people. */
  readonly allowed: '0' | 'in flight' | 'window';
  /** Whether it needs the machine under the cluster. */
  readonly needsNode: boolean;
  /** Whether other stages feel it: then nothing runs beside it. */
  readonly isGlobal: boolean;
  readonly inject: (run: Case, phase: Phase) => Promise<Injection>;
}

const apiServerAwayMs = 20_000;
/** PgBouncer tries a database that was away again after a second (`server_login_retry`). */
const loginRetryMs = 1500;
const weightAnnotation = 'nginx.ingress.kubernetes.io/canary-weight';

/** In one go: what comes second could be too late to see the database away. */
export const restartDatabase = `
  read -r pid < "$PGDATA/postmaster.pid" && kill -INT "$pid" || exit 1
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  until pg_isready -q -h 127.0.0.1; do sleep 0.05; done`;

/** Every fault of the matrix. */
export const faults: readonly Fault[] = [
  {
    name: 'operator-killed',
    what: 'SIGKILL to the leading operator, its pod deleted',
    allowed: '0',
    needsNode: true,
    isGlobal: true,
    async inject(run) {
      const leader = await operatorLeader(run.kubectl);
      await nodeOf(run).kill(leader.uid, /operator/);
      const force = ['--grace-period=0', '--force', '--wait=false'];
      await run.kubectl(['delete', 'pod', '-n', operatorNamespace, leader.name, ...force]);
      return { excuses: [], hit: leader.name };
    },
  },
  {
    name: 'candidate-crashed',
    what: "SIGKILL to PostgREST in all of the candidate's pods at once",
    allowed: 'in flight',
    needsNode: true,
    isGlobal: false,
    async inject(run, phase) {
      const pods = await until(
        'a pod of the candidate runs',
        async () => {
          const found = await podsOf(run, phase.candidate);
          return found.some(({ ip }) => ip !== '') ? found : undefined;
        },
        { timeoutMs: 20_000 },
      );
      return killIn(run, pods, /postgrest/);
    },
  },
  {
    name: 'stable-killed',
    what: 'SIGKILL to everything in one pod of the stable revision',
    allowed: 'in flight',
    needsNode: true,
    isGlobal: false,
    inject: async (run) => killIn(run, (await stablePods(run)).slice(0, 1), /nginx|postgrest/),
  },
  {
    name: 'stable-evicted',
    what: 'eviction of one pod of the stable revision, as a drain does it',
    allowed: '0',
    needsNode: false,
    isGlobal: false,
    inject: async (run) => evict(run, await stablePods(run)),
  },
  {
    name: 'ingress-restarted',
    what: 'one of two ingress replicas deleted',
    allowed: '0',
    needsNode: false,
    isGlobal: true,
    async inject(run) {
      const [victim] = await ingressPods(run.kubectl);
      if (victim === undefined) throw new Error('there is no ingress replica');
      await run.kubectl(['delete', 'pod', '-n', ingressNamespace, victim.name, '--wait=false']);
      await ingressReady(run.kubectl);
      return { excuses: [], hit: victim.name };
    },
  },
  {
    name: 'api-server-down',
    what: 'no API server for 20 s',
    allowed: '0',
    needsNode: true,
    isGlobal: true,
    async inject(run) {
      const restart = await nodeOf(run).killApiServer();
      // The fault itself: nothing is waited for.
      await delay(apiServerAwayMs);
      await restart();
      await until('the API server is ready', async () => {
        return (await run.kubectl(['get', '--raw', '/readyz'])) === 'ok' ? true : undefined;
      });
      return { excuses: [], hit: 'kube-apiserver' };
    },
  },
  {
    name: 'pooler-stopped',
    what: 'the PgBouncer pod deleted',
    allowed: '0',
    needsNode: false,
    isGlobal: false,
    async inject(run) {
      const selector = `pgrst.dev/instance=${run.name},app.kubernetes.io/component=pooler`;
      await run.kubectl(['delete', 'pod', '-n', run.namespace, '-l', selector, '--wait=false']);
      return { excuses: [], hit: `${run.name}-pooler` };
    },
  },
  {
    name: 'database-restarted',
    what: 'PostgreSQL stopped (fast shutdown) and started again 2 s later',
    allowed: 'window',
    needsNode: false,
    isGlobal: false,
    async inject(run) {
      const from = Date.now();
      const inPod = ['exec', '-n', run.namespace, 'deploy/tasks-db', '--', 'timeout', '60', 'sh', '-c'];
      await run.kubectl([...inPod, restartDatabase]);
      return { excuses: [{ from, to: Date.now() + loginRetryMs }], hit: 'tasks-db' };
    },
  },
  {
    name: 'canary-deleted',
    what: 'the canary Ingress deleted by hand',
    allowed: '0',
    needsNode: false,
    isGlobal: false,
    async inject(run) {
      const canary = run.canary.current()?.metadata.name;
      const ingress = `${run.name}-canary`;
      await run.kubectl(['delete', 'ingress', '-n', run.namespace, ingress, '--ignore-not-found']);
      return { excuses: [], hit: canary ?? 'none was there' };
    },
  },
  {
    name: 'canary-edited',
    what: 'its weight set to 73 by hand',
    allowed: '0',
    needsNode: false,
    isGlobal: false,
    async inject(run) {
      const canary = run.canary.current()?.metadata.name;
      if (canary === undefined) return { excuses: [], hit: 'none was there' };
      const edit = [`${weightAnnotation}=73`, '--overwrite'];
      await run.kubectl.attempt(['annotate', 'ingress', '-n', run.namespace, canary, ...edit]);
      return { excuses: [], hit: canary };
    },
  },
  {
    name: 'spec-changed',
    what: 'a second change of the spec',
    allowed: '0',
    needsNode: false,
    isGlobal: false,
    async inject(run) {
      await run.writeSpec(3);
      return { excuses: [], target: 3, hit: 'spec' };
    },
  },
];

function nodeOf({ node }: Case): Node {
  if (node === undefined) throw new Error('this fault needs the machine under the cluster');
  return node;
}

async function stablePods(run: Case): Promise<readonly Pod[]> {
  const stable = run.instance.current()?.status?.stable?.revision;
  if (stable === undefined) throw new Error('no revision is stable');
  return podsOf(run, stable);
}

async function killIn(run: Case, pods: readonly Pod[], command: RegExp): Promise<Injection> {
  const from = Date.now();
  const killed = await Promise.all(pods.map((pod) => nodeOf(run).kill(pod.uid, command)));
  const count = killed.reduce((sum, each) => sum + each, 0);
  return {
    excuses: [{ from, to: Date.now(), pods: pods.map(({ ip }) => ip) }],
    hit: `${count} processes in ${pods.map(({ name }) => name).join(', ')}`,
  };
}

/** Evicts the first pod that may go: while the budget does not allow it, a drain waits, too. */
async function evict(run: Case, pods: readonly Pod[]): Promise<Injection> {
  const [pod] = pods;
  if (pod === undefined) throw new Error('the stable revision has no pod');
  const { namespace } = run;
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name: pod.name, namespace },
  };
  const path = `/api/v1/namespaces/${namespace}/pods/${pod.name}/eviction`;
  await until('the eviction is allowed', async () => {
    await run.kubectl(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
    return true;
  });
  return { excuses: [], hit: pod.name };
}
