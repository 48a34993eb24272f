import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import { createWaitingClock, startLoopbackServer, type LoopbackServer } from '../testing/loopback.ts';
import { analyse, type AnalysisOrder, type GatePod } from './analysis.ts';

/** What each gate has counted, by its address; undefined: it does not answer with counters. */
let gates: Map<string, { requests: number; errors: number } | undefined>;
/** What the Prometheus says; undefined: it fails. */
let latency: string | undefined;
let server: LoopbackServer;

beforeEach(async () => {
  gates = new Map([['127.0.0.1', { requests: 100, errors: 90 }]]);
  latency = '0.2';
  server = await startLoopbackServer((request, response, ip) => {
    const counted = gates.get(ip);
    if (request.url?.startsWith('/api/v1/query') === true) {
      const result = [{ metric: {}, value: [1, latency] }];
      if (latency === undefined) response.writeHead(503).end();
      else response.end(JSON.stringify({ data: { resultType: 'vector', result } }));
    } else if (counted && request.url === '/metrics') response.end(metrics(counted));
    else response.writeHead(404).end();
  });
});
afterEach(() => server.close());

const metrics = ({ requests, errors }: { requests: number; errors: number }): string =>
  [
    `pgrst_gate_requests_total{revision="2",release="ab",method="GET",code="200"} ${requests - errors}`,
    `pgrst_gate_requests_total{revision="2",release="ab",method="GET",code="500"} ${errors}`,
    `pgrst_gate_request_duration_seconds_bucket{revision="2",release="ab",le="0.1"} ${requests}`,
    `pgrst_gate_request_duration_seconds_bucket{revision="2",release="ab",le="+Inf"} ${requests}`,
  ].join('\n');

function serve(ip: string, requests: number, errors = 0): void {
  const before = gates.get(ip) ?? { requests: 0, errors: 0 };
  gates.set(ip, { requests: before.requests + requests, errors: before.errors + errors });
}

function start(more: Partial<AnalysisSpec> = {}, pods: GatePod[] = [{ uid: 'a', ip: '127.0.0.1' }]) {
  const clock = createWaitingClock();
  const abort = new AbortController();
  const told: string[] = [];
  const order: AnalysisOrder = {
    namespace: 'tasks',
    instance: 'todo',
    revision: 2,
    stable: 1,
    weight: 10,
    analysis: { maxErrorRate: '5%', minRequests: 20, window: '1m', probes: [], ...more },
  };
  const progress = (value: unknown): void => {
    const { verdict, message } = value as { verdict: string; message: string };
    told.push(`${verdict}: ${message}`);
  };
  const result = analyse(order, () => pods, server.port, clock, { signal: abort.signal, progress });
  return { clock, abort, told, result, pods };
}

describe('an analysis of the gates', () => {
  test('counts from its beginning on, and tells a verdict only when it changes', async () => {
    const { clock, told, abort, result } = start();
    await clock.waiting();
    serve('127.0.0.1', 12);
    await clock.pass(2000);
    await clock.pass(2000);
    serve('127.0.0.1', 88, 1);
    await clock.pass(2000);
    expect(told).toEqual([
      'TooFewRequests: 0 of at least 20 requests in 1m',
      'TooFewRequests: error rate 0 % (at most 5 %), 12 of at least 20 requests in 1m',
      'Passed: error rate 1 % (at most 5 %), 100 requests in 1m',
    ]);
    abort.abort(new Error('withdrawn'));
    await expect(result).rejects.toThrow('withdrawn');
  });

  test('ends with the sentence of the check that failed', async () => {
    const { clock, result } = start();
    await clock.waiting();
    serve('127.0.0.1', 320, 40);
    await clock.advance(2000);
    expect(await result).toEqual({ failure: 'error rate 12.5 % is over 5 % (40 of 320 requests in 1m)' });
  });

  test('sums up its pods, and one that comes later counts from then on', async () => {
    const { clock, told, abort, result, pods } = start();
    await clock.waiting();
    serve('127.0.0.2', 1000, 1000);
    pods.push({ uid: 'b', ip: '127.0.0.2' });
    await clock.pass(2000);
    serve('127.0.0.1', 50);
    serve('127.0.0.2', 50, 2);
    await clock.pass(2000);
    expect(told.at(-1)).toBe('Passed: error rate 2 % (at most 5 %), 100 requests in 1m');
    abort.abort();
    await expect(result).rejects.toThrow();
  });

  test('a restarted gate counts from zero again', async () => {
    const { clock, told, abort, result } = start();
    await clock.waiting();
    gates.set('127.0.0.1', { requests: 50, errors: 1 });
    await clock.pass(2000);
    expect(told.at(-1)).toBe('Passed: error rate 2 % (at most 5 %), 50 requests in 1m');
    abort.abort();
    await expect(result).rejects.toThrow();
  });

  test('is inconclusive when a gate could not be read three times in a row, and goes on when it can', async () => {
    const { clock, told, abort, result } = start();
    await clock.waiting();
    gates.set('127.0.0.1', undefined);
    await clock.pass(2000);
    await clock.pass(2000);
    expect(told).toHaveLength(1);
    await clock.pass(2000);
    expect(told.at(-1)).toBe(
      "Inconclusive: the counters of the pod at 127.0.0.1 cannot be read: it answered 404 without a gate's counters; 0 of at least 20 requests in 1m",
    );
    gates.set('127.0.0.1', { requests: 150, errors: 90 });
    await clock.pass(2000);
    expect(told.at(-1)).toBe('Passed: error rate 0 % (at most 5 %), 50 requests in 1m');
    abort.abort();
    await expect(result).rejects.toThrow();
  });

  test('runs until every pod was read, and is inconclusive without any', async () => {
    const { clock, told, abort, result } = start({}, []);
    await clock.waiting();
    expect(told).toEqual(['Running: the first numbers are being read']);
    await clock.pass(2000);
    await clock.pass(2000);
    expect(told.at(-1)).toBe('Inconclusive: the candidate has no pod whose counters could be read');
    abort.abort();
    await expect(result).rejects.toThrow();
  });
});

describe('an analysis that asks a Prometheus', () => {
  const asking = (): Partial<AnalysisSpec> => ({
    prometheus: {
      address: `http://127.0.0.1:${server.port}`,
      queries: [{ name: 'latency', query: 'l{revision="{{revision}}"}', max: 1 }],
    },
  });

  test('fails at the third number in a row that is out of bounds, ten seconds apart', async () => {
    latency = '1.8';
    const { clock, result, told } = start(asking());
    await clock.waiting(2);
    await clock.pass(9_000, 2);
    expect(server.requests.filter((each) => each.includes('/query'))).toHaveLength(1);
    await clock.pass(1_000, 2);
    expect(told.at(-1)).toContain('prometheus latency 1.8 (max 1)');
    await clock.advance(10_000);
    expect(await result).toEqual({ failure: 'prometheus latency 1.8 is over 1 (3 readings in a row)' });
    expect(decodeURIComponent(server.requests.join())).toContain('l{revision="2"}');
  });

  test('begins to count anew at a number within the bounds', async () => {
    const { clock, result, told, abort } = start(asking());
    await clock.waiting(2);
    for (latency of ['1.8', '1.8', '0.2', '1.9', '1.9']) await clock.pass(10_000, 2);
    expect(told.at(-1)).toContain('prometheus latency 1.9 (max 1)');
    abort.abort();
    await expect(result).rejects.toThrow();
  });

  test('is inconclusive when it fails three times in a row, or gives no number', async () => {
    latency = undefined;
    const { clock, result, told, abort } = start(asking());
    await clock.waiting(2);
    await clock.pass(10_000, 2);
    expect(told).toEqual(['Running: the first numbers are being read']);
    await clock.pass(10_000, 2);
    expect(told.at(-1)).toContain('Inconclusive: Prometheus cannot be read: it answered 503');
    latency = 'NaN';
    await clock.pass(10_000, 2);
    expect(told.at(-1)).toContain('Inconclusive: prometheus latency gives NaN');
    latency = '0.2';
    await clock.pass(10_000, 2);
    expect(told.at(-1)).toBe(
      'TooFewRequests: 0 of at least 20 requests in 1m; prometheus latency 0.2 (max 1)',
    );
    abort.abort();
    await expect(result).rejects.toThrow();
  });

  test('does not wait for it to see that the gates fail', async () => {
    const hanging = await startLoopbackServer(() => undefined);
    const address = `http://127.0.0.1:${hanging.port}`;
    const { clock, result } = start({
      prometheus: { address, queries: [{ name: 'latency', query: 'l', max: 1 }] },
    });
    await clock.waiting();
    serve('127.0.0.1', 100, 100);
    await clock.advance(2000);
    expect(await result).toEqual({
      failure: 'error rate 100 % is over 5 % (100 of 100 requests in 1m)',
    });
    await hanging.close();
  });
});
