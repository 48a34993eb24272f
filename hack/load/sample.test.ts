import { expect, test } from 'vitest';
import { failed, settledAt, summarise, within, type Sample } from './sample.ts';

const sample = (over: Partial<Sample>): Sample => ({
  dueAt: 0,
  endedAt: 10,
  status: 200,
  revision: '1',
  keepAlive: true,
  request: 'GET /tasks',
  ...over,
});

test.each([
  { status: 200, expected: false },
  { status: 204, expected: false },
  { status: 304, expected: true },
  { status: 404, expected: true },
  { status: 503, expected: true },
])('a response with status $status has failed: $expected', ({ status, expected }) => {
  expect(failed(sample({ status }))).toBe(expected);
});

test('a 200 whose body broke off has failed', () => {
  expect(failed(sample({ status: 200, error: 'ECONNRESET' }))).toBe(true);
});

test('a window holds only what began and ended in it', () => {
  const samples = [
    sample({ dueAt: 90, endedAt: 110 }),
    sample({ dueAt: 100, endedAt: 110 }),
    sample({ dueAt: 190, endedAt: 210 }),
  ];
  expect(within(samples, 100, 200)).toEqual([samples[1]]);
  expect(within(samples, 100)).toEqual(samples.slice(1));
});

test('the summary counts statuses, revisions, kinds of connection and failures', () => {
  const summary = summarise([
    sample({}),
    sample({ revision: '2', keepAlive: false, endedAt: 30 }),
    sample({ status: 503, revision: '', endedAt: 20 }),
    sample({ status: 0, revision: '', error: 'ECONNREFUSED', request: 'POST /rpc/add_task', endedAt: 40 }),
  ]);
  expect(summary).toEqual({
    requests: 4,
    failed: 2,
    keepAlive: 3,
    ownConnection: 1,
    byStatus: { 0: 1, 200: 2, 503: 1 },
    byRevision: { 1: 1, 2: 1, none: 2 },
    byFailure: { 'GET /tasks: 503': 1, 'POST /rpc/add_task: ECONNREFUSED': 1 },
    p50: 30,
    p95: 40,
    max: 40,
  });
});

test('no samples come to zeros', () => {
  expect(summarise([])).toMatchObject({ requests: 0, failed: 0, p50: 0, p95: 0, max: 0 });
});

test('traffic has settled with the first response of the target after the last one of anything else', () => {
  const samples = [
    sample({ revision: '1', endedAt: 10 }),
    sample({ revision: '2', endedAt: 20 }),
    sample({ revision: '2', endedAt: 50 }),
    sample({ revision: '1', endedAt: 30 }),
    sample({ revision: '2', endedAt: 60 }),
  ];
  expect(settledAt(samples, '2')).toBe(50);
});

test('traffic has not settled while the newest response, failed or not, is from elsewhere', () => {
  expect(
    settledAt([sample({ revision: '2' }), sample({ revision: '', status: 503, endedAt: 90 })], '2'),
  ).toBe(undefined);
  expect(settledAt([], '2')).toBe(undefined);
});
