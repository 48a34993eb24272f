import { setTimeout as sleep } from 'node:timers/promises';

/** Thrown when something awaited did not come. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

/** Thrown by a check that waiting cannot help: `until` passes it on at once. */
export class Hopeless extends Error {
  override readonly name = 'Hopeless';
}

/**
 * Asks `check` again and again until it returns something other than undefined, and fails after `timeoutMs` with
 * the reason that `check` threw last. A check throws while it is too early,
 * and throws Hopeless when it will never be.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 100 }: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const result = await check();
      if (result !== undefined) return result;
    } catch (error) {
      if (error instanceof Hopeless) throw error;
      last = error;
    }
    if (Date.now() > deadline) {
      const because = last instanceof Error ? `: ${last.message}` : '';
      throw new TimedOut(`${what}: not within ${String(timeoutMs / 1000)} s${because}`);
    }
    await sleep(everyMs);
  }
}
