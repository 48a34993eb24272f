import { expect, test } from 'vitest';
import type { Sample } from '../load/sample.ts';
import { renderResult, resultOf, succeeded } from './result.ts';

const times = { releaseCommand: 1000, rollbackCommand: 5000, brokenCommand: 8000 };
const at = (endedAt: number, revision: string, over: Partial<Sample> = {}): Sample => ({
  dueAt: endedAt - 10,
  endedAt,
  status: 200,
  revision,
  keepAlive: true,
  request: 'GET /tasks',
  ...over,
});

const samples = [
  at(900, '1'),
  at(1500, '1'),
  at(1600, '2'),
  at(2500, '1'),
  at(2600, '2'),
  at(4900, '2'),
  at(5200, '2'),
  at(5900, '1'),
  at(7900, '1'),
  at(8500, '1'),
];
const good = { samples, times, versionOne: '1', versionTwo: '2', refused: true };

test('times run from the command to the first response after the last one of the other revision', () => {
  expect(resultOf(good)).toEqual({
    requests: 10,
    failed: 0,
    cutoverSeconds: 1.6,
    rollbackSeconds: 0.9,
    revisions: { 1: 6, 2: 4 },
    brokenMigration: 'refused',
  });
  expect(succeeded(resultOf(good))).toBe(true);
});

test.each([
  {
    why: 'one request failed',
    input: { ...good, samples: [...samples, at(3000, '', { status: 503 })] },
  },
  {
    why: 'the traffic never reached version 2',
    input: { ...good, samples: [...samples, at(4950, '1')] },
  },
  {
    why: 'the traffic never came back',
    input: { ...good, samples: [...samples, at(7950, '2')] },
  },
  { why: 'the broken migration was taken', input: { ...good, refused: false } },
  {
    why: 'something else answered after the broken migration',
    input: { ...good, samples: [...samples, at(9000, '3')] },
  },
  { why: 'nothing was measured', input: { ...good, samples: [] } },
])('the demo has failed when $why', ({ input }) => {
  expect(succeeded(resultOf(input))).toBe(false);
});

test('the table names what failed', () => {
  const all = [...samples, at(3000, '', { status: 503 }), at(3001, '', { status: 0, error: 'ECONNRESET' })];
  const lines = renderResult(resultOf({ ...good, samples: all }), all);
  expect(lines.join('\n')).toContain('GET /tasks: 503');
  expect(lines.join('\n')).toContain('GET /tasks: ECONNRESET');
  expect(lines.join('\n')).toContain('release to all traffic');
});
