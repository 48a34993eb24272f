import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { capturingLog } from '../testing/quietLog.ts';
import { runController, type ControllerOptions } from './controller.ts';
import { KubeError } from './kubeError.ts';
import type { Outcome } from './outcome.ts';
import { createQueue } from './queue.ts';
import type { Key } from './reconciler.ts';

interface World {
  readonly key: Key;
}
type Options = ControllerOptions<World, { readonly outcome: Outcome }>;

function setUp(given: {
  decide?: () => Outcome;
  act?: (key: Key, signal: AbortSignal) => Promise<void>;
  gone?: boolean;
  options?: Partial<Options>;
}) {
  const clock = createFakeClock();
  const rng = (): number => 0.5;
  const queue = createQueue<Key>({ clock, rng, baseDelayMs: 1000 });
  const { log, lines } = capturingLog();
  const runs: Key[] = [];
  const ended: string[] = [];
  const controller = runController<World, { readonly outcome: Outcome }>({
    name: 'apiinstance',
    reconciler: {
      observe: (key) => Promise.resolve(given.gone === true ? undefined : { key }),
      decide: () => ({ outcome: given.decide?.() ?? { kind: 'settled' } }),
      async act(_, { key }, signal) {
        runs.push(key);
        await given.act?.(key, signal);
      },
    },
    queue,
    workers: 2,
    clock,
    rng,
    log,
    metrics: {
      maxConcurrent: () => undefined,
      started: () => undefined,
      ended: (_, result) => ended.push(result),
    },
    ...given.options,
  });
  return { clock, queue, lines, runs, ended, controller };
}

describe('controller', () => {
  test('a settled key comes back after its recheck time, jittered, and behind what changed', async () => {
    const { clock, queue, runs, ended } = setUp({
      decide: () => ({ kind: 'settled', recheckAfterMs: 10_000 }),
    });
    queue.add('a/a');
    await clock.advance(9_999);
    expect(runs).toHaveLength(1);
    await clock.advance(1);
    expect(runs).toHaveLength(2);
    expect(ended).toEqual(['requeue_after', 'requeue_after']);
  });

  test('a blocked key without a recheck time waits for a change', async () => {
    const { clock, queue, runs, ended } = setUp({
      decide: () => ({ kind: 'blocked', reason: 'InvalidSpec', message: 'no' }),
    });
    queue.add('a/a');
    await clock.advance(10_000_000);
    expect(runs).toHaveLength(1);
    queue.add('a/a');
    await clock.settle();
    expect(runs).toHaveLength(2);
    expect(ended).toEqual(['success', 'success']);
  });

  test('waiting is no error: the key comes back after exactly the time it said', async () => {
    const { clock, queue, runs } = setUp({
      decide: () => ({ kind: 'waiting', on: 'pods', retryAfterMs: 700 }),
    });
    queue.add('a/a');
    await clock.advance(2100);
    expect(runs).toHaveLength(4);
  });

  test('a key that waits comes back after one to which something happened', async () => {
    const { clock, queue, runs } = setUp({
      decide: () => ({ kind: 'waiting', on: 'pods', retryAfterMs: 1000 }),
    });
    queue.add('a/waits');
    await clock.settle();
    queue.add('b/changed', { afterMs: 1000 });
    await clock.advance(1000);
    expect(runs).toEqual(['a/waits', 'b/changed', 'a/waits']);
  });

  test('a throw backs off and keeps the worker; a success resets the backoff', async () => {
    let failing = true;
    const { clock, queue, runs, ended } = setUp({
      act: () => (failing ? Promise.reject(new Error('no')) : Promise.resolve()),
    });
    queue.add('a/a');
    await clock.advance(499);
    expect(runs).toHaveLength(1);
    await clock.advance(1);
    expect(runs).toHaveLength(2);
    failing = false;
    await clock.advance(1000);
    expect(runs).toHaveLength(3);
    failing = true;
    queue.add('a/a');
    await clock.advance(500);
    expect(runs).toHaveLength(5);
    expect(ended).toEqual(['error', 'error', 'success', 'error', 'error']);
  });

  test('also when observe or decide throws at once', async () => {
    const { clock, queue, ended, controller } = setUp({
      decide: () => {
        throw new Error('a bug');
      },
    });
    queue.add('a/a');
    await clock.settle();
    expect(ended).toEqual(['error']);
    await controller.stop(0);
  });

  test('a reconcile that takes too long is aborted and retried', async () => {
    const { clock, queue, runs, lines } = setUp({
      act: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
      options: { timeoutMs: 5000 },
    });
    queue.add('a/a');
    await clock.advance(5500);
    expect(runs).toHaveLength(2);
    expect(lines.find(({ level }) => level === 'warn')).toMatchObject({
      err: { message: 'the reconcile took longer than 5000 ms' },
    });
  });

  test('what is gone is forgotten', async () => {
    const gone: Key[] = [];
    const { clock, queue, runs } = setUp({ gone: true, options: { onGone: (key) => gone.push(key) } });
    queue.add('a/a');
    await clock.settle();
    expect([runs, gone]).toEqual([[], ['a/a']]);
  });

  test('every line of a reconcile carries controller, key and reconcile id; what repeats itself is debug', async () => {
    const { clock, queue, lines } = setUp({});
    queue.add('a/a');
    await clock.settle();
    queue.add('a/a');
    await clock.settle();
    expect(lines.map(({ level }) => level)).toEqual(['info', 'debug']);
    expect(lines[0]).toMatchObject({
      controller: 'apiinstance',
      key: 'a/a',
      reconcileId: '80000000',
      outcome: 'settled',
    });
  });

  test('a conflict is retried without alarm', async () => {
    const { clock, queue, lines, runs } = setUp({
      act: () => Promise.reject(new KubeError(409, 'Conflict', 'changed')),
    });
    queue.add('a/a');
    await clock.advance(500);
    expect(runs).toHaveLength(2);
    expect(lines.map(({ level }) => level)).toEqual(['debug', 'debug']);
  });

  test('stop lets held keys finish and takes no more', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const { clock, queue, runs, ended, controller } = setUp({ act: () => promise });
    queue.add('a/a');
    await clock.settle();
    const stopping = controller.stop(5000);
    queue.add('a/b');
    await clock.advance(4000);
    expect([runs, ended]).toEqual([['a/a'], []]);
    resolve(undefined);
    await stopping;
    expect([runs, ended]).toEqual([['a/a'], ['success']]);
  });

  test('stop aborts what does not finish in time', async () => {
    const { clock, queue, ended, controller } = setUp({
      act: (_, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    });
    queue.add('a/a');
    await clock.settle();
    const stopping = controller.stop(5000);
    await clock.advance(5000);
    await stopping;
    expect(ended).toEqual(['error']);
  });
});
