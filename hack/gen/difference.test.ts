import { expect, test } from 'vitest';
import { summariseDifference } from './difference.ts';

test('the lines of either side that the other has not', () => {
  expect(summariseDifference('a\nb\nc', 'a\nB\nc\nc')).toBe('  - b\n  + B\n  + c');
});

test('only the first lines of a long difference', () => {
  const long = Array.from({ length: 20 }, (_, n) => `line ${n}`).join('\n');
  const lines = summariseDifference('', long).split('\n');
  expect(lines).toHaveLength(13);
  expect(lines.at(-1)).toBe('  ... and 9 more lines');
});
