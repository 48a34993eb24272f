import { expect, test } from 'vitest';
import { failed, lastLine, summary } from './result.ts';
import type { PartResult } from './result.ts';

const results: PartResult[] = [
  {
    part: 'check',
    passed: 6,
    failures: [{ name: 'lint', message: '2 problems\nmore' }],
    skips: [],
    ms: 31_000,
  },
  {
    part: 'unit',
    passed: 100,
    failures: [],
    skips: [{ name: 'a.test.ts > b', message: 'no IPv6 here' }],
    ms: 1_500,
  },
];

test('the last line adds up all parts', () => {
  expect(lastLine(results)).toBe('106 passed, 1 failed, 1 skipped');
  expect(failed(results)).toBe(1);
});

test('an empty run is all zeros', () => {
  expect(lastLine([])).toBe('0 passed, 0 failed, 0 skipped');
});

test('the summary names what failed and what was skipped, and why, before the table', () => {
  expect(summary(results)).toBe(
    [
      'Skipped:',
      '  unit: a.test.ts > b',
      '      no IPv6 here',
      '',
      'Failed:',
      '  check: lint',
      '      2 problems',
      '',
      'part     passed   failed  skipped          time',
      'check         6        1        0          31 s',
      'unit        100        0        1         1.5 s',
    ].join('\n'),
  );
});
