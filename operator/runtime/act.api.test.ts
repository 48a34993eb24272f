import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTestApiServer, type TestApiServer } from '../testing/apiServer.ts';
import { diesAfter, ProcessDied } from '../testing/fakeKube.ts';
import { quietLog } from '../testing/quietLog.ts';
import { installWidgets, widget, widgetMappings } from '../testing/widgets.ts';
import { executePlan, type ActDeps, type Primary } from './act.ts';
import { createAppliedMemory } from './applied.ts';
import { systemClock } from './clock.ts';
import type { KubeClient } from './kubeClient.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from './object.ts';
import type { Plan } from './reconciler.ts';
import { createTaskSupervisor } from './tasks.ts';

let server: TestApiServer;
let namespace: string;
const signal = new AbortController().signal;

beforeAll(async () => {
  server = await connectTestApiServer(widgetMappings);
  ({ namespace } = server);
  await installWidgets(server.client);
});

afterAll(async () => {
  await server.close();
});

const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const deployment = (name: string): KubeObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '1000m' } } }] },
    },
  },
});
const finalizer = 'test.pgrst.dev/finalizer';

function planFor(name: string): Plan<unknown> {
  return {
    metadata: {
      finalizers: [finalizer],
      annotations: { 'test.pgrst.dev/accepted': 'abort 2', 'test.pgrst.dev/action': null },
    },
    apply: [configMap(`${name}-a`, { a: '1' }), deployment(name)],
    prune: [refOf(configMap(`${name}-old`, {}))],
    work: [],
    status: { weight: 10, conditions: [{ type: 'Ready', status: 'True' }] },
    notes: [],
    outcome: { kind: 'settled' },
  };
}

async function setUp(name: string): Promise<ObjectRef> {
  const object = {
    ...widget,
    metadata: { name, namespace, annotations: { 'test.pgrst.dev/action': 'abort' } },
    spec: { size: 1 },
  };
  await server.client.create(object, signal);
  await server.client.create(configMap(`${name}-old`, {}), signal);
  return refOf(object);
}

/** One process: it reads what it will need, as `observe` does, and then acts. */
function startProcess(client: KubeClient = server.client) {
  const applied = createAppliedMemory();
  let writes = 0;
  const counted =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      writes += 1;
      return call(...args);
    };
  const counting: KubeClient = {
    ...client,
    apply: counted(client.apply),
    applyStatus: counted(client.applyStatus),
    patch: counted(client.patch),
    delete: counted(client.delete),
  };
  const reconcile = async (ref: ObjectRef, plan: Plan<unknown>): Promise<number> => {
    const before = writes;
    const primary = (await server.client.get(ref, signal)) as unknown as Primary;
    const observed = new Map<string, KubeObject>();
    for (const desired of plan.apply) {
      const object = await server.client.get(refOf(desired), signal);
      if (object !== undefined) observed.set(refKey(refOf(desired)), object);
    }
    const deps: ActDeps<unknown, unknown> = {
      client: counting,
      applied,
      observed: (each) => observed.get(refKey(each)),
      tasks: createTaskSupervisor({
        clock: systemClock,
        rng: () => 0,
        log: quietLog,
        onSettled: () => undefined,
      }),
      run: () => Promise.resolve(undefined),
      events: { record: () => undefined, flush: () => Promise.resolve() },
    };
    await executePlan(plan, primary, deps, signal);
    return writes - before;
  };
  return { reconcile };
}

/** All that the plan is about, without what differs between any two runs. */
async function world(name: string): Promise<unknown> {
  const refs = [
    { ...widget, namespace, name },
    refOf(configMap(`${name}-a`, {})),
    refOf(configMap(`${name}-old`, {})),
    refOf(deployment(name)),
  ];
  const objects = await Promise.all(refs.map((ref) => server.client.get(ref, signal)));
  return objects.map((object) => {
    if (object === undefined) return undefined;
    const { annotations, finalizers, generation } = object.metadata;
    return JSON.parse(
      JSON.stringify({ ...object, metadata: { annotations, finalizers, generation } }).replaceAll(
        name,
        'NAME',
      ),
    ) as unknown;
  });
}

async function versions(name: string): Promise<(string | undefined)[]> {
  const refs = [{ ...widget, namespace, name }, refOf(configMap(`${name}-a`, {})), refOf(deployment(name))];
  const objects = await Promise.all(refs.map((ref) => server.client.get(ref, signal)));
  return objects.map((object) => object?.metadata.resourceVersion);
}

test('at rest nothing is written, nor after a restart', async () => {
  const ref = await setUp('rest');
  const plan = planFor('rest');
  const first = startProcess();
  expect(await first.reconcile(ref, plan)).toBe(5);
  const settled = { ...plan, prune: [] };
  expect(await first.reconcile(ref, settled)).toBe(0);
  const before = await versions('rest');
  const second = startProcess();
  expect(await second.reconcile(ref, settled)).toBe(0);
  expect(await versions('rest')).toEqual(before);
});

test('after a restart, what is desired no longer is taken away', async () => {
  const ref = await setUp('upgrade');
  const plan = planFor('upgrade');
  const old = configMap('upgrade-a', { a: '1', b: '2' });
  await startProcess().reconcile(ref, { ...plan, apply: [old] });
  const next = startProcess();
  expect(await next.reconcile(ref, { ...plan, prune: [], apply: [configMap('upgrade-a', { a: '1' })] })).toBe(
    1,
  );
  expect((await server.client.get(refOf(old), signal))?.['data']).toEqual({ a: '1' });
});

test('killed after every prefix of its writes and run again, it reaches the same end', async () => {
  const ref = await setUp('whole');
  const total = await startProcess().reconcile(ref, planFor('whole'));
  const end = await world('whole');
  for (let n = 0; n < total; n += 1) {
    const name = `killed-${n}`;
    const killed = await setUp(name);
    const doomed = startProcess(diesAfter(n, server.client));
    await expect(doomed.reconcile(killed, planFor(name))).rejects.toThrow(ProcessDied);
    await startProcess().reconcile(killed, planFor(name));
    expect(await world(name)).toEqual(end);
  }
});
