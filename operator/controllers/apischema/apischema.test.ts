import { afterEach, describe, expect, test } from 'vitest';
import type { ApiSchema, ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { actionAnnotation, apiVersion, finalizer } from '../../api/v1alpha1/shared.ts';
import { createEventRecorder } from '../../runtime/events.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { refOf, type KubeObject } from '../../runtime/object.ts';
import { createQueue } from '../../runtime/queue.ts';
import type { Key } from '../../runtime/reconciler.ts';
import { createFakeClock } from '../../testing/fakeClock.ts';
import { createFakeKube, diesAfter, ProcessDied } from '../../testing/fakeKube.ts';
import { quietLog } from '../../testing/quietLog.ts';
import { startSchemaCaches } from '../../testing/schemaCaches.ts';
import { apiSchema, summaryOf } from '../../testing/schemaWorld.ts';
import type { ApplyRequest } from './applyRequest.ts';
import { createApiSchemaController } from './index.ts';
import { createJob } from './jobOrder.ts';
import { resyncMs } from './order.ts';
import { pendingSet } from './reviewSql.ts';
import type { Work, WorkResult } from './world.ts';

const key: Key = 'shop/todo';
const ref = { apiVersion, kind: 'ApiSchema', namespace: 'shop', name: 'todo' };
const rng = () => 0.5;

/** A cluster, a database that outlives every operator, and the operator's process. */
function createHarness() {
  const kube = createFakeKube();
  const clock = createFakeClock();
  /** API SQL by release id, in the order of publication; what a run finds there it does not do again. */
  const database = { releases: new Map<string, string>(), contracted: new Set<string>(), runs: 0 };
  const { caches, stop } = startSchemaCaches({ client: kube.client, clock, rng, log: quietLog });

  const apply = (request: ApplyRequest): WorkResult => {
    const id = `${String(request.apiSql.length)}0000000`.slice(0, 8);
    const isNew = !database.releases.has(id);
    const contractions = {
      applied: database.contracted.size,
      pending: request.contractions.length - database.contracted.size,
      last: [],
    };
    const pending = pendingSet(request.migrations);
    if (isNew && request.backups?.includes(pending.hash) === false)
      return { kind: 'needsJob', pending, summary: { ...summaryOf(id), releases: [], contractions } };
    if (isNew && request.breaking === 'RequireApproval' && !request.approved.includes(id))
      return { kind: 'blocked', reason: 'BreakingChange', message: 'It breaks clients.', release: id };
    database.releases.set(id, request.apiSql);
    return { kind: 'applied', summary: { ...summaryOf(id), contractions }, unmapped: [] };
  };

  const runWith =
    (client: KubeClient) =>
    async ({ spec }: { spec: Work }): Promise<WorkResult> => {
      database.runs += 1;
      await Promise.resolve();
      switch (spec.kind) {
        case 'job':
          return await createJob(spec.job, client, new AbortController().signal);
        case 'apply':
          return apply(spec.request);
        case 'plan':
          return { kind: 'planned', statements: [], problems: [] };
        case 'survey':
          return { kind: 'surveyed', needs: [], outside: [], opaque: [] };
        case 'contract':
          database.contracted.add(spec.request.contraction.name);
          return { kind: 'contracted', name: spec.request.contraction.name };
        case 'collect':
          return { kind: 'collected', dropped: [] };
        case 'drop':
          database.releases.clear();
          return { kind: 'dropped' };
      }
    };

  /** What the Job controller of the cluster does. */
  const completeJobs = (): void => {
    for (const job of kube.all('Job'))
      if (job['status'] === undefined)
        kube.putStatus(refOf(job), { conditions: [{ type: 'Complete', status: 'True' }] });
  };

  function startProcess(client: KubeClient): Controller & { enqueued: Key[] } {
    const enqueued: Key[] = [];
    const queue = createQueue<Key>({ clock, rng });
    const controller = createApiSchemaController({
      client,
      caches,
      clock,
      rng,
      log: quietLog,
      events: createEventRecorder({
        client,
        clock,
        log: quietLog,
        reportingController: 'test',
        reportingInstance: 'test',
      }),
      queue: { ...queue, add: (each) => enqueued.push(each) },
      clusterId: 'cluster-1',
      identity: 'operator-1',
      run: runWith(client),
    });
    return { ...controller, enqueued };
  }

  /** Reconciles until whole rounds write nothing and no work is under way: the first of them may only see a result. */
  async function settle({ reconciler, tasks }: Controller): Promise<void> {
    for (let quiet = 0; quiet < 3;) {
      const before = writes();
      const world = await reconciler.observe(key, new AbortController().signal);
      if (world === undefined) return;
      await reconciler.act(reconciler.decide(world), world, new AbortController().signal);
      await clock.settle();
      completeJobs();
      const isWorking = [...tasks.states(key).values()].some(({ state }) => state !== 'done');
      quiet = writes() === before && !isWorking ? quiet + 1 : 0;
    }
  }

  // Events are told apart: they are not part of what a plan promises to reach.
  const writes = (): number => kube.writes.filter(({ ref: each }) => each.kind !== 'Event').length;

  return {
    kube,
    clock,
    caches,
    database,
    startProcess,
    settle,
    writes,
    stop,
  };
}

type Controller = ReturnType<typeof createApiSchemaController>;
type Harness = ReturnType<typeof createHarness>;
const open: Harness[] = [];
afterEach(() => {
  for (const harness of open.splice(0)) harness.stop();
});

async function harnessWith(object: ApiSchema): Promise<Harness> {
  const harness = createHarness();
  open.push(harness);
  harness.kube.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 'db' },
    data: { uri: Buffer.from('postgres://owner:s3cret@db/app').toString('base64') },
  });
  harness.kube.put(object as unknown as KubeObject);
  await harness.clock.settle();
  return harness;
}

const fresh = (deletionPolicy: 'Retain' | 'Delete', spec: Partial<ApiSchemaSpec> = {}): ApiSchema => {
  const { metadata, ...rest } = apiSchema({ spec: { deletionPolicy, ...spec } });
  return {
    ...rest,
    metadata: { namespace: metadata.namespace, name: metadata.name },
  } as unknown as ApiSchema;
};

/** What a person does by `kubectl annotate`. */
function ask(kube: Harness['kube'], action: string): void {
  const object = kube.read(ref);
  if (object === undefined) throw new Error('there is no ApiSchema');
  kube.put({ ...object, metadata: { ...object.metadata, annotations: { [actionAnnotation]: action } } });
}

/** What a journey does to the object, once it has come to rest. */
const journeys: {
  readonly name: string;
  readonly policy: 'Retain' | 'Delete';
  readonly spec?: Partial<ApiSchemaSpec>;
  readonly step: (harness: Harness) => Promise<unknown>;
  /** Whether the object is there in the end, and how many releases the database holds. */
  readonly ends: { readonly exists: boolean; readonly releases: number };
}[] = [
  {
    name: 'is created',
    policy: 'Retain',
    step: () => Promise.resolve(),
    ends: { exists: true, releases: 1 },
  },
  {
    name: 'is edited',
    policy: 'Retain',
    step: ({ kube }) => {
      const object = kube.read(ref) as unknown as ApiSchema;
      kube.put({
        ...object,
        spec: { ...object.spec, api: { sql: 'create view api.t as select 1, 2' } },
      } as unknown as KubeObject);
      return Promise.resolve();
    },
    ends: { exists: true, releases: 2 },
  },
  {
    name: 'waits for the Job before its migrations',
    policy: 'Retain',
    spec: {
      beforeMigration: {
        jobTemplate: { spec: { template: { spec: { containers: [{ name: 'backup' }] } } } },
      },
    },
    step: () => Promise.resolve(),
    ends: { exists: true, releases: 1 },
  },
  {
    name: 'is approved: a release that breaks clients',
    policy: 'Retain',
    spec: { breaking: 'RequireApproval' },
    step: ({ kube }) => {
      ask(kube, 'approve');
      return Promise.resolve();
    },
    ends: { exists: true, releases: 1 },
  },
  {
    name: 'is approved: a contraction',
    policy: 'Retain',
    spec: { contractions: [{ name: 'c1', sql: 'drop table old', approval: 'Manual' }] },
    step: ({ kube }) => {
      ask(kube, 'approve');
      return Promise.resolve();
    },
    ends: { exists: true, releases: 1 },
  },
  {
    name: 'is planned',
    policy: 'Retain',
    step: ({ kube }) => {
      ask(kube, 'plan');
      return Promise.resolve();
    },
    ends: { exists: true, releases: 1 },
  },
  {
    name: 'is deleted with Retain',
    policy: 'Retain',
    step: ({ kube }) => kube.client.delete(ref, {}, new AbortController().signal),
    ends: { exists: false, releases: 1 },
  },
  {
    name: 'is deleted with Delete',
    policy: 'Delete',
    step: ({ kube }) => kube.client.delete(ref, {}, new AbortController().signal),
    ends: { exists: false, releases: 0 },
  },
];

/** Journeys whose first reconcile is part of them. */
const beginnings = new Set(['is created', 'waits for the Job before its migrations']);

/** What is left in the end, without what depends on when and by whom it was written. */
function endOf({ kube, database }: Harness) {
  const object = kube.read(ref) as unknown as ApiSchema | undefined;
  return {
    exists: object !== undefined,
    finalizers: object?.metadata.finalizers,
    status: object?.status,
    releases: [...database.releases],
    contracted: [...database.contracted],
    jobs: kube.all('Job').map(({ metadata }) => metadata.name),
  };
}

/** Runs the journey; its process dies after `n` writes, and another one takes over. Infinity: it lives. */
async function travel(
  journey: (typeof journeys)[0],
  n: number,
): Promise<{ end: ReturnType<typeof endOf>; writes: number }> {
  const harness = await harnessWith(fresh(journey.policy, journey.spec));
  const { kube } = harness;
  const first = harness.startProcess(kube.client);
  if (!beginnings.has(journey.name)) await harness.settle(first);
  await journey.step(harness);
  const before = harness.writes();
  const mortal = harness.startProcess(Number.isFinite(n) ? diesAfter(n, kube.client) : kube.client);
  try {
    await harness.settle(mortal);
  } catch (error) {
    if (!(error instanceof ProcessDied)) throw error;
    await mortal.tasks.stop(0);
  }
  const writes = harness.writes() - before;
  if (Number.isFinite(n)) await harness.settle(harness.startProcess(kube.client));
  return { end: endOf(harness), writes };
}

/**
 * The property that every write of `act` must keep: whoever dies between two of them, the next process reaches the same
 * end. To see it fail, break one write's idempotence: in plan.ts append our finalizer even when it is there, and no
 * journey ever comes to rest; in deletion.ts remove the finalizer before the releases are dropped (`decideDrop` returning
 * `letGo` at once), and "is deleted with Delete" ends with releases that nobody will ever drop.
 */
describe('an ApiSchema reaches the same end, whenever the operator dies', () => {
  test.each(journeys)('when it $name', async (journey) => {
    const undisturbed = await travel(journey, Infinity);
    expect(undisturbed.writes).toBeGreaterThan(0);
    const { exists, releases } = undisturbed.end;
    expect({ exists, releases: releases.length }).toEqual(journey.ends);
    for (let n = 0; n <= undisturbed.writes; n += 1)
      expect((await travel(journey, n)).end, `killed after write ${String(n)}`).toEqual(undisturbed.end);
  });
});

describe('at rest', () => {
  test('nothing is written, and the database is looked at once in a resync time', async () => {
    const harness = await harnessWith(fresh('Retain'));
    const operator = harness.startProcess(harness.kube.client);
    await harness.settle(operator);
    const [writes, runs] = [harness.writes(), harness.database.runs];
    for (let round = 0; round < 20; round += 1) await harness.settle(operator);
    expect([harness.writes(), harness.database.runs]).toEqual([writes, runs]);
    await harness.clock.advance(resyncMs);
    await harness.settle(operator);
    await harness.settle(operator);
    expect([harness.writes(), harness.database.runs]).toEqual([writes, runs + 1]);
  });

  test('the finalizer is there before the database is touched', async () => {
    const harness = await harnessWith(fresh('Retain'));
    await harness.settle(harness.startProcess(harness.kube.client));
    expect(harness.kube.writes[0]).toMatchObject({
      verb: 'patch',
      body: { metadata: { finalizers: [finalizer] } },
    });
  });
});

describe('what wakes it', () => {
  const instance = (status: unknown): KubeObject => ({
    apiVersion,
    kind: 'ApiInstance',
    metadata: { namespace: 'shop', name: 'web' },
    spec: { schemaRef: { name: 'todo' } },
    status,
  });
  const configMap = (name: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'shop', name },
    data: { sql: name },
  });
  const object = (): ApiSchema => {
    const source = { configMapKeyRef: { name: 'sql', key: 'sql' } };
    return { ...fresh('Retain'), spec: apiSchema({ spec: { api: { sqlFrom: [source] } } }).spec };
  };

  test.each([
    {
      what: 'a ConfigMap that it reads',
      change: ({ kube }: Harness) => kube.put(configMap('sql')),
      woken: true,
    },
    { what: 'another ConfigMap', change: ({ kube }: Harness) => kube.put(configMap('other')), woken: false },
    {
      what: 'an instance that serves another release',
      change: ({ kube }: Harness) => kube.put(instance({ stable: { release: 'a' } })),
      woken: true,
    },
    {
      what: 'an instance whose other status changes',
      change: ({ kube }: Harness) => kube.put(instance({ replicas: 3 })),
      woken: false,
    },
  ])('$what: $woken', async ({ change, woken }) => {
    const harness = await harnessWith(object());
    harness.kube.put(instance({}));
    await harness.clock.settle();
    const { enqueued } = harness.startProcess(harness.kube.client);
    enqueued.length = 0;
    change(harness);
    await harness.clock.settle();
    expect([...new Set(enqueued)]).toEqual(woken ? [key] : []);
  });
});
