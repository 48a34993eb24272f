import { describe, expect, test } from 'vitest';
import { createFakeClock, type FakeClock } from '../testing/fakeClock.ts';
import { createFakeKube, type FakeKube } from '../testing/fakeKube.ts';
import { quietLog } from '../testing/quietLog.ts';
import { delay } from './delay.ts';
import type { KubeClient } from './kubeClient.ts';
import { KubeError } from './kubeError.ts';
import { createLeaderElector } from './leader.ts';

const lease = { namespace: 'system', name: 'pgrst' };
const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease };
const outage = new KubeError(0, 'Unreachable', 'connection refused');

/** One candidate whose way to the API server can be cut, and whose wall clock can be wrong. */
function candidate(identity: string, world: { kube: FakeKube; clock: FakeClock; log: string[] }, skewMs = 0) {
  const { kube, clock, log } = world;
  const network = { isUp: true, hangs: false, latencyMs: 0 };
  const through =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      if (network.hangs)
        return new Promise((_, reject) => {
          const signal = args.at(-1) as AbortSignal;
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      if (!network.isUp) return Promise.reject(outage);
      if (network.latencyMs === 0) return call(...args);
      return delay(clock, network.latencyMs, new AbortController().signal).then(() => call(...args));
    };
  const client: KubeClient = {
    ...kube.client,
    get: through(kube.client.get),
    create: through(kube.client.create),
    replace: through(kube.client.replace),
  };
  const elector = createLeaderElector({
    client,
    clock: { ...clock, now: () => clock.now() + skewMs },
    rng: () => 0.5,
    log: quietLog,
    lease,
    identity,
    onElected: () => log.push(`${String(clock.monotonic())} ${identity} elected`),
    onLost: () => log.push(`${String(clock.monotonic())} ${identity} lost`),
  });
  return { network, elector };
}

function setUp() {
  return { kube: createFakeKube(), clock: createFakeClock(), log: [] as string[] };
}

const specOf = (kube: FakeKube) => kube.read(ref)?.spec as Record<string, unknown>;

describe('leader election', () => {
  test('the first candidate makes the lease and renews it, the second waits', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    const b = candidate('b', world);
    await world.clock.advance(120_000);
    expect(world.log).toEqual(['0 a elected']);
    expect([a.elector.isLeader(), b.elector.isLeader()]).toEqual([true, false]);
    expect(specOf(world.kube)).toEqual({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: '2026-01-01T00:01:58.800000Z',
      leaseTransitions: 0,
    });
  });

  test('of two that begin at once, one wins the race for the lease', async () => {
    const world = setUp();
    candidate('a', world);
    candidate('b', world);
    await world.clock.advance(60_000);
    expect(world.log).toHaveLength(1);
  });

  test('a leader that is cut off counts itself out before another takes over', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    const b = candidate('b', world);
    await world.clock.advance(60_000);
    a.network.isUp = false;
    await world.clock.advance(60_000);
    const [elected, lost, taken] = world.log;
    expect(world.log).toHaveLength(3);
    expect(elected).toBe('0 a elected');
    expect(lost).toMatch(/a lost$/);
    expect(taken).toMatch(/b elected$/);
    expect(parseFloat(taken ?? '')).toBeGreaterThan(parseFloat(lost ?? '') + 3000);
    expect([a.elector.isLeader(), b.elector.isLeader()]).toEqual([false, true]);
    expect(specOf(world.kube)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 });
  });

  test('also when its calls hang in place of failing', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    candidate('b', world);
    await world.clock.advance(60_000);
    a.network.hangs = true;
    await world.clock.advance(60_000);
    expect(world.log.map((line) => line.replace(/^\S+ /, ''))).toEqual(['a elected', 'a lost', 'b elected']);
  });

  test('a slow way to the API server does not stretch the lease', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.advance(60_000);
    a.network.latencyMs = 2400;
    await world.clock.advance(60_000);
    a.network.isUp = false;
    await world.clock.advance(60_000);
    const renewed = Date.parse(String(specOf(world.kube).renewTime)) - Date.UTC(2026, 0, 1);
    expect(world.log[1]).toMatch(/a lost$/);
    expect(parseFloat(world.log[1] ?? '')).toBeLessThanOrEqual(renewed + 10_000);
  });

  test('a leader that has lost does not come back', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.advance(60_000);
    a.network.isUp = false;
    await world.clock.advance(60_000);
    a.network.isUp = true;
    await world.clock.advance(60_000);
    expect(world.log).toHaveLength(2);
    expect(specOf(world.kube).holderIdentity).toBe('a');
  });

  test('an outage of the API server shorter than the renew deadline costs nothing', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    const b = candidate('b', world);
    await world.clock.advance(60_000);
    a.network.isUp = b.network.isUp = false;
    await world.clock.advance(7000);
    a.network.isUp = b.network.isUp = true;
    await world.clock.advance(60_000);
    expect(world.log).toEqual(['0 a elected']);
  });

  test('after a long outage for all there is one leader again, and never two', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    const b = candidate('b', world);
    await world.clock.advance(60_000);
    a.network.isUp = b.network.isUp = false;
    await world.clock.advance(300_000);
    a.network.isUp = b.network.isUp = true;
    await world.clock.advance(60_000);
    expect(world.log.map((line) => line.replace(/^\S+ /, ''))).toEqual(['a elected', 'a lost', 'b elected']);
  });

  test('clocks that are hours apart do not matter', async () => {
    for (const skewMs of [-7_200_000, 7_200_000]) {
      const world = setUp();
      const a = candidate('a', world, skewMs);
      await world.clock.settle();
      candidate('b', world);
      await world.clock.advance(120_000);
      expect(world.log).toEqual(['0 a elected']);
      a.network.isUp = false;
      await world.clock.advance(60_000);
      expect(world.log.map((line) => line.replace(/^\S+ /, ''))).toEqual([
        'a elected',
        'a lost',
        'b elected',
      ]);
    }
  });

  test('a conflict on renewing is not a loss', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.advance(10_000);
    const { kube } = world;
    const stored = kube.read(ref);
    if (stored === undefined) throw new Error('no lease');
    kube.put({ ...stored, metadata: { ...stored.metadata, labels: { touched: 'by-somebody' } } });
    await world.clock.advance(60_000);
    expect(world.log).toEqual(['0 a elected']);
    expect(a.elector.isLeader()).toBe(true);
  });

  test('a leader whose lease somebody took is out at once', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.advance(10_000);
    const stored = world.kube.read(ref);
    if (stored === undefined) throw new Error('no lease');
    world.kube.put({ ...stored, spec: { ...specOf(world.kube), holderIdentity: 'c' } });
    await world.clock.advance(3000);
    expect(world.log).toHaveLength(2);
    expect(a.elector.isLeader()).toBe(false);
  });

  test('stop releases the lease, so that the next one need not wait', async () => {
    const world = setUp();
    const a = candidate('a', world);
    await world.clock.settle();
    candidate('b', world);
    await world.clock.advance(60_000);
    await a.elector.stop();
    expect(specOf(world.kube).holderIdentity).toBe('');
    await world.clock.advance(2500);
    expect(world.log.map((line) => line.replace(/^\S+ /, ''))).toEqual(['a elected', 'b elected']);
    expect(a.elector.isLeader()).toBe(false);
  });

  test('stop of one that does not lead leaves the lease alone', async () => {
    const world = setUp();
    candidate('a', world);
    await world.clock.settle();
    const b = candidate('b', world);
    await world.clock.advance(5000);
    await b.elector.stop();
    await world.clock.advance(60_000);
    expect(specOf(world.kube).holderIdentity).toBe('a');
  });
});
