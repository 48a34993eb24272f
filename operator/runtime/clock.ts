/** Time as the operator sees it; injected, so that tests hold the hands. */
export interface Clock {
  /** Milliseconds since the epoch, for stamps that people read. */
  now(): number;
  /** Milliseconds on a clock that never jumps, for deadlines. */
  monotonic(): number;
  /** Calls back once after `ms`; the returned function cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => {
      clearTimeout(timer);
    };
  },
};
