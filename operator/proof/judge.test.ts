import { describe, expect, it } from 'vitest';
import type { Expectation } from '../rollout/types.ts';
import { judge, type Verdict } from './judge.ts';

const weights = (weight: number): Expectation => ({ kind: 'weights', stable: 1, candidate: 2, weight });

const table: [string, Expectation, number, Record<number, number>, Verdict][] = [
  ['100 answers of the candidate prove weight 100', weights(100), 50, { 2: 100 }, 'proved'],
  ['99 answers are too few for weight 100', weights(100), 50, { 2: 99 }, 'more'],
  ['one answer of stable contradicts weight 100', weights(100), 50, { 2: 500, 1: 1 }, 'contradicted'],
  ['one answer of the candidate contradicts weight 0', weights(0), 50, { 1: 500, 2: 1 }, 'contradicted'],
  ['100 answers of stable prove weight 0', weights(0), 50, { 1: 100 }, 'proved'],
  ['an answer without a gate contradicts every weight', weights(0), 0, { 1: 500, 0: 1 }, 'contradicted'],
  ['an answer without a gate contradicts a share', weights(50), 0, { 1: 100, 2: 100, 0: 1 }, 'contradicted'],
  ['a share is proved by 200 answers that fit', weights(50), 10, { 1: 104, 2: 96 }, 'proved'],
  ['199 answers are too few for a share', weights(50), 10, { 1: 100, 2: 99 }, 'more'],
  ['answers at the old share contradict the new one', weights(50), 10, { 1: 36, 2: 4 }, 'contradicted'],
  ['no answer of the candidate is no proof of 10 %', weights(10), 0, { 1: 200 }, 'contradicted'],
  ['one worker at 10 and one at 50 is no proof of 50', weights(50), 10, { 1: 280, 2: 120 }, 'contradicted'],
  ['10 % is told from 0 %', weights(10), 0, { 1: 182, 2: 18 }, 'proved'],
  ['a share that nobody changed needs only to fit', weights(10), 10, { 1: 182, 2: 18 }, 'proved'],
  ['the main route is proved by its revision alone', { kind: 'main', revision: 2 }, 0, { 2: 100 }, 'proved'],
  ['the canary is contradicted by stable', { kind: 'canary', revision: 2 }, 0, { 1: 20 }, 'contradicted'],
];

describe('judging what the ingress was seen to do', () => {
  it.each(table)('%s', (_, expectation, previous, counts, verdict) => {
    const tally = new Map(Object.entries(counts).map(([revision, n]) => [Number(revision), n]));
    expect(judge(expectation, previous, tally)).toBe(verdict);
  });
});
