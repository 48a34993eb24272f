import { expect, test } from 'vitest';
import { supportOf } from './version.ts';

test.each([
  ['1.23.1', 'unsupported'],
  ['1.18.0', 'unsupported'],
  ['0.99', 'unsupported'],
  ['', 'unsupported'],
  ['1.24.0', 'outdated'],
  ['1.24.1', 'outdated'],
  ['1.26.0', 'outdated'],
  ['1.26', 'outdated'],
  ['1.26.1', 'supported'],
  ['1.27.0', 'supported'],
  ['2.0.0', 'supported'],
])('%s is %s', (version, support) => {
  expect(supportOf(version)).toBe(support);
});
