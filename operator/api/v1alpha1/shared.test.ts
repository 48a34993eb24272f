import fc from 'fast-check';
import { expect, test } from 'vitest';
import { duration, durationMs, isoTime } from './shared.ts';

test.each([
  ['30s', 30_000],
  ['15m', 900_000],
  ['1h30m5s', 5_405_000],
  ['0s', 0],
  ['500ms', 500],
  ['1m2s30ms', 62_030],
])('%s is %i ms', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test('what passes the schema of a duration has milliseconds', () => {
  const part = (unit: string): fc.Arbitrary<string> =>
    fc.oneof(
      fc.constant(''),
      fc.nat(99_999).map((n) => `${n}${unit}`),
    );
  const texts = fc
    .tuple(part('h'), part('m'), part('s'), part('ms'))
    .map((parts) => parts.join(''))
    .filter((text) => duration.safeParse(text).success);
  fc.assert(
    fc.property(texts, (text) => {
      expect(durationMs(text)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('a text that is no duration throws', () => {
  expect(() => durationMs('soon')).toThrow('not a duration: soon');
});

test('a time is RFC 3339 in UTC', () => {
  expect(isoTime(0)).toBe('1970-01-01T00:00:00.000Z');
});
