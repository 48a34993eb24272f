import { describe, expect, test } from 'vitest';
import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import { judgeCandidate, type AnalysisProgress, type Observations, type QueryState } from './checks.ts';
import { noCounters, type GateCounters } from './gateMetrics.ts';

const spec = (more: Partial<AnalysisSpec> = {}): AnalysisSpec => ({
  maxErrorRate: '5%',
  maxP95: '500ms',
  minRequests: 20,
  window: '1m',
  probes: [],
  ...more,
});
const latencyQuery = { name: 'latency', query: 'q', max: 1 };
const asking = (more: Partial<AnalysisSpec> = {}): AnalysisSpec =>
  spec({ prometheus: { address: 'http://prometheus', queries: [latencyQuery] }, ...more });

/** So many requests, of which some failed, and some took longer than 0.5 s or than any bound. */
function gates(requests: number, errors: number, slow = 0, endless = 0): GateCounters {
  const within = new Map([
    [0.05, requests - slow - endless],
    [0.5, requests - slow - endless],
    [1, requests - endless],
    [10, requests - endless],
    [Infinity, requests],
  ]);
  return { requests, errors, within };
}

function query(state: Partial<QueryState>): Observations['queries'] {
  return new Map([['latency', { value: undefined, outside: 0, problem: undefined, ...state }]]);
}

function judge(analysis: AnalysisSpec, known: Partial<Observations>): string {
  const judgement = judgeCandidate(analysis, {
    gates: undefined,
    queries: new Map(),
    unreadable: [],
    ...known,
  });
  return 'failure' in judgement
    ? `Failed: ${judgement.failure}`
    : `${judgement.verdict}: ${judgement.message}`;
}

const table: [string, AnalysisSpec, Partial<Observations>, string][] = [
  ['nothing is said before the first numbers', spec(), {}, 'Running: the first numbers are being read'],
  [
    'without requests it can only wait',
    spec(),
    { gates: noCounters },
    'TooFewRequests: 0 of at least 20 requests in 1m',
  ],
  [
    'one request short is too few, whatever it says',
    spec(),
    { gates: gates(19, 4) },
    'TooFewRequests: error rate 21 % (at most 5 %), p95 48 ms (at most 500 ms), 19 of at least 20 requests in 1m',
  ],
  [
    'errors at the threshold are allowed',
    spec(),
    { gates: gates(20, 1) },
    'Passed: error rate 5 % (at most 5 %), p95 48 ms (at most 500 ms), 20 requests in 1m',
  ],
  [
    'one more is not',
    spec(),
    { gates: gates(20, 2) },
    'Failed: error rate 10 % is over 5 % (2 of 20 requests in 1m)',
  ],
  [
    'numbers are rounded while all is well',
    spec(),
    { gates: gates(1249, 5) },
    'Passed: error rate 0.4 % (at most 5 %), p95 48 ms (at most 500 ms), 1,200 requests in 1m',
  ],
  [
    'they are exact when it is over',
    spec(),
    { gates: gates(12345, 1300) },
    'Failed: error rate 10.5 % is over 5 % (1,300 of 12,345 requests in 1m)',
  ],
  [
    'nothing but errors is seen before there are enough requests',
    spec({ minRequests: 1000, maxErrorRate: '0.4%' }),
    { gates: gates(5, 5) },
    'Failed: error rate 100 % is over 0.4 % (5 of 5 requests in 1m)',
  ],
  [
    'but not by fewer than five of them',
    spec({ minRequests: 1000, maxErrorRate: '0.4%' }),
    { gates: gates(4, 4) },
    'TooFewRequests: error rate 100 % (at most 0.4 %), p95 48 ms (at most 500 ms), 4 of at least 1,000 requests in 1m',
  ],
  [
    'nor while good answers could still make up for them',
    spec({ minRequests: 1000 }),
    { gates: gates(60, 50) },
    'TooFewRequests: error rate 83 % (at most 5 %), p95 48 ms (at most 500 ms), 60 of at least 1,000 requests in 1m',
  ],
  [
    'fractions of a percent are compared as they are written',
    spec({ maxErrorRate: '0.07%', minRequests: 10_000 }),
    { gates: gates(10_000, 7) },
    'Passed: error rate 0.07 % (at most 0.07 %), p95 48 ms (at most 500 ms), 10,000 requests in 1m',
  ],
  [
    'no error at all is allowed by 0%',
    spec({ maxErrorRate: '0%' }),
    { gates: gates(100, 1) },
    'Failed: error rate 1 % is over 0 % (1 of 100 requests in 1m)',
  ],
  [
    'slow answers fail it',
    spec(),
    { gates: gates(100, 0, 10) },
    'Failed: p95 750 ms is over 500 ms (100 requests in 1m)',
  ],
  [
    'but only with enough requests',
    spec(),
    { gates: gates(19, 0, 19) },
    'TooFewRequests: error rate 0 % (at most 5 %), p95 980 ms (at most 500 ms), 19 of at least 20 requests in 1m',
  ],
  [
    'what took longer than a gate can tell is over every threshold',
    spec({ maxP95: '30s' }),
    { gates: gates(100, 0, 0, 6) },
    'Failed: p95 more than 10 s is over 30 s (100 requests in 1m)',
  ],
  [
    'what is not asked for is not judged',
    spec({ maxErrorRate: undefined }),
    { gates: gates(100, 100) },
    'Passed: p95 48 ms (at most 500 ms), 100 requests in 1m',
  ],
  [
    'probes alone ask for no requests',
    spec({ maxErrorRate: undefined, maxP95: undefined }),
    { unreadable: ['the candidate has no pod whose counters could be read'] },
    'Passed: nothing is asked of the candidate while it has traffic',
  ],
  [
    'it waits for the first number of a Prometheus',
    asking(),
    { gates: gates(100, 0) },
    'Running: the first numbers are being read',
  ],
  [
    'a number of a Prometheus is told with its bounds',
    asking({ maxErrorRate: undefined, maxP95: undefined }),
    { gates: gates(100, 0), queries: query({ value: 0.2 }) },
    'Passed: 100 requests in 1m; prometheus latency 0.2 (max 1)',
  ],
  [
    'two readings out of bounds may be chance',
    asking(),
    { gates: noCounters, queries: query({ value: 1.8, outside: 2 }) },
    'TooFewRequests: 0 of at least 20 requests in 1m; prometheus latency 1.8 (max 1)',
  ],
  [
    'three are not, however few the requests',
    asking(),
    { gates: noCounters, queries: query({ value: 1.8, outside: 3 }) },
    'Failed: prometheus latency 1.8 is over 1 (3 readings in a row)',
  ],
  [
    'a number may be too small',
    spec({ prometheus: { address: 'a', queries: [{ name: 'latency', query: 'q', min: 0.99, max: 1 }] } }),
    { gates: noCounters, queries: query({ value: 0.5, outside: 3 }) },
    'Failed: prometheus latency 0.5 is under 0.99 (3 readings in a row)',
  ],
  [
    'infinity is a number',
    asking(),
    { gates: noCounters, queries: query({ value: Infinity, outside: 3 }) },
    'Failed: prometheus latency Infinity is over 1 (3 readings in a row)',
  ],
  [
    'no number says nothing',
    asking(),
    { gates: gates(100, 0), queries: query({ value: 0.2, problem: 'gives NaN' }) },
    'Inconclusive: prometheus latency gives NaN; error rate 0 % (at most 5 %), p95 48 ms (at most 500 ms), 100 requests in 1m',
  ],
  [
    'a gate that cannot be read says nothing',
    spec(),
    { unreadable: ['the counters of the pod at 10.0.0.1 cannot be read: no answer within 3 s'] },
    'Inconclusive: the counters of the pod at 10.0.0.1 cannot be read: no answer within 3 s',
  ],
  [
    'what is known counts all the same',
    spec(),
    { gates: gates(100, 100), unreadable: ['the counters of the pod at 10.0.0.1 cannot be read'] },
    'Failed: error rate 100 % is over 5 % (100 of 100 requests in 1m)',
  ],
];

describe('judging a candidate', () => {
  test.each(table)('%s', (_, analysis, known, verdict) => {
    expect(judge(analysis, known)).toBe(verdict);
  });

  test('995 requests do not look like the 1,000 that it takes', () => {
    const message = judge(spec({ minRequests: 1000 }), { gates: gates(995, 0) });
    expect(message).toContain('990 of at least 1,000 requests');
  });

  test('a message fits into the status', () => {
    const unreadable = Array.from(
      { length: 50 },
      (_, n) => `the counters of the pod at 10.0.0.${n} cannot be read`,
    );
    const judgement = judgeCandidate(spec(), { gates: undefined, queries: new Map(), unreadable });
    expect((judgement as AnalysisProgress).message).toHaveLength(1024);
  });
});
