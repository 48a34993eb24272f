import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createFakeKube, diesAfter, ProcessDied, type FakeKube } from '../testing/fakeKube.ts';
import { quietLog } from '../testing/quietLog.ts';
import { executePlan, type ActDeps, type Primary } from './act.ts';
import { createAppliedMemory } from './applied.ts';
import type { KubeClient } from './kubeClient.ts';
import { KubeError } from './kubeError.ts';
import type { KubeObject } from './object.ts';
import type { EventNote, Plan } from './reconciler.ts';
import { createTaskSupervisor } from './tasks.ts';

const signal = new AbortController().signal;
const ownerRef = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiInstance', namespace: 'shop', name: 'todo' };
const service = (port: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'todo', namespace: 'shop' },
  spec: { ports: [{ port }] },
});
const config = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'shop' },
  data: { a: '1' },
});
const emptyPlan: Plan<unknown, string> = {
  apply: [],
  prune: [],
  work: [],
  notes: [],
  outcome: { kind: 'settled' },
};

/** A process: its memory is gone with it, the world is not. */
function startProcess(kube: FakeKube, client: KubeClient = kube.client) {
  const clock = createFakeClock();
  const notes: EventNote[] = [];
  const started: string[] = [];
  const deps: ActDeps<string, string> = {
    client,
    applied: createAppliedMemory(),
    observed: (ref) => kube.read(ref),
    tasks: createTaskSupervisor({ clock, rng: () => 0.5, log: quietLog, onSettled: () => undefined }),
    run: (order) => {
      started.push(order.id);
      return Promise.resolve(order.spec);
    },
    events: {
      record: (_, note) => {
        notes.push(note);
      },
      flush: () => Promise.resolve(),
    },
  };
  return { deps, notes, started, clock };
}

function readPrimary(kube: FakeKube): Primary {
  return kube.read(ownerRef) as unknown as Primary;
}

function setUp() {
  const kube = createFakeKube();
  const { namespace, name, apiVersion, kind } = ownerRef;
  kube.put({ apiVersion, kind, metadata: { namespace, name, finalizers: ['other/x'] }, spec: {} });
  return { kube, ...startProcess(kube) };
}

const verbs = (kube: FakeKube): string[] =>
  kube.writes.map(({ verb, ref }) => `${verb} ${ref.kind}/${ref.name}`);

const fullPlan: Plan<unknown, string> = {
  metadata: {
    annotations: { 'pgrst.dev/action': null, 'pgrst.dev/accepted': 'abort 2 x' },
    finalizers: ['other/x', 'pgrst.dev/finalizer'],
  },
  apply: [config('a'), service(80), config('b')],
  prune: [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'old' }],
  work: [{ id: 'prove-1', spec: 'x' }],
  status: { weight: 10 },
  notes: [{ type: 'Normal', reason: 'ShiftingTraffic', note: 'Weight 10.' }],
  outcome: { kind: 'settled' },
};

describe('executePlan', () => {
  test('work that is no longer ordered is withdrawn even when an apply fails', async () => {
    const kube = createFakeKube();
    kube.put({ ...ownerRef, metadata: { name: 'todo', namespace: 'shop' }, spec: {} });
    const { deps, clock } = startProcess(kube);
    const order = { id: 'proof of weight 10', spec: 'seen' };
    await executePlan({ ...emptyPlan, work: [order] }, readPrimary(kube), deps, signal);
    await clock.settle();
    expect(deps.tasks.states('shop/todo').get(order.id)?.state).toBe('done');
    const { deps: broken } = startProcess(kube, diesAfter(0, kube.client));
    const plan = { ...emptyPlan, apply: [service(80)] };
    const dying = executePlan(plan, readPrimary(kube), { ...broken, tasks: deps.tasks }, signal);
    await expect(dying).rejects.toThrow(ProcessDied);
    expect(deps.tasks.states('shop/todo').size).toBe(0);
  });

  test('writes in the order of the contract', async () => {
    const { kube, deps, notes, started, clock } = setUp();
    kube.put(config('old'));
    await executePlan(fullPlan, readPrimary(kube), deps, signal);
    await clock.settle();
    expect(verbs(kube)).toEqual([
      'patch ApiInstance/todo',
      'apply ConfigMap/a',
      'apply Service/todo',
      'apply ConfigMap/b',
      'delete ConfigMap/old',
      'applyStatus ApiInstance/todo',
    ]);
    expect(started).toEqual(['prove-1']);
    expect(notes).toEqual(fullPlan.notes);
    const primary = kube.read(ownerRef);
    expect(primary?.metadata.finalizers).toEqual(['other/x', 'pgrst.dev/finalizer']);
    expect(primary?.metadata.annotations).toEqual({ 'pgrst.dev/accepted': 'abort 2 x' });
    expect(primary?.status).toEqual({ weight: 10 });
  });

  test('at rest writes nothing', async () => {
    const { kube, deps } = setUp();
    await executePlan(fullPlan, readPrimary(kube), deps, signal);
    const before = kube.writes.length;
    await executePlan({ ...fullPlan, prune: [] }, readPrimary(kube), deps, signal);
    expect(kube.writes.slice(before)).toEqual([]);
  });

  test('applies again what somebody else changed, and what we want otherwise now', async () => {
    const { kube, deps } = setUp();
    const plan = { ...emptyPlan, apply: [service(80)] };
    await executePlan(plan, readPrimary(kube), deps, signal);
    kube.put(service(81));
    await executePlan(plan, readPrimary(kube), deps, signal);
    expect(kube.read({ ...ownerRef, ...service(80), name: 'todo' })?.spec).toEqual({
      ports: [{ port: 80 }],
    });
    await executePlan(
      { ...emptyPlan, apply: [{ ...service(80), spec: {} }] },
      readPrimary(kube),
      deps,
      signal,
    );
    expect(kube.writes.map(({ changed }) => changed)).toEqual([true, true, true]);
    expect(kube.read({ ...ownerRef, ...service(80), name: 'todo' })?.spec).toEqual({});
  });

  test('leaves alone what others change beside it', async () => {
    const { kube, deps } = setUp();
    const plan = { ...emptyPlan, apply: [service(80)] };
    await executePlan(plan, readPrimary(kube), deps, signal);
    kube.putStatus({ ...ownerRef, ...service(80), name: 'todo' }, { loadBalancer: {} });
    await executePlan(plan, readPrimary(kube), deps, signal);
    expect(kube.writes).toHaveLength(1);
  });

  test('rests on the metadata alone where that is all that is cached, until somebody else writes', async () => {
    const { kube, deps } = setUp();
    const observed: typeof deps.observed = (ref) => {
      const object = kube.read(ref);
      return object && { ...ref, metadata: object.metadata };
    };
    const reconcile = () =>
      executePlan({ ...emptyPlan, apply: [config('a')] }, readPrimary(kube), { ...deps, observed }, signal);
    await reconcile();
    await reconcile();
    expect(kube.writes).toHaveLength(1);
    kube.put({ ...config('a'), data: { a: '2' } });
    await reconcile();
    await reconcile();
    expect(kube.writes.map(({ changed }) => changed)).toEqual([true, true]);
  });

  test('applies once after a restart, which changes nothing, and then rests', async () => {
    const { kube, deps } = setUp();
    const plan = { ...emptyPlan, apply: [service(80)] };
    await executePlan(plan, readPrimary(kube), deps, signal);
    const second = startProcess(kube);
    await executePlan(plan, readPrimary(kube), second.deps, signal);
    await executePlan(plan, readPrimary(kube), second.deps, signal);
    expect(kube.writes.map(({ changed }) => changed)).toEqual([true, false]);
  });

  test('a changed object stops the plan before anything is written', async () => {
    const { kube, deps, started } = setUp();
    const stale = readPrimary(kube);
    kube.put({ ...ownerRef, metadata: { ...ownerRef, finalizers: ['other/y'] }, spec: { changed: true } });
    await expect(executePlan(fullPlan, stale, deps, signal)).rejects.toMatchObject({ status: 409 });
    expect(kube.writes).toEqual([]);
    expect(started).toEqual([]);
    expect(kube.read(ownerRef)?.metadata.finalizers).toEqual(['other/y']);
  });

  test('a failed apply stops what comes behind it, the status is written, then it is thrown', async () => {
    const { kube, deps, notes, started } = setUp();
    const refused = new KubeError(422, 'Invalid', 'no');
    const client: KubeClient = {
      ...kube.client,
      apply: (object, ...rest) =>
        object.kind === 'Service' ? Promise.reject(refused) : kube.client.apply(object, ...rest),
    };
    await expect(executePlan(fullPlan, readPrimary(kube), { ...deps, client }, signal)).rejects.toBe(refused);
    expect(verbs(kube)).toEqual([
      'patch ApiInstance/todo',
      'apply ConfigMap/a',
      'applyStatus ApiInstance/todo',
    ]);
    expect([notes, started]).toEqual([[], []]);
  });

  test('does not delete the namesake of what was to be pruned', async () => {
    const { kube, deps } = setUp();
    kube.put(config('old'));
    const prune = [{ apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'old', uid: 'another' }];
    await executePlan({ ...emptyPlan, prune }, readPrimary(kube), deps, signal);
    expect(kube.all('ConfigMap')).toHaveLength(1);
  });

  test('does not write the status of a namesake that was created meanwhile', async () => {
    const { kube, deps } = setUp();
    const old = readPrimary(kube);
    kube.remove(ownerRef);
    kube.put({ ...ownerRef, metadata: ownerRef, spec: {} });
    await expect(executePlan({ ...emptyPlan, status: { a: 1 } }, old, deps, signal)).rejects.toMatchObject({
      status: 409,
    });
    expect(kube.read(ownerRef)?.status).toBeUndefined();
  });

  test('the last plan of a deletion removes our finalizer; that there is no status to write then is fine', async () => {
    const { kube, deps } = setUp();
    await kube.client.delete(ownerRef, {}, signal);
    const plan = { ...emptyPlan, metadata: { finalizers: [] }, status: { gone: true } };
    await executePlan(plan, readPrimary(kube), deps, signal);
    expect(kube.read(ownerRef)).toBeUndefined();
  });

  test('a plan without work leaves what runs alone, an empty list cancels it', async () => {
    const { kube, deps, clock } = setUp();
    await executePlan(fullPlan, readPrimary(kube), deps, signal);
    await clock.settle();
    const { work: _, ...withoutWork } = emptyPlan;
    await executePlan(withoutWork, readPrimary(kube), deps, signal);
    expect([...deps.tasks.states('shop/todo').keys()]).toEqual(['prove-1']);
    await executePlan(emptyPlan, readPrimary(kube), deps, signal);
    expect(deps.tasks.states('shop/todo').size).toBe(0);
  });

  test('killed after every prefix of its writes and run again, it reaches the same end', async () => {
    const uninterrupted = setUp();
    uninterrupted.kube.put(config('old'));
    await executePlan(fullPlan, readPrimary(uninterrupted.kube), uninterrupted.deps, signal);
    const total = uninterrupted.kube.writes.length;
    for (let n = 0; n < total; n += 1) {
      const { kube } = setUp();
      kube.put(config('old'));
      const doomed = startProcess(kube, diesAfter(n, kube.client));
      await expect(executePlan(fullPlan, readPrimary(kube), doomed.deps, signal)).rejects.toThrow(
        ProcessDied,
      );
      expect(kube.writes).toHaveLength(n);
      await executePlan(fullPlan, readPrimary(kube), startProcess(kube).deps, signal);
      expect(kube.all().map(withoutVersion)).toEqual(uninterrupted.kube.all().map(withoutVersion));
    }
  });
});

function withoutVersion(object: KubeObject): unknown {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}
