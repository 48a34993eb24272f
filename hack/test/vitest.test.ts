import { expect, test } from 'vitest';
import { judge } from './vitest.ts';

const counts = { passed: 2, failures: [], skips: [] };
const silentSkip = { name: 'a', message: '' };
const explainedSkip = { name: 'b', message: 'no IPv6 here' };

test('a good run is taken as it is', () => {
  expect(judge(counts, 0, false)).toEqual(counts);
});

test('a run that ended before it could report is a failure', () => {
  expect(judge(undefined, 134, false).failures).toEqual([
    { name: 'vitest', message: 'ended with 134 before any test' },
  ]);
});

test('a bad exit code that no failed test explains is a failure', () => {
  expect(judge(counts, 1, false).failures).toHaveLength(1);
});

test('a bad exit code is not counted beside the failed test that it stands for', () => {
  const failing = { ...counts, failures: [{ name: 'x', message: 'y' }] };
  expect(judge(failing, 1, false)).toEqual(failing);
});

test('a skipped test needs a reason', () => {
  const judged = judge({ ...counts, skips: [silentSkip, explainedSkip] }, 0, false);
  expect(judged.failures).toEqual([{ name: 'a', message: 'was skipped without a reason' }]);
  expect(judged.skips).toEqual([explainedSkip]);
});

test('what a name filter leaves out needs none', () => {
  expect(judge({ ...counts, skips: [silentSkip] }, 0, true)).toEqual({ ...counts, skips: [silentSkip] });
});
