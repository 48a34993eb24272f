import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { gateScript } from '../resources/gateScript.ts';
import {
  createCounterWindow,
  increase,
  noCounters,
  plus,
  quantile,
  readGateMetrics,
  type GateCounters,
} from './gateMetrics.ts';

/** What the gate's script needs of a request in njs. */
interface GateRequest {
  readonly method: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly headersOut: Record<string, string>;
  readonly return: (status: number, body: string) => void;
}
interface GateScript {
  observe: (request: GateRequest) => void;
  metrics: (request: GateRequest) => void;
}

const { default: script } = (await import(
  /* @vite-ignore */ `data:text/javascript,${encodeURIComponent(gateScript)}`
)) as { default: GateScript };

/** A gate that runs the real script. */
function createGate() {
  let counts = new Map<string, number>();
  const store = {
    get: (key: string) => counts.get(key),
    incr: (key: string, by: number, from: number) => counts.set(key, (counts.get(key) ?? from) + by),
    keys: () => [...counts.keys()],
  };
  const run = (variables: Record<string, string>, method: string, call: keyof GateScript): string => {
    vi.stubGlobal('ngx', { shared: { metrics: store } });
    let answer = '';
    const request = {
      method,
      variables: { revision: '2', release: '9602e0b1', ...variables },
      headersOut: {},
      return: (_: number, body: string) => {
        answer = body;
      },
    };
    script[call](request);
    vi.unstubAllGlobals();
    return answer;
  };
  return {
    serve: (status: number, seconds: number, method = 'GET') =>
      run({ status: String(status), request_time: String(seconds) }, method, 'observe'),
    restart: () => {
      counts = new Map();
    },
    read: (): GateCounters => {
      const counters = readGateMetrics(run({}, 'GET', 'metrics'));
      if (!counters) throw new Error("the gate's own metrics were not understood");
      return counters;
    },
  };
}

describe("reading a gate's metrics", () => {
  test('requests, errors and times are those that the gate has served', () => {
    const gate = createGate();
    gate.serve(200, 0.003);
    gate.serve(201, 0.02, 'POST');
    gate.serve(404, 0.02);
    gate.serve(503, 0.4);
    gate.serve(500, 30, 'BREW');
    const { requests, errors, within } = gate.read();
    expect({ requests, errors }).toEqual({ requests: 5, errors: 2 });
    expect([0.005, 0.01, 0.025, 0.5, 10, Infinity].map((bound) => within.get(bound))).toEqual([
      1, 1, 3, 4, 4, 5,
    ]);
  });

  test('a gate that has served nobody has counted nothing', () => {
    expect(createGate().read()).toMatchObject({ requests: 0, errors: 0 });
  });

  test.each(['', '<html>not found</html>', 'process_cpu_seconds_total 12'])('%j is no gate', (text) => {
    expect(readGateMetrics(text)).toBeUndefined();
  });
});

/** A life of some gates: requests that they serve, restarts, and readings of one of them. */
const events = fc.array(
  fc.record({
    gate: fc.integer({ min: 0, max: 2 }),
    act: fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          status: fc.constantFrom(200, 404, 500, 503),
          seconds: fc.constantFrom(0.001, 0.3, 60),
        }),
      },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
      { weight: 2, arbitrary: fc.constant('read' as const) },
    ),
  }),
  { maxLength: 60 },
);

test('whatever restarts, what is counted is what was served between the readings', () => {
  fc.assert(
    fc.property(events, (life) => {
      const gates = Array.from({ length: 3 }, () => ({
        gate: createGate(),
        last: noCounters,
        // What nobody has read yet, and whether a restart has hidden some of it.
        unread: { requests: 0, errors: 0 },
        hasRestarted: false,
        before: noCounters,
      }));
      let total = noCounters;
      let served = { requests: 0, errors: 0 };
      for (const { gate: index, act } of life) {
        const each = gates[index];
        if (each === undefined) continue;
        if (act === 'restart') {
          each.gate.restart();
          each.unread = { requests: 0, errors: 0 };
          each.hasRestarted = true;
        } else if (act === 'read') {
          const now = each.gate.read();
          const grown = increase(each.last, now);
          expect(Math.min(grown.requests, grown.errors, ...grown.within.values())).toBeGreaterThanOrEqual(0);
          total = plus(total, grown);
          // A restart can be told by a counter that is smaller than it was: one that outgrew it hides what it lost.
          const isHidden = each.hasRestarted && isAtLeast(now, each.last);
          const seen = isHidden ? { requests: grown.requests, errors: grown.errors } : each.unread;
          served = { requests: served.requests + seen.requests, errors: served.errors + seen.errors };
          Object.assign(each, { last: now, unread: { requests: 0, errors: 0 }, hasRestarted: false });
        } else {
          each.gate.serve(act.status, act.seconds);
          each.unread = {
            requests: each.unread.requests + 1,
            errors: each.unread.errors + (act.status >= 500 ? 1 : 0),
          };
        }
      }
      expect({ requests: total.requests, errors: total.errors }).toEqual(served);
      expect(total.within.get(Infinity) ?? 0).toBe(served.requests);
    }),
  );
});

function isAtLeast(now: GateCounters, before: GateCounters): boolean {
  return (
    now.requests >= before.requests &&
    now.errors >= before.errors &&
    [...before.within].every(([bound, count]) => (now.within.get(bound) ?? 0) >= count)
  );
}

/** Counters with so many requests in each bucket, by its bound. */
function counted(buckets: Readonly<Record<string, number>>): GateCounters {
  let below = 0;
  const within = new Map(
    Object.entries(buckets).map(([bound, count]) => [
      bound === '+Inf' ? Infinity : Number(bound),
      (below += count),
    ]),
  );
  return { requests: below, errors: 0, within };
}

describe('a quantile', () => {
  test.each([
    ['is linear inside the bucket', { '0.1': 0, '0.2': 100, '+Inf': 0 }, 0.195],
    ['begins at zero in the first one', { '0.1': 100, '+Inf': 0 }, 0.095],
    ['lies on a bound when the bucket is used up', { '0.1': 95, '0.2': 5, '+Inf': 0 }, 0.1],
    ['goes past empty buckets', { '0.1': 90, '0.2': 0, '0.5': 10, '+Inf': 0 }, 0.35],
    ['is infinite beyond the last bound', { '0.1': 90, '+Inf': 10 }, Infinity],
    ['does not exist without requests', { '0.1': 0, '+Inf': 0 }, undefined],
  ])('%s', (_, buckets, expected) => {
    const value = quantile(0.95, counted(buckets));
    if (expected === undefined || expected === Infinity) expect(value).toBe(expected);
    else expect(value).toBeCloseTo(expected, 10);
  });
});

describe('a window', () => {
  const total = (requests: number): GateCounters => ({ ...noCounters, requests });

  test('has all that was counted since it began, as long as that is shorter', () => {
    const window = createCounterWindow(60_000);
    expect(window.add(0, total(7)).requests).toBe(0);
    expect(window.add(59_000, total(17)).requests).toBe(10);
  });

  test('forgets what is older', () => {
    const window = createCounterWindow(60_000);
    for (let at = 0; at <= 300; at += 2) window.add(at * 1000, total(at));
    expect(window.add(302_000, total(302)).requests).toBe(60);
  });

  test('of a day is as fine as it has to be: by less than half an hour', () => {
    const window = createCounterWindow(86_400_000);
    let seen = 0;
    for (let at = 0; at <= 200_000; at += 20) seen = window.add(at * 1000, total(at)).requests;
    expect(seen).toBeGreaterThanOrEqual(86_400);
    expect(seen).toBeLessThanOrEqual(86_400 + 1_440);
  });
});
