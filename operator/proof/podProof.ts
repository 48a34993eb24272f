import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { probe } from './probe.ts';

/** A pod that should hold a release. */
export interface PodProofOrder {
  readonly ip: string;
  /** The gate's second port, which no Service exposes. */
  readonly port: number;
  /** When the pod was created, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When the release was published, in milliseconds since the epoch; undefined when nobody knows. */
  readonly publishedAt: number | undefined;
}

/** How a pod was proved: by the sentinel in its schema cache, or by having loaded its cache after the release was there. */
export interface PodProof {
  readonly by: 'sentinel' | 'age';
}

/** What a pod proof tells while it runs. */
export interface PodProofProgress {
  /** What the pod answered last. */
  readonly waitingFor: string;
}

const betweenMs = 250;

/**
 * Asks the pod itself, at its own address, until it shows that it holds the release. The sentinel answers from the
 * schema cache alone: 404 while it is stale, 200 once loaded. Where every request needs a token that we cannot sign
 * it answers 401; then a loaded cache in a pod that is younger than the release is the proof.
 */
export async function provePod(
  order: PodProofOrder,
  clock: Clock,
  { signal, progress }: TaskContext,
): Promise<PodProof> {
  for (;;) {
    let waitingFor: string;
    try {
      const request = { host: order.ip, path: '/sentinel', headers: {} };
      const { status, loaded } = await probe({ ip: order.ip, port: order.port }, request, signal);
      if (status === 200) return { by: 'sentinel' };
      const younger = order.publishedAt !== undefined && order.createdAt >= wholeSecond(order.publishedAt);
      if (status === 401 && loaded && younger) return { by: 'age' };
      waitingFor = status === 404 ? 'the schema cache is stale' : `the sentinel answered ${status}`;
    } catch (error) {
      signal.throwIfAborted();
      waitingFor = error instanceof Error ? error.message : 'no answer';
    }
    progress({ waitingFor } satisfies PodProofProgress);
    await delay(clock, betweenMs, signal);
  }
}

/** Kubernetes stamps pods in whole seconds, rounded down: both sides of the comparison have to be. */
function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
