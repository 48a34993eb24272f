import type { Clock } from '../runtime/clock.ts';

/** A clock that moves only when told to. */
export interface FakeClock extends Clock {
  /**
   * Moves time by `ms`: runs what comes due in order, each at its own instant, and lets the promises that it resolves
   * run before time goes on.
   */
  advance(ms: number): Promise<void>;
  /** Lets everything run that needs no time to pass. */
  settle(): Promise<void>;
}

/** Virtual time, beginning at `startMs` since the epoch (default 2026-01-01T00:00:00Z). */
export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  const timers = new Set<{ readonly due: number; readonly callback: () => void }>();
  let elapsed = 0;

  // setImmediate comes after all microtasks, however long the chain of awaits; the second round is for code that itself
  // uses setImmediate.
  async function settle(): Promise<void> {
    for (let round = 0; round < 2; round += 1)
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
  }

  return {
    now: () => startMs + elapsed,
    monotonic: () => elapsed,
    after(ms, callback) {
      const timer = { due: elapsed + Math.max(0, ms), callback };
      timers.add(timer);
      return () => {
        timers.delete(timer);
      };
    },
    settle,
    async advance(ms) {
      const target = elapsed + ms;
      await settle();
      for (;;) {
        const next = [...timers].sort((a, b) => a.due - b.due)[0];
        if (next === undefined || next.due > target) break;
        timers.delete(next);
        elapsed = next.due;
        next.callback();
        await settle();
      }
      elapsed = target;
    },
  };
}
