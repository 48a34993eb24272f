import type { Clock } from './clock.ts';

/** Resolves after `ms`, or as soon as the signal aborts; never rejects. */
export function delay(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });
}

/** A signal that aborts after `ms` with `message`, unless `cancel` is called first. */
export function timeout(
  clock: Clock,
  ms: number,
  message: string,
): { readonly signal: AbortSignal; readonly cancel: () => void } {
  const abort = new AbortController();
  const cancel = clock.after(ms, () => {
    abort.abort(new Error(message));
  });
  return { signal: abort.signal, cancel };
}
