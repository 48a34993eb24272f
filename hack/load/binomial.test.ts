import { expect, test } from 'vitest';
import { binomialBounds } from './binomial.ts';

test.each([
  { n: 10, p: 0.5, alpha: 0.05, low: 2, high: 8, why: 'R: qbinom(c(.025, .975), 10, .5)' },
  { n: 100, p: 0.1, alpha: 0.05, low: 5, high: 16, why: 'R: qbinom(c(.025, .975), 100, .1)' },
  { n: 1, p: 0.5, alpha: 1e-6, low: 0, high: 1, why: 'one draw proves nothing' },
  { n: 50, p: 0, alpha: 1e-6, low: 0, high: 0, why: 'weight 0 means never' },
  { n: 50, p: 1, alpha: 1e-6, low: 50, high: 50, why: 'weight 100 means always' },
  { n: 0, p: 0.1, alpha: 1e-6, low: 0, high: 0, why: 'no draws, no hits' },
])('bounds of n=$n p=$p alpha=$alpha are $low..$high ($why)', ({ n, p, alpha, low, high }) => {
  expect(binomialBounds(n, p, alpha)).toEqual({ low, high });
});

test('a weight of 10 % is not taken for 50 %, nor for 0, within a few hundred requests', () => {
  const { low, high } = binomialBounds(500, 0.1);
  expect(low).toBeGreaterThan(0);
  expect(high).toBeLessThan(binomialBounds(500, 0.5).low);
});

test('the tails outside the bounds hold at most alpha, and one count closer holds more', () => {
  const [n, p, alpha] = [400, 0.3, 1e-6];
  const { low, high } = binomialBounds(n, p, alpha);
  const below = (count: number) =>
    Array.from({ length: count }, (_, k) => density(n, p, k)).reduce((a, b) => a + b, 0);
  expect(below(low)).toBeLessThanOrEqual(alpha / 2);
  expect(below(low + 1)).toBeGreaterThan(alpha / 2);
  expect(1 - below(high + 1)).toBeLessThanOrEqual(alpha / 2);
});

test('large samples do not underflow', () => {
  const { low, high } = binomialBounds(100_000, 0.5);
  expect(low).toBeGreaterThan(49_000);
  expect(high).toBeLessThan(51_000);
});

/** P(X = k) by products, another way than the code under test. */
function density(n: number, p: number, k: number): number {
  let value = 1;
  for (let i = 1; i <= k; i++) value *= ((n - k + i) / i) * p * (1 - p) ** ((n - k) / k);
  return k === 0 ? (1 - p) ** n : value;
}
