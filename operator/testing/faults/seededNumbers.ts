/**
 * Numbers that look random and are the same for the same seed: each call gives a whole number from 0 up to, not
 * including, `below`. Mulberry32 (public domain): good enough to pick cases, and nothing else.
 */
export function seededNumbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}
