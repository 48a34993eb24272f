import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createFakeKube } from '../testing/fakeKube.ts';
import { capturingLog } from '../testing/quietLog.ts';
import { createInformer, type InformerOptions } from './informer.ts';
import type { KubeClient, WatchOptions } from './kubeClient.ts';
import { KubeError } from './kubeError.ts';
import type { KubeObject } from './object.ts';

const pod = (name: string, fields: { app?: string; node?: string } = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', labels: { app: fields.app ?? 'todo' }, managedFields: [{}] },
  spec: { nodeName: fields.node ?? 'n1' },
});
const ref = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name });
const unreachable = new KubeError(0, 'Unreachable', 'connection refused');

function setUp(options: Partial<InformerOptions> = {}) {
  const clock = createFakeClock();
  const kube = createFakeKube();
  const { log, lines } = capturingLog();
  const calls = { lists: 0, watches: [] as WatchOptions[] };
  const trouble: { list?: Error; watch?: Error } = {};
  const client: KubeClient = {
    ...kube.client,
    list: (...args) => {
      calls.lists += 1;
      return trouble.list === undefined ? kube.client.list(...args) : Promise.reject(trouble.list);
    },
    async *watch(...args) {
      calls.watches.push(args[0]);
      if (trouble.watch !== undefined) throw trouble.watch;
      yield* kube.client.watch(...args);
    },
  };
  const start = () => {
    const informer = createInformer({
      client,
      clock,
      rng: () => 0.5,
      log,
      apiVersion: 'v1',
      kind: 'Pod',
      indexers: { byNode: ({ spec }) => [(spec as { nodeName: string }).nodeName] },
      ...options,
    });
    const seen: string[] = [];
    informer.onChange(({ type, object, initial }) => {
      seen.push(`${type} ${object.metadata.name}${initial ? ' (initial)' : ''}`);
    });
    return { informer, seen };
  };
  return { clock, kube, lines, calls, trouble, start };
}

describe('informer', () => {
  test('lists, is ready, and follows', async () => {
    const { clock, kube, calls, start } = setUp();
    kube.put(pod('a'));
    const { informer, seen } = start();
    expect(informer.isReady()).toBe(false);
    await informer.ready;
    expect(informer.isReady()).toBe(true);
    kube.put(pod('b'));
    kube.put(pod('b', { node: 'n2' }));
    kube.remove(ref('a'));
    await clock.settle();
    expect(seen).toEqual(['added a (initial)', 'added b', 'updated b', 'deleted a']);
    expect(informer.list().map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(informer.get('shop/b')?.spec).toEqual({ nodeName: 'n2' });
    expect(calls).toMatchObject({ lists: 1, watches: [{ kind: 'Pod', timeoutSeconds: 450 }] });
  });

  test('keeps its indexes, and knows only those that were declared', async () => {
    const { clock, kube, start } = setUp();
    kube.put(pod('a'));
    const { informer } = start();
    await informer.ready;
    const on = (node: string) => informer.byIndex('byNode', node).map(({ metadata }) => metadata.name);
    expect([on('n1'), on('n2')]).toEqual([['a'], []]);
    kube.put(pod('a', { node: 'n2' }));
    await clock.settle();
    expect([on('n1'), on('n2')]).toEqual([[], ['a']]);
    kube.remove(ref('a'));
    await clock.settle();
    expect(on('n2')).toEqual([]);
    expect(() => informer.byIndex('other', 'x')).toThrow('no index other');
  });

  test('keeps of managedFields only our own, and shares them', async () => {
    const { kube, start } = setUp();
    const mine = {
      manager: 'postgrest-operator',
      operation: 'Apply',
      fieldsV1: { 'f:spec': {} },
      time: 'now',
    };
    for (const name of ['a', 'b']) {
      const object = pod(name);
      kube.put({ ...object, metadata: { ...object.metadata, managedFields: [{ manager: 'other' }, mine] } });
    }
    kube.put(pod('c'));
    const { informer } = start();
    await informer.ready;
    const kept = (name: string) => informer.get(`shop/${name}`)?.metadata['managedFields'];
    expect(kept('a')).toEqual([
      { manager: 'postgrest-operator', operation: 'Apply', fieldsV1: { 'f:spec': {} } },
    ]);
    expect(kept('a')).toBe(kept('b'));
    expect(kept('c')).toBeUndefined();
  });

  test('asks for what was selected, and for metadata only', async () => {
    const { clock, kube, calls, start } = setUp({
      labelSelector: 'app=todo',
      metadataOnly: true,
      indexers: {},
    });
    kube.put(pod('a'));
    kube.put(pod('b', { app: 'other' }));
    const { informer } = start();
    await informer.ready;
    await clock.settle();
    expect(informer.list().map(({ metadata, spec }) => [metadata.name, spec])).toEqual([['a', undefined]]);
    expect(calls.watches[0]).toMatchObject({ labelSelector: 'app=todo', metadataOnly: true });
  });

  test('a list that fails is tried again with backoff from 0.8 s to 30 s until it succeeds', async () => {
    const { clock, calls, trouble, start } = setUp();
    trouble.list = unreachable;
    const { informer } = start();
    const times: number[] = [];
    while (times.length < 8) {
      if (calls.lists > times.length) times.push(clock.monotonic());
      await clock.advance(50);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    expect(gaps).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500]);
    delete trouble.list;
    await clock.advance(30_000);
    expect(informer.isReady()).toBe(true);
  });

  test('a watch that ends in good order goes on at once from the last version, without a list', async () => {
    const { clock, kube, calls, seen } = await following();
    await clock.advance(60_000);
    kube.put(pod('b'));
    await clock.settle();
    kube.endWatches();
    kube.put(pod('c'));
    await clock.settle();
    expect(seen.slice(1)).toEqual(['added b', 'added c']);
    expect(calls.lists).toBe(1);
    expect(calls.watches).toHaveLength(2);
    expect(Number(calls.watches[1]?.resourceVersion)).toBeGreaterThan(
      Number(calls.watches[0]?.resourceVersion),
    );
  });

  test('a watch that ends at once, again and again, is not hammered', async () => {
    const { clock, kube, calls } = await following();
    for (let second = 0; second < 60; second += 1) {
      kube.endWatches();
      await clock.advance(1000);
    }
    expect(calls.watches.length).toBeLessThan(12);
  });

  test('a watch that breaks is resumed after a pause; 120 s of health reset the backoff', async () => {
    const { clock, kube, calls, trouble } = await following();
    trouble.watch = unreachable;
    kube.endWatches(unreachable);
    await clock.advance(60_000);
    delete trouble.watch;
    await clock.advance(200_000);
    const before = calls.watches.length;
    kube.endWatches(unreachable);
    await clock.advance(599);
    expect(calls.watches).toHaveLength(before);
    await clock.advance(1);
    expect(calls.watches).toHaveLength(before + 1);
    expect(calls.lists).toBe(1);
  });

  test('an expired version means a new list, which finds what was missed, deletes too', async () => {
    const { clock, kube, calls, seen } = await following();
    kube.put(pod('old'));
    await clock.settle();
    kube.endWatches(unreachable);
    kube.put(pod('b'));
    kube.remove(ref('old'));
    kube.compact();
    await clock.advance(1000);
    expect(seen.slice(1)).toEqual(['added old', 'deleted old', 'added b']);
    expect(calls.lists).toBe(2);
    kube.put(pod('c'));
    await clock.settle();
    expect(seen.at(-1)).toBe('added c');
  });

  test('an expiry that comes as an event of the watch lists anew at once', async () => {
    const { clock, kube, calls } = await following();
    kube.endWatches(new KubeError(410, 'Expired', 'too old resource version'));
    await clock.settle();
    expect(calls.lists).toBe(2);
  });

  test('a server that calls every version expired is not hammered', async () => {
    const { clock, kube, calls, trouble } = await following();
    trouble.watch = new KubeError(410, 'Expired', 'too old resource version');
    kube.endWatches();
    await clock.advance(60_000);
    expect(calls.lists).toBeLessThan(12);
  });

  test('an object that was deleted and created again while nobody watched is told apart by its uid', async () => {
    const { clock, kube, seen } = await following();
    kube.endWatches(unreachable);
    kube.remove(ref('a'));
    kube.put(pod('a'));
    kube.compact();
    await clock.advance(5000);
    expect(seen.slice(1)).toEqual(['deleted a', 'added a']);
  });

  test('a list that brings nothing new says nothing', async () => {
    const { clock, kube, seen, calls } = await following();
    kube.endWatches(new KubeError(410, 'Expired', ''));
    await clock.settle();
    expect([calls.lists, seen]).toEqual([2, ['added a (initial)']]);
  });

  test('a handler that throws is logged and hurts nobody', async () => {
    const { clock, kube, lines, start } = setUp();
    const { informer, seen } = start();
    informer.onChange(() => {
      throw new Error('a bug');
    });
    await informer.ready;
    kube.put(pod('a'));
    kube.put(pod('b'));
    await clock.settle();
    expect(seen).toEqual(['added a', 'added b']);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(2);
  });

  test('an indexer that throws costs the object its index entry and nothing else', async () => {
    const { clock, kube, informer, lines } = await following();
    kube.put({ ...pod('odd'), spec: null });
    kube.put(pod('b'));
    await clock.settle();
    expect(informer.get('shop/odd')).toBeDefined();
    expect(informer.byIndex('byNode', 'n1').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1);
  });

  test('a late handler gets what is there, and nothing after it unsubscribed', async () => {
    const { clock, kube, informer } = await following();
    const late: string[] = [];
    const unsubscribe = informer.onChange(({ type, initial }) => late.push(`${type} ${String(initial)}`));
    expect(late).toEqual(['added true']);
    kube.put(pod('b'));
    await clock.settle();
    unsubscribe();
    kube.put(pod('c'));
    await clock.settle();
    expect(late).toEqual(['added true', 'added false']);
  });

  test('stop ends the watch and all trying', async () => {
    const { clock, kube, calls, informer, seen } = await following();
    informer.stop();
    kube.put(pod('b'));
    await clock.advance(100_000);
    expect([seen, calls.lists, calls.watches.length]).toEqual([['added a (initial)'], 1, 1]);
    expect(informer.get('shop/a')).toBeDefined();
  });
});

async function following() {
  const world = setUp();
  world.kube.put(pod('a'));
  const started = world.start();
  await started.informer.ready;
  await world.clock.settle();
  return { ...world, ...started };
}
