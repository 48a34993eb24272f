/** A source of randomness: uniform in [0, 1). Injected, so that tests are repeatable; `Math.random` in production. */
export type Rng = () => number;

/** `ms` spread evenly over +-10 %, so that many keys with one interval do not come due together. */
export function jittered(ms: number, rng: Rng): number {
  return ms * (0.9 + 0.2 * rng());
}
