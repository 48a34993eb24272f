import { legacy, type Expectation } from '../rollout/types.ts';
import type { ProbeAnswer } from './probe.ts';

/** Stands for nobody: where a router has no one to ask, it answers itself. */
const nobody = -1;

/**
 * Who gave an answer: the revision whose gate named itself, else `legacy`, which has no gate. 502, 503 and 504 without
 * a gate are the router's own word that it found nobody.
 */
export function answeredBy({ revision, status }: Pick<ProbeAnswer, 'revision' | 'status'>): number {
  if (revision !== undefined) return revision;
  return status === 502 || status === 503 || status === 504 ? nobody : legacy;
}

/** Responses of one place of the router, by who gave them (`answeredBy`). */
export type Tally = ReadonlyMap<number, number>;

/** What a tally says: `proved`, `contradicted` (start counting anew) or `more` (too few to tell). */
export type Verdict = 'proved' | 'contradicted' | 'more';

/**
 * How many responses in a row prove an expectation of all or nothing. Each comes over a new connection and so from any
 * of nginx's workers, each of which learns of a change on its own: of 8 workers one that lags is missed with (7/8)^100,
 * below 2e-6.
 */
const unanimous = 100;
/**
 * How many where an earlier life of the operator has counted them all and nothing has been written since: no worker can
 * lag behind what is long past, so that they only have to show that nobody else answers by now.
 */
const stillUnanimous = 20;
/** How many responses at least prove a share: enough that a lagging worker of two would show (see `fits`). */
const sampled = 200;
/** Two-sided normal quantile for alpha = 1e-6. */
const quantile = 4.9;
/** Natural logarithm of the odds (10,000 to 1) at which a new weight is believed. */
const believed = Math.log(1e4);
/** The same, of the odds (10 to 1) at which the old one is: counting anew a little later costs less than asking on. */
const doubted = Math.log(10);

/**
 * Judges what one place of the router was seen to do. `previousWeight`: what it did before the change that is to be
 * proved; a share is proved only when it fits the new weight and can no longer be the old one. `isStanding`: all or nothing
 * was proved before, and nothing has been written since.
 */
export function judge(
  expectation: Expectation,
  previousWeight: number,
  tally: Tally,
  isStanding = false,
): Verdict {
  const needed = isStanding ? stillUnanimous : unanimous;
  if (expectation.kind !== 'weights') return all(expectation.revision, tally, needed);
  const { stable, candidate, weight } = expectation;
  if (stable === candidate || weight === 0) return all(stable, tally, needed);
  if (weight === 100) return all(candidate, tally, needed);
  const hits = tally.get(candidate) ?? 0;
  const total = sum(tally);
  if (hits + (tally.get(stable) ?? 0) < total) return 'contradicted';
  if (previousWeight !== weight) {
    const evidence = logLikelihood(hits, total, weight) - logLikelihood(hits, total, previousWeight);
    if (evidence < -doubted) return 'contradicted';
    if (evidence < believed) return 'more';
  }
  if (total < sampled) return 'more';
  return fits(hits, total, weight) ? 'proved' : 'contradicted';
}

function all(revision: number, tally: Tally, needed: number): Verdict {
  const hits = tally.get(revision) ?? 0;
  if (hits < sum(tally)) return 'contradicted';
  return hits >= needed ? 'proved' : 'more';
}

function fits(hits: number, total: number, weight: number): boolean {
  const p = weight / 100;
  return Math.abs(hits - total * p) <= quantile * Math.sqrt(total * p * (1 - p)) + 1;
}

/** A weight of 0 or 100 leaves no room for the other side; the floor keeps one stray response from being infinite evidence. */
function logLikelihood(hits: number, total: number, weight: number): number {
  const p = Math.min(Math.max(weight / 100, 0.001), 0.999);
  return hits * Math.log(p) + (total - hits) * Math.log(1 - p);
}

function sum(tally: Tally): number {
  let total = 0;
  for (const count of tally.values()) total += count;
  return total;
}
