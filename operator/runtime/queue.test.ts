import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createQueue, type HeldKey, type Priority, type Queue } from './queue.ts';

function setUp(rng = () => 1) {
  const clock = createFakeClock();
  const queue = createQueue<string>({ clock, rng, baseDelayMs: 100, maxDelayMs: 1000 });
  const never = new AbortController().signal;
  return { clock, queue, take: () => queue.take(never) };
}

/** The next key that is due, if any: a taker that leaves at once. */
async function takeNow(queue: Queue<string>): Promise<HeldKey<string> | undefined> {
  const abort = new AbortController();
  const taking = queue.take(abort.signal);
  abort.abort();
  return await taking;
}

/** All keys that can be taken right now, in order, without giving anything back. */
async function takeAll(queue: Queue<string>): Promise<string[]> {
  const keys: string[] = [];
  for (;;) {
    const held = await takeNow(queue);
    if (held === undefined) return keys;
    keys.push(held.key);
  }
}

describe('queue', () => {
  test('fifty adds of one key are one run, adds while it is held are exactly one more', async () => {
    const { queue, take } = setUp();
    for (let i = 0; i < 50; i += 1) queue.add('a/b');
    const first = await take();
    for (let i = 0; i < 50; i += 1) queue.add('a/b');
    expect(await takeAll(queue)).toEqual([]);
    first?.done();
    const second = await take();
    second?.done();
    expect(second?.key).toBe('a/b');
    expect(await takeAll(queue)).toEqual([]);
  });

  test('the earliest deadline wins, whichever came first', async () => {
    for (const delays of [
      [500, 100],
      [100, 500],
    ]) {
      const { clock, queue } = setUp();
      for (const afterMs of delays) queue.add('k', { afterMs });
      await clock.advance(99);
      expect(await takeAll(queue)).toEqual([]);
      await clock.advance(1);
      expect(await takeAll(queue)).toEqual(['k']);
      await clock.advance(1000);
      expect(await takeAll(queue)).toEqual([]);
    }
  });

  test('a change comes before a thousand resyncs, and lifts its own resync', async () => {
    const { queue, take } = setUp();
    for (let i = 0; i < 1000; i += 1) queue.add(`r/${String(i)}`, { priority: 'resync' });
    queue.add('r/700');
    expect((await take())?.key).toBe('r/700');
    expect((await take())?.key).toBe('r/0');
  });

  test('a resync is not kept waiting for ever by a thousand changes', async () => {
    const { queue } = setUp();
    for (let i = 0; i < 1000; i += 1) queue.add(`c/${String(i)}`);
    for (const key of ['r/0', 'r/1']) queue.add(key, { priority: 'resync' });
    expect((await takeAll(queue)).slice(0, 9)).toEqual([
      ...['c/0', 'c/1', 'c/2', 'r/0'],
      ...['c/3', 'c/4', 'c/5', 'r/1'],
      'c/6',
    ]);
  });

  test('a resync of a key that has changed does not lower it', async () => {
    const { queue, take } = setUp();
    queue.add('a');
    queue.add('b', { priority: 'resync' });
    queue.add('a', { priority: 'resync' });
    expect((await take())?.key).toBe('a');
  });

  test('keys that come due together come in the order of their deadlines', async () => {
    const { clock, queue } = setUp();
    const taken: string[] = [];
    queue.add('late', { afterMs: 20 });
    queue.add('early', { afterMs: 10 });
    await clock.advance(30);
    taken.push(...(await takeAll(queue)));
    expect(taken).toEqual(['early', 'late']);
  });

  test('retries back off exponentially up to the ceiling, and forget resets', async () => {
    const { clock, queue } = setUp();
    const waits: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      if (i === 5) queue.forget('k');
      queue.retry('k');
      const from = clock.monotonic();
      while ((await takeAndGiveBack(queue)) === undefined) await clock.advance(50);
      waits.push(clock.monotonic() - from);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1000, 100]);
  });

  test('the jitter is full: it spans from nothing to the whole delay', async () => {
    const { queue } = setUp(() => 0);
    queue.retry('k');
    expect(await takeAll(queue)).toEqual(['k']);
  });

  test('closing lets the takers go and hands out nothing more', async () => {
    const { queue, take } = setUp();
    const waiting = take();
    queue.close();
    queue.add('a');
    expect(await waiting).toBeUndefined();
    expect(await take()).toBeUndefined();
  });

  test('an aborted taker does not swallow the next key', async () => {
    const { queue, take } = setUp();
    const abort = new AbortController();
    const aborted = queue.take(abort.signal);
    const patient = take();
    abort.abort();
    queue.add('a');
    expect(await aborted).toBeUndefined();
    expect((await patient)?.key).toBe('a');
  });
});

async function takeAndGiveBack(queue: Queue<string>): Promise<string | undefined> {
  const held = await takeNow(queue);
  held?.done();
  return held?.key;
}

type Step =
  | { readonly do: 'add'; readonly key: string; readonly afterMs: number; readonly priority: Priority }
  | { readonly do: 'retry'; readonly key: string }
  | { readonly do: 'forget'; readonly key: string }
  | { readonly do: 'take' }
  | { readonly do: 'done'; readonly which: number }
  | { readonly do: 'advance'; readonly ms: number };

const key = fc.constantFrom('a', 'b', 'c', 'd');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    key,
    afterMs: fc.constantFrom(0, 1, 10, 100),
    priority: fc.constantFrom('changed' as const, 'resync' as const),
  }),
  fc.record({ do: fc.constant('retry' as const), key }),
  fc.record({ do: fc.constant('forget' as const), key }),
  fc.record({ do: fc.constant('take' as const) }),
  fc.record({ do: fc.constant('done' as const), which: fc.nat(5) }),
  fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 10, 100, 2000) }),
);

test('whatever happens: one holder per key, nothing twice, nothing early, nothing lost', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 60 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1 })),
      async (steps, random) => {
        const clock = createFakeClock();
        const rng = (): number => random.next().value as number;
        const queue = createQueue<string>({ clock, rng, baseDelayMs: 100, maxDelayMs: 1000 });
        const never = new AbortController();
        const held: HeldKey<string>[] = [];
        // The model: for each key that was added and not taken since, the earliest moment it may come.
        const owed = new Map<string, number>();
        const owe = (name: string, due: number): void => {
          owed.set(name, Math.min(due, owed.get(name) ?? Infinity));
        };
        const wrongs: string[] = [];
        const took = (taken: HeldKey<string>): void => {
          if (held.some((each) => each.key === taken.key)) wrongs.push(`${taken.key} has two holders`);
          const due = owed.get(taken.key);
          if (due === undefined) wrongs.push(`${taken.key} came though nobody added it`);
          else if (clock.monotonic() < due) wrongs.push(`${taken.key} came too early`);
          owed.delete(taken.key);
          held.push(taken);
        };
        const take = (): void => {
          void queue.take(never.signal).then((taken) => {
            if (taken !== undefined) took(taken);
          });
        };

        for (const each of steps) {
          switch (each.do) {
            case 'add':
              owe(each.key, clock.monotonic() + each.afterMs);
              queue.add(each.key, each);
              break;
            case 'retry':
              owe(each.key, clock.monotonic());
              queue.retry(each.key);
              break;
            case 'forget':
              queue.forget(each.key);
              break;
            case 'take':
              take();
              break;
            case 'done':
              for (const taken of held.splice(each.which, 1)) taken.done();
              break;
            case 'advance':
              await clock.advance(each.ms);
          }
          await Promise.resolve();
          await Promise.resolve();
        }
        // Everything that is owed comes once workers are free and time has passed.
        for (let round = 0; round < 12; round += 1) {
          for (const taken of held.splice(0)) taken.done();
          take();
          await clock.advance(2000);
        }
        expect(wrongs).toEqual([]);
        expect([...owed.keys()], 'lost').toEqual([]);
        never.abort();
      },
    ),
    { numRuns: 200 },
  );
});
