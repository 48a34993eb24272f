import { pino } from 'pino';
import { apiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { ApiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';
import { cacheSelections, type Caches } from '../controllers/apiinstance/caches.ts';
import { createApiInstanceController } from '../controllers/apiinstance/index.ts';
import type { Work, WorkResult } from '../controllers/apiinstance/world.ts';
import { createInformer } from '../runtime/informer.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { createQueue } from '../runtime/queue.ts';
import type { Key } from '../runtime/reconciler.ts';
import type { RunTask } from '../runtime/tasks.ts';
import { createNginxAnnotationsRouter } from '../traffic/nginxAnnotations.ts';
import { createFakeClock, type FakeClock } from './fakeClock.ts';
import { createFakeKube, diesAfter, ProcessDied, type FakeKube } from './fakeKube.ts';
import { poolerCredentials } from './resourceCases.ts';
import { createScript, createScriptedWork, type Proofs, type Script } from './scriptedWork.ts';
import { createSimulatedCluster, type SimulatedCluster } from './simulatedCluster.ts';
import { createWriteGuard } from './writeGuard.ts';

const namespace = 'shop';
const name = 'todo';
const api = 'pgrst.dev/v1alpha1';

/** An ApiInstance `shop/todo` in a simulated cluster, with an operator that can be killed after any write. */
export interface InstanceHarness {
  readonly kube: FakeKube;
  readonly clock: FakeClock;
  readonly cluster: SimulatedCluster;
  /** What proofs, probes, contracts and analyses come to. */
  readonly script: Script;
  /** The instance as it is stored; throws when it is gone. */
  instance(): Instance;
  /** Changes the instance as a user would: a merge into `spec`, or annotations. */
  edit(change: { readonly spec?: object; readonly annotations?: Record<string, string> }): void;
  /** Changes `spec.rollout`, field by field. */
  editRollout(change: object): void;
  /** Replaces the operator by one with other default images, as an upgrade does. */
  upgrade(): void;
  /** Replaces the operator by one that dies after so many writes, or not at all. */
  restart(life?: number): void;
  /** Publishes a release of the ApiSchema. */
  publish(id: string): void;
  /** One reconcile; a dead operator is replaced by a new one. */
  turn(): Promise<Turn>;
  /** Reconciles until `until` holds. Throws after 600 turns. */
  run(until: (turn: Turn) => boolean): Promise<void>;
  /** How many writes the operator has made in its lives so far. */
  writes(): number;
  /** Everything that clients must never see and did, and what the operator must never write and did. */
  violations(): readonly string[];
}

/** What one reconcile came to. */
export interface Turn {
  readonly outcome: Outcome | undefined;
  readonly instance: Instance | undefined;
}

/** The instance as far as tests look at it. */
export interface Instance extends KubeObject {
  readonly status?: {
    readonly stable?: ApiInstanceStatus['stable'];
    readonly candidate?: ApiInstanceStatus['candidate'];
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason: string;
      readonly message: string;
    }[];
    readonly traffic?: { readonly revision: number; readonly weight: number };
    readonly history?: ApiInstanceStatus['history'];
    readonly rejected?: ApiInstanceStatus['rejected'];
    readonly lastAction?: ApiInstanceStatus['lastAction'];
    readonly breaking?: ApiInstanceStatus['breaking'];
    readonly change?: ApiInstanceStatus['change'];
    readonly reload?: ApiInstanceStatus['reload'];
    readonly restart?: ApiInstanceStatus['restart'];
    readonly step?: number;
    readonly heldSince?: string;
    readonly pausedSince?: string;
    readonly progressedAt?: string;
  };
}

/**
 * `lives`: after how many writes each operator process in turn dies; the one after the last lives for ever. `spec`: what
 * the instance has beyond, or in the place of, the fields of `seed`.
 */
export function createInstanceHarness(lives: readonly number[], spec: object = {}): InstanceHarness {
  const kube = createFakeKube();
  const clock = createFakeClock();
  const router = createNginxAnnotationsRouter(kube.client, {
    namespace: 'ingress-nginx',
    name: 'controller',
  });
  const ref = { apiVersion: api, kind: 'ApiInstance', namespace, name };
  const read = () => kube.read(ref) as Instance | undefined;
  const specNow = () => apiInstanceSpec.parse(read()?.['spec']);
  seed(kube, spec);
  const cluster = createSimulatedCluster(kube, clock, name, namespace, (objects) =>
    router.read(name, specNow(), objects),
  );
  const script = createScript();
  const remaining = [...lives];
  let proofs: Proofs = { pods: new Set(), hundred: new Set() };
  const guard = createWriteGuard(cluster, () => proofs, read, specNow);

  let version = 1;
  let operator = boot(remaining.shift());

  function boot(life: number | undefined) {
    proofs = { pods: new Set(), hundred: new Set() };
    const client = watched(life === undefined ? kube.client : diesAfter(life, kube.client), () => {
      const end = guard.begin();
      return () => {
        end();
        cluster.reconcile();
      };
    });
    const run = createScriptedWork(kube, clock, cluster, script, proofs);
    return startOperator(client, clock, router, run, version);
  }

  function replace(life: number | undefined): void {
    operator.stop();
    operator = boot(life);
  }

  async function turn(): Promise<Turn> {
    cluster.reconcile();
    await clock.settle();
    let outcome: Outcome | undefined;
    try {
      outcome = await operator.reconcile();
    } catch (error) {
      if (!(error instanceof ProcessDied)) throw error;
      replace(remaining.shift());
    }
    await clock.settle();
    await clock.advance(outcome?.kind === 'waiting' ? Math.min(outcome.retryAfterMs, 1000) : 50);
    return { outcome, instance: read() };
  }

  return {
    kube,
    clock,
    cluster,
    script,
    instance() {
      const found = read();
      if (!found) throw new Error('the instance is gone');
      return found;
    },
    edit(change) {
      const current = this.instance();
      const metadata = {
        ...current.metadata,
        annotations: { ...current.metadata.annotations, ...change.annotations },
      };
      kube.put({ ...current, metadata, spec: { ...(current['spec'] as object), ...change.spec } });
    },
    editRollout(change) {
      const { rollout } = this.instance()['spec'] as { rollout: object };
      this.edit({ spec: { rollout: { ...rollout, ...change } } });
    },
    upgrade() {
      version += 1;
      replace(undefined);
    },
    restart: replace,
    publish(id) {
      publish(kube, id);
    },
    turn,
    async run(until) {
      for (let turns = 0; turns < 600; turns += 1) if (until(await turn())) return;
      throw new Error(`nothing came of it in 600 turns: ${JSON.stringify(this.instance().status)}`);
    },
    writes: () => kube.writes.length,
    violations: () => [...cluster.violations, ...guard.violations],
  };
}

function startOperator(
  client: KubeClient,
  clock: FakeClock,
  router: ReturnType<typeof createNginxAnnotationsRouter>,
  run: RunTask<Work, WorkResult>,
  version: number,
) {
  const log = pino({ level: 'silent' });
  const rng = () => 0.5;
  const caches = Object.fromEntries(
    Object.entries(cacheSelections).map(([cache, selection]) => [
      cache,
      createInformer({ client, clock, rng, log, ...selection }),
    ]),
  ) as unknown as Caches;
  const queue = createQueue<Key>({ clock, rng });
  const key = `${namespace}/${name}` as const;
  const { reconciler, tasks } = createApiInstanceController({
    client,
    caches,
    clock,
    rng,
    log,
    queue,
    routers: { IngressNginx: router, GatewayAPI: undefined },
    places: { of: () => '', onChange: () => undefined },
    identity: 'test',
    callers: {
      ingress: { namespace: 'ingress-nginx' },
      gateway: undefined,
      operator: { namespace: 'operator' },
    },
    onPodReloaded: () => undefined,
    onRolloutEnded: () => undefined,
    images: {
      postgrest: `postgrest:${version}`,
      gate: `gate:${version}`,
      pgbouncer: `pgbouncer:${version}`,
    },
    events: { record: () => undefined, flush: () => Promise.resolve() },
    run,
    // The same for every life: random ones would make two ends of one journey differ.
    makeCredentials: () => Promise.resolve(poolerCredentials),
  });
  return {
    async reconcile(): Promise<Outcome | undefined> {
      const { signal } = new AbortController();
      const world = await reconciler.observe(key, signal);
      if (!world) return undefined;
      const plan = reconciler.decide(world);
      await reconciler.act(plan, world, signal);
      return plan.outcome;
    },
    stop() {
      void tasks.stop(0);
      for (const cache of Object.values(caches) as { stop(): void }[]) cache.stop();
    },
  };
}

/** Calls back before every write, and what that returns after it, when the world has just changed. */
function watched(client: KubeClient, beforeWrite: () => () => void): KubeClient {
  const around =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      const afterWrite = beforeWrite();
      const result = await call(...args);
      afterWrite();
      return result;
    };
  return {
    ...client,
    apply: around(client.apply),
    applyStatus: around(client.applyStatus),
    patch: around(client.patch),
    delete: around(client.delete),
  };
}

function seed(kube: FakeKube, spec: object): void {
  kube.put({
    apiVersion: api,
    kind: 'ApiInstance',
    metadata: { name, namespace },
    spec: {
      schemaRef: { name },
      replicas: 2,
      database: { uriSecretRef: { name: 'database', key: 'uri' } },
      pooler: {},
      expose: { host: 'todo.example.test' },
      rollout: { steps: [{ weight: 10 }, { pause: {} }, { weight: 50 }, { pause: { duration: '2s' } }] },
      ...spec,
    },
  });
  kube.put({ apiVersion: api, kind: 'ApiSchema', metadata: { name, namespace }, spec: { schema: 'api' } });
  const uri = Buffer.from('postgres://authenticator:secret@db:5432/app').toString('base64');
  kube.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'database', namespace }, data: { uri } });
  publish(kube, '00000001');
}

function publish(kube: FakeKube, id: string): void {
  const ref = { apiVersion: api, kind: 'ApiSchema', namespace, name };
  const before = (kube.read(ref) as { status?: { releases?: object[] } } | undefined)?.status?.releases ?? [];
  const release = { id, schema: `api_${id}`, builtAt: '2025-12-31T00:00:00Z' };
  kube.putStatus(ref, { release, releases: [release, ...before] });
}
