import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { probe, reasonOf } from './probe.ts';

/** What one pod of a candidate is asked before it gets traffic. */
export interface PodProbesOrder {
  readonly ip: string;
  /** The gate's public port. */
  readonly port: number;
  /** The Host header: `expose.host`. */
  readonly host: string;
  /** What stands before each probe's path: `` or `/todo`. */
  readonly prefix: string;
  readonly probes: AnalysisSpec['probes'];
}

/** Whether a pod answered all of its probes as they ask for; `failure` is one sentence with check, value and threshold. */
export type PodProbesResult =
  { readonly passed: true } | { readonly passed: false; readonly failure: string };

/** A pod that has just started opens its connections with its first requests. */
const tries = 3;
const betweenMs = 1_000;
const defaultLatency = '5s';

/**
 * Asks the pod itself, at its own address and by GET, for everything that the probes name, one after the other.
 * Resolves with the first that fails in each of three tries; a connection error is a failed try.
 */
export async function probePod(
  order: PodProbesOrder,
  clock: Clock,
  { signal }: TaskContext,
): Promise<PodProbesResult> {
  for (const each of order.probes) {
    for (let attempt = 1; ; attempt += 1) {
      const problem = await problemOf(order, each, clock, signal);
      if (problem === undefined) break;
      if (attempt === tries) {
        const failure = `probe ${each.path} of the pod at ${order.ip} ${problem}, in the last of ${tries} tries`;
        return { passed: false, failure };
      }
      await delay(clock, betweenMs, signal);
      signal.throwIfAborted();
    }
  }
  return { passed: true };
}

async function problemOf(
  { ip, port, host, prefix }: PodProbesOrder,
  { path, status: expected, maxLatency = defaultLatency }: PodProbesOrder['probes'][number],
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const began = clock.monotonic();
  const limitMs = durationMs(maxLatency);
  // Somebody who allows 200 ms wants to know whether it were 210 ms or two seconds.
  const patienceMs = Math.max(limitMs, durationMs(defaultLatency));
  try {
    const { status } = await probe(
      { ip, port },
      { host, path: prefix + path, headers: {} },
      signal,
      patienceMs,
    );
    const tookMs = Math.round(clock.monotonic() - began);
    if (status !== expected) return `answered ${status} instead of ${expected}`;
    return tookMs > limitMs ? `took ${tookMs} ms (at most ${limitMs} ms)` : undefined;
  } catch (error) {
    signal.throwIfAborted();
    return `failed: ${reasonOf(error)} (expected ${expected} within ${limitMs} ms)`;
  }
}
