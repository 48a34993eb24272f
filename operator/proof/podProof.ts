import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { Mark } from '../resources/settingsFile.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { probe, type ProbeAnswer } from './probe.ts';

/** A pod that should hold a release. */
export interface PodProofOrder {
  readonly ip: string;
  /** The gate's second port, which no Service exposes. */
  readonly port: number;
  /** When the pod was created, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** When the release was published, in milliseconds since the epoch; undefined when nobody knows. */
  readonly publishedAt: number | undefined;
  /** The release, where it may have come to the pod after its start: the gate knows only the one that it began with. */
  readonly release?: string;
  /** The settings that it has to show; absent: it has started with them. */
  readonly settings?: { readonly token: string; readonly mark: Mark };
}

/** How a pod was proved: by the sentinel in its schema cache, or by having loaded its cache after the release was there. */
export interface PodProof {
  readonly by: 'sentinel' | 'age';
  /** The version of PostgREST that runs there, as its answers say; undefined where they do not. */
  readonly version?: string | undefined;
}

/** What a pod proof tells while it runs. */
export interface PodProofProgress {
  /** What the pod answered last. */
  readonly waitingFor: string;
  /** True when it has to be told to reload: it answers, but not as one that has loaded what is there now. */
  readonly isStale: boolean;
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
    let seen: PodProof | PodProofProgress;
    try {
      seen = judge(await askPod(order, signal), order);
    } catch (error) {
      signal.throwIfAborted();
      seen = { waitingFor: error instanceof Error ? error.message : 'no answer', isStale: false };
    }
    if ('by' in seen) return seen;
    progress(seen satisfies PodProofProgress);
    await delay(clock, betweenMs, signal);
  }
}

/** Asks a pod for its release and its settings, at its own address. */
export function askPod(
  { ip, port, release, settings }: Pick<PodProofOrder, 'ip' | 'port' | 'release' | 'settings'>,
  signal: AbortSignal,
): Promise<ProbeAnswer> {
  const query = new URLSearchParams({
    ...(release === undefined ? {} : { release }),
    ...(settings === undefined ? {} : { settings: settings.token, by: settings.mark }),
  }).toString();
  const path = query === '' ? '/sentinel' : `/sentinel?${query}`;
  return probe({ ip, port }, { host: ip, path, headers: {} }, signal);
}

function judge(
  { status, loaded, settings, version }: ProbeAnswer,
  order: PodProofOrder,
): PodProof | PodProofProgress {
  if (order.settings !== undefined && settings !== order.settings.token && loaded)
    return { waitingFor: 'it has not loaded its newest settings', isStale: true };
  if (status === 200) return { by: 'sentinel', version };
  const younger = order.publishedAt !== undefined && order.createdAt >= wholeSecond(order.publishedAt);
  if (status === 401 && loaded && (younger || order.settings !== undefined)) return { by: 'age', version };
  if (status === 404) return { waitingFor: 'the schema cache is stale', isStale: true };
  return { waitingFor: `the sentinel answered ${status}`, isStale: false };
}

/** Kubernetes stamps pods in whole seconds, rounded down: both sides of a comparison have to be. In milliseconds. */
export function wholeSecond(ms: number): number {
  return Math.floor(ms / 1000) * 1000;
}
