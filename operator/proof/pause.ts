import type { Clock } from '../runtime/clock.ts';

/** Resolves after `ms`; rejects with the signal's reason as soon as it aborts. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = () => {
      cancel();
      reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener('abort', fail);
      resolve();
    });
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}
