import type { Clock } from '../runtime/clock.ts';
import {
  createCounterWindow,
  increase,
  noCounters,
  plus,
  readGateMetrics,
  type GateCounters,
} from './gateMetrics.ts';
import { getBody, reasonOf } from './probe.ts';

/** A pod of the candidate whose gate can be asked. */
export interface GatePod {
  readonly uid: string;
  readonly ip: string;
}

/** What a reader of gates needs to know. */
export interface GateReaderOptions {
  /** The candidate's pods as they are now. */
  readonly pods: () => readonly GatePod[];
  /** The gate's second port. */
  readonly adminPort: number;
  readonly windowMs: number;
  readonly clock: Clock;
}

/** The counters of all gates of a candidate as one. */
export interface GateReader {
  /** Reads all of them once; rejects only when the signal aborts. */
  read(signal: AbortSignal): Promise<void>;
  /** What they have counted in the window; undefined until each of them was read. */
  recent(): GateCounters | undefined;
  /** Those that could not be read three times in a row, a sentence each. */
  unreadable(): readonly string[];
}

const limits = { timeoutMs: 3_000, maxBytes: 1024 * 1024 };
const patience = 3;

/**
 * A reader that counts from its own first reading of each pod on: what a gate answered before that, it answered at
 * another weight or while it was probed. The counts of a pod that goes stay in the window.
 */
export function createGateReader({ pods, adminPort, windowMs, clock }: GateReaderOptions): GateReader {
  const last = new Map<string, GateCounters>();
  let misses = new Map<string, { readonly times: number; readonly message: string }>();
  const window = createCounterWindow(windowMs);
  let total = noCounters;
  let recent: GateCounters | undefined;

  async function readOne({ uid, ip }: GatePod, signal: AbortSignal): Promise<void> {
    const target = { hostname: ip, port: adminPort, path: '/metrics' };
    const { status, body = '' } = await getBody(target, limits, signal);
    const now = status === 200 ? readGateMetrics(body) : undefined;
    if (!now) throw new Error(`it answered ${status} without a gate's counters`);
    total = plus(total, increase(last.get(uid) ?? now, now));
    last.set(uid, now);
  }

  return {
    recent: () => recent,
    unreadable: () =>
      [...misses.values()].filter(({ times }) => times >= patience).map(({ message }) => message),
    async read(signal) {
      const current = pods();
      const missed: typeof misses = new Map();
      const miss = (key: string, message: string): void => {
        missed.set(key, { times: (misses.get(key)?.times ?? 0) + 1, message });
      };
      if (current.length === 0) miss('', 'the candidate has no pod whose counters could be read');
      await Promise.all(
        current.map(async (pod) => {
          try {
            await readOne(pod, signal);
          } catch (error) {
            signal.throwIfAborted();
            miss(pod.uid, `the counters of the pod at ${pod.ip} cannot be read: ${reasonOf(error)}`);
          }
        }),
      );
      misses = missed;
      const inWindow = window.add(clock.monotonic(), total);
      const isWhole = current.length > 0 && current.every(({ uid }) => last.has(uid));
      if (isWhole || recent) recent = inWindow;
    },
  };
}
