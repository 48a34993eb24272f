import { randomInt } from 'node:crypto';

/**
 * Numbers in [0, 1) from a seed that is printed, so that a run can be had again with PGRST_E2E_SEED. (mulberry32, by
 * Tommy Ettinger, public domain.)
 */
export function seededRandom(): () => number {
  const seed = Number(process.env.PGRST_E2E_SEED ?? randomInt(2 ** 32));
  console.info(`PGRST_E2E_SEED=${String(seed)}`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
