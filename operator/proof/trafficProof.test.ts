import { afterEach, describe, expect, test } from 'vitest';
import type { Expectation } from '../rollout/types.ts';
import { createTurns } from '../runtime/turns.ts';
import { createFakeClock } from '../testing/fakeClock.ts';
import { startLoopbackServer, type LoopbackServer } from '../testing/loopback.ts';
import { proveTraffic } from './trafficProof.ts';

let server: LoopbackServer | undefined;
afterEach(() => server?.close());

/** An answer of the router: by a revision's gate, or by whoever has none. */
interface Answer {
  readonly revision?: number;
  readonly status: number;
}

/** Proves `expectation` at one place that answers in turn; every answer takes `tookMs` of the fake clock. */
async function prove(
  expectation: Expectation,
  answers: (asked: number) => Answer,
  tookMs = 0,
  { isStanding = false, ...limit }: { readonly perSecond?: number; readonly isStanding?: boolean } = {},
) {
  const waits: number[] = [];
  const clock = createFakeClock();
  let asked = 0;
  const { port, requests } = (server = await startLoopbackServer((_, response) => {
    asked += 1;
    const { revision, status } = answers(asked);
    const headers = revision === undefined ? {} : { 'X-Pgrst-Revision': String(revision) };
    void clock.advance(tookMs).then(() => response.writeHead(status, headers).end());
  }));
  const told = new Set<string>();
  const progress = (value: unknown): void => {
    const { unreachable } = value as { unreachable: string | undefined };
    if (unreachable !== undefined) told.add(unreachable.replace(String(port), '<port>'));
  };
  const result = await proveTraffic(
    {
      expectation,
      previousWeight: 0,
      isStanding,
      request: { host: 'tasks.example.test', path: '/todo', headers: {}, ...limit },
    },
    {
      dataPlane: () => Promise.resolve([{ ip: '127.0.0.1', port }]),
      clock: {
        ...clock,
        after(ms, callback) {
          waits.push(ms);
          return immediately(ms, callback);
        },
      },
      turn: createTurns(1),
    },
    { signal: new AbortController().signal, progress },
  );
  if ('assumed' in result) throw new Error(`nobody was asked: ${result.assumed}`);
  return { result, told: [...told], requests, waits };
}

function immediately(_: number, callback: () => void): () => void {
  const immediate = setImmediate(callback);
  return () => {
    clearImmediate(immediate);
  };
}

/** A first rollout away from a service without a gate. */
const away: Expectation = { kind: 'weights', stable: 0, candidate: 1, weight: 0 };

describe('proving traffic', () => {
  test('a service without a gate proves that it has all, in its own time and with its own errors', async () => {
    const { result, told, requests } = await prove(away, () => ({ status: 404 }), 1000);
    expect(result.requests).toBe(100);
    expect(told).toEqual([]);
    expect(new Set(requests)).toEqual(new Set(['127.0.0.1 GET /todo']));
  });

  test('what was proved before and stands needs fewer answers, until one disagrees', async () => {
    const standing = { isStanding: true };
    expect((await prove(away, () => ({ status: 200 }), 0, standing)).result.requests).toBe(20);
    const shaken = await prove(away, (asked) => ({ status: asked === 7 ? 503 : 200 }), 0, standing);
    expect(shaken.result.requests).toBe(110);
  });

  test('a change is waited for with few requests', async () => {
    const { result, waits } = await prove(
      { kind: 'weights', stable: 1, candidate: 2, weight: 10 },
      (asked) => ({ revision: asked > 100 && asked % 10 === 0 ? 2 : 1, status: 200 }),
    );
    // Nobody answers for the candidate: after 25 requests at the latest it looks again later.
    expect(waits.length).toBeGreaterThanOrEqual(4);
    expect(result.requests).toBeLessThanOrEqual(325);
  });

  test('asks no faster than the router lets it', async () => {
    const { result, waits } = await prove(away, () => ({ status: 200 }), 0, { perSecond: 10 });
    const waited = waits.reduce((total, ms) => total + ms, 0);
    expect(waited).toBe((result.requests / 10) * 1000);
  });

  test('while the router finds nobody, that is no proof', async () => {
    const { result } = await prove(away, (asked) => ({ status: asked <= 40 ? 503 : 200 }));
    expect(result.requests).toBe(140);
  });

  test('a router that finds nobody for long is told of', async () => {
    const { told } = await prove(away, (asked) => ({ status: asked <= 40 ? 503 : 200 }), 1000);
    expect(told).toEqual([expect.stringContaining('127.0.0.1:<port> answers 503 without asking a gate')]);
  });

  test('where only revisions should answer, somebody without a gate is told of', async () => {
    const { result, told } = await prove(
      { kind: 'stable', revision: 1 },
      (asked) => (asked <= 40 ? { status: 302 } : { revision: 1, status: 204 }),
      1000,
    );
    expect(result.requests).toBe(140);
    expect(told).toEqual([expect.stringContaining('127.0.0.1:<port> answers 302 without asking a gate')]);
  });

  describe('where nobody can be asked', () => {
    const order = {
      expectation: away,
      previousWeight: 0,
      isStanding: false,
      request: { host: 'tasks.example.test', path: '/', headers: {} },
    };
    /** Looks again `looks` times while time passes, and what came of it by then. */
    async function blindly(places: () => readonly { ip: string; port: number }[], looks: number) {
      const clock = createFakeClock();
      const told: unknown[] = [];
      const stop = new AbortController();
      let asked = 0;
      const proof = proveTraffic(
        order,
        {
          dataPlane: () => {
            asked += 1;
            if (asked > looks) stop.abort(new Error('not proved'));
            return Promise.resolve(places());
          },
          clock: {
            ...clock,
            after: (ms, callback) => immediately(ms, () => void clock.advance(ms).then(callback)),
          },
          turn: createTurns(1),
        },
        { signal: stop.signal, progress: (value) => told.push(value) },
      );
      return proof.catch((error: unknown) => error);
    }

    test('because the router has no pods, it is taken for done after 30 s, and says why', async () => {
      expect(await blindly(() => [], 60)).toEqual({ assumed: 'the ingress controller has no ready pod' });
    });

    test('nothing is taken for done before', async () => {
      expect(await blindly(() => [], 25)).toBeInstanceOf(Error);
    });

    test('because no connection is taken, it is taken for done after 30 s', async () => {
      const closed = await startLoopbackServer(() => undefined);
      await closed.close();
      expect(await blindly(() => [{ ip: '127.0.0.1', port: closed.port }], 200)).toMatchObject({
        assumed: expect.stringContaining('ECONNREFUSED') as string,
      });
    });
  });
});
