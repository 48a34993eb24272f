import { expect, test } from 'vitest';
import { runChecks } from './check.ts';

test('every check counts, a failed one shows its output, and the others still run', async () => {
  const lines: string[] = [];
  const counts = await runChecks(
    [
      { name: 'good', run: () => Promise.resolve(undefined) },
      { name: 'bad', run: () => Promise.resolve('first\nsecond') },
      { name: 'broken', run: () => Promise.reject(new Error('no such file')) },
      { name: 'last', run: () => Promise.resolve(undefined) },
    ],
    (line) => lines.push(line.replace(/\(.*\)/, '(time)')),
  );
  expect(counts.passed).toBe(2);
  expect(counts.failures.map(({ name }) => name)).toEqual(['bad', 'broken']);
  expect(lines).toEqual([
    '  ✓ good (time)',
    '  ✗ bad (time)',
    '      first\n      second',
    '  ✗ broken (time)',
    '      no such file',
    '  ✓ last (time)',
  ]);
});
