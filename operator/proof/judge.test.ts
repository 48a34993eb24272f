import { describe, expect, it } from 'vitest';
import type { Expectation } from '../rollout/types.ts';
import { answeredBy, judge, type Verdict } from './judge.ts';

const weights = (weight: number): Expectation => ({ kind: 'weights', stable: 1, candidate: 2, weight });
/** A first rollout away from a service that has no gate. */
const away = (weight: number): Expectation => ({ kind: 'weights', stable: 0, candidate: 1, weight });

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
  ['22 answers without one of the candidate are no proof of 10 % yet', weights(10), 0, { 1: 21 }, 'more'],
  ['and soon speak for the old share', weights(10), 0, { 1: 23 }, 'contradicted'],
  ['one worker at 10 and one at 50 is no proof of 50', weights(50), 10, { 1: 280, 2: 120 }, 'contradicted'],
  ['10 % is told from 0 %', weights(10), 0, { 1: 182, 2: 18 }, 'proved'],
  ['a share that nobody changed needs only to fit', weights(10), 10, { 1: 182, 2: 18 }, 'proved'],
  ['the main route is proved by its revision alone', { kind: 'main', revision: 2 }, 0, { 2: 100 }, 'proved'],
  ['the stable Service is proved by its revision', { kind: 'stable', revision: 1 }, 0, { 1: 100 }, 'proved'],
  [
    'a legacy service does not prove the stable one',
    { kind: 'stable', revision: 1 },
    0,
    { 0: 100 },
    'contradicted',
  ],
  ['a legacy service may have all', away(0), 0, { 0: 100 }, 'proved'],
  ['a legacy service may share', away(10), 0, { 0: 182, 1: 18 }, 'proved'],
  ['an answer of nobody contradicts a legacy share', away(10), 0, { 0: 182, 1: 18, '-1': 1 }, 'contradicted'],
  ['an answer of nobody contradicts that legacy has all', away(0), 0, { 0: 500, '-1': 1 }, 'contradicted'],
  ['a legacy answer contradicts weight 100', away(100), 10, { 1: 500, 0: 1 }, 'contradicted'],
  ['the canary is contradicted by stable', { kind: 'canary', revision: 2 }, 0, { 1: 20 }, 'contradicted'],
];

describe('judging what the ingress was seen to do', () => {
  it.each(table)('%s', (_, expectation, previous, counts, verdict) => {
    const tally = new Map(Object.entries(counts).map(([revision, n]) => [Number(revision), n]));
    expect(judge(expectation, previous, tally)).toBe(verdict);
  });
});

describe('judging what was proved before and stands', () => {
  it.each([
    ['20 answers show that it still stands', weights(0), { 1: 20 }, 'proved'],
    ['19 do not', weights(0), { 1: 19 }, 'more'],
    ['one answer of somebody else contradicts it', weights(0), { 1: 19, 2: 1 }, 'contradicted'],
    ['a share needs as many as ever', weights(50), { 1: 50, 2: 50 }, 'more'],
  ] as const)('%s', (_, expectation, counts, verdict) => {
    const tally = new Map(Object.entries(counts).map(([revision, n]) => [Number(revision), n]));
    expect(judge(expectation, 0, tally, true)).toBe(verdict);
  });
});

describe('who gave an answer', () => {
  it.each([
    ['a gate names its revision', { revision: 3, status: 200 }, 3],
    ['also with an error of its own', { revision: 3, status: 503 }, 3],
    ['without a gate it is the legacy service', { revision: undefined, status: 200 }, 0],
    ['which may fail by itself', { revision: undefined, status: 500 }, 0],
    ['502 without a gate is the router: nobody', { revision: undefined, status: 502 }, -1],
    ['503 without a gate is the router: nobody', { revision: undefined, status: 503 }, -1],
    ['504 without a gate is the router: nobody', { revision: undefined, status: 504 }, -1],
  ])('%s', (_, answer, who) => {
    expect(answeredBy(answer)).toBe(who);
  });
});
