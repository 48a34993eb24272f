import { setTimeout as wait } from 'node:timers/promises';
import { probe } from '../../operator/proof/probe.ts';

/** What was answered to steady requests, from the moment they began. */
export interface Asking {
  /** Answers other than 200, and requests without an answer, as text; with the seconds since the beginning. */
  readonly failures: readonly string[];
  /** How many were answered 200. */
  answered(): number;
  /** Ends it once what is in flight has been answered. */
  stop(): Promise<void>;
}

/** For so long nothing is asked between two requests, in milliseconds. */
const everyMs = 20;

/** Asks for a path at a router, one request every 20 ms over a connection of its own, until it is told to stop. */
export function startAsking(url: string, host: string, path: string): Asking {
  const { hostname, port } = new URL(url);
  const stopping = new AbortController();
  const began = performance.now();
  const failures: string[] = [];
  const flying = new Set<Promise<void>>();
  let good = 0;
  const ask = async (): Promise<void> => {
    const at = ((performance.now() - began) / 1000).toFixed(1);
    try {
      const request = { host, path, headers: {} };
      const never = new AbortController().signal;
      const { status } = await probe({ ip: hostname, port: Number(port) }, request, never, 4900);
      if (status === 200) good += 1;
      else failures.push(`${at} s: ${String(status)}`);
    } catch (error) {
      failures.push(`${at} s: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const running = (async () => {
    while (!stopping.signal.aborted) {
      const one = ask().finally(() => flying.delete(one));
      flying.add(one);
      await wait(everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    await Promise.all(flying);
  })();
  return {
    failures,
    answered: () => good,
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}
