/** Two counts between which a binomial count lies with probability 1 - alpha, both included. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Bounds of the number of hits in `n` independent draws with probability `p` each: below `low` and above `high` there is
 * at most alpha / 2 each, computed exactly (no normal approximation, which is wrong for the small weights that matter).
 *
 * `p` is 0..1. alpha defaults to 1e-6: with a few dozen such checks in a test run, a false alarm once in 30,000 runs.
 */
export function binomialBounds(n: number, p: number, alpha = 1e-6): Bounds {
  if (p <= 0) return { low: 0, high: 0 };
  if (p >= 1) return { low: n, high: n };
  const probabilities = binomialProbabilities(n, p);
  let low = 0;
  for (let tail = probabilities[0] ?? 0; tail <= alpha / 2; tail += probabilities[low] ?? 1) low++;
  let high = n;
  for (let tail = probabilities[n] ?? 0; tail <= alpha / 2; tail += probabilities[high] ?? 1) high--;
  return { low, high };
}

/** P(X = k) for k = 0..n, by the recurrence over log P so that nothing underflows for a large n. */
function binomialProbabilities(n: number, p: number): Float64Array {
  const probabilities = new Float64Array(n + 1);
  const logOdds = Math.log(p) - Math.log1p(-p);
  let logProbability = n * Math.log1p(-p);
  for (let k = 0; k <= n; k++) {
    probabilities[k] = Math.exp(logProbability);
    logProbability += Math.log(n - k) - Math.log(k + 1) + logOdds;
  }
  return probabilities;
}
