import { expect, test } from 'vitest';
import { isExcused, judgeFailures } from './excuse.ts';
import type { Sample } from './sample.ts';

const failure = (dueAt: number, endedAt: number, upstream?: string): Sample => ({
  dueAt,
  endedAt,
  status: 502,
  revision: '',
  keepAlive: true,
  request: 'GET /tasks',
  ...(upstream !== undefined && { upstream }),
});

const killed = { from: 100, to: 110, pods: ['10.244.0.7'] };

test.each([
  ['under way when the process was killed', failure(90, 120), true],
  ['due while it was dying', failure(105, 400), true],
  ['over before the kill', failure(80, 99), false],
  ['due after it was gone', failure(111, 150), false],
  ['in the pod that was killed', failure(90, 120, '10.244.0.7:3000'), true],
  ['tried there second', failure(90, 120, '10.244.0.9:3000, 10.244.0.7:3000'), true],
  ['in another pod', failure(90, 120, '10.244.0.70:3000'), false],
])('a failure %s', (_, sample, excused) => {
  expect(isExcused(sample, [killed])).toBe(excused);
});

test('only failures are judged, each once', () => {
  const fine: Sample = { ...failure(90, 120), status: 200 };
  const [inside, outside] = [failure(90, 120), failure(300, 310)];
  expect(judgeFailures([fine, inside, outside], [killed, killed])).toEqual({
    excused: [inside],
    unexcused: [outside],
  });
});
