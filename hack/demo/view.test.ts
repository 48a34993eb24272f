import { expect, test } from 'vitest';
import type { Sample } from '../load/sample.ts';
import { countPods, viewOf } from './view.ts';

const sample = (endedAt: number, revision: string): Sample => ({
  dueAt: endedAt - 5,
  endedAt,
  status: 200,
  revision,
  keepAlive: true,
  request: 'GET /tasks',
});

const pod = (revision: string, ready: boolean, deletionTimestamp?: string) => ({
  metadata: { labels: { 'pgrst.dev/revision': revision }, ...(deletionTimestamp && { deletionTimestamp }) },
  status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});

test('what answers right now is the last second, latencies are the last ten', () => {
  const view = viewOf({
    title: 'releasing',
    startedAt: 0,
    now: 12_000,
    instance: {
      candidate: { revision: 2 },
      traffic: { revision: 2, weight: 50, provedWeight: 10 },
      conditions: [{ type: 'Ready', status: 'False', reason: 'ProvingTraffic', message: 'asking' }],
    },
    pods: [],
    recent: [sample(1500, '1'), sample(11_200, '1'), sample(11_300, '2'), sample(11_400, '2')],
    totals: { requests: 4, failed: 0 },
  });
  expect(view).toEqual({
    title: 'releasing',
    seconds: 12,
    weight: { revision: '2', asked: 50, proved: 10 },
    answering: [
      { revision: '1', perSecond: 1 },
      { revision: '2', perSecond: 2 },
    ],
    pods: [],
    requests: 4,
    failed: 0,
    p50: 5,
    p95: 5,
    reason: 'ProvingTraffic',
    message: 'asking',
  });
});

test.each([
  { candidate: { revision: 2 }, weight: 0, shown: true },
  { candidate: undefined, weight: 100, shown: true },
  { candidate: undefined, weight: 0, shown: false },
])('a weight of $weight with the candidate $candidate is shown: $shown', ({ candidate, weight, shown }) => {
  const view = viewOf({
    title: 't',
    startedAt: 0,
    now: 0,
    instance: { ...(candidate && { candidate }), traffic: { revision: 2, weight } },
    pods: [],
    recent: [],
    totals: { requests: 0, failed: 0 },
  });
  expect(view.weight !== undefined).toBe(shown);
});

test('an instance without a status is shown as such', () => {
  const view = viewOf({
    title: 't',
    startedAt: 0,
    now: 0,
    instance: {},
    pods: [],
    recent: [],
    totals: { requests: 0, failed: 0 },
  });
  expect(view).toMatchObject({ reason: 'none yet', message: '', answering: [] });
  expect(view.weight).toBeUndefined();
});

test('pods are counted by revision, in its numerical order, without those that are going', () => {
  expect(
    countPods([
      pod('10', true),
      pod('9', true),
      pod('9', false),
      pod('9', true, '2026-01-01T00:00:00Z'),
      { metadata: {} },
    ]),
  ).toEqual([
    { revision: '9', ready: 1, total: 2 },
    { revision: '10', ready: 1, total: 1 },
  ]);
});
