import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { askPod, type PodProofOrder } from './podProof.ts';
import { reasonOf } from './probe.ts';

/** A pod that is to load its release and its settings anew, without a restart. */
export type ReloadOrder = Pick<PodProofOrder, 'ip' | 'port' | 'release' | 'settings'>;

/** What came of it: after how long it was seen, or why the pod is taken for deaf. */
export type ReloadResult = { readonly reloadedAfterMs: number } | { readonly deaf: string };

/** What a reload tells while it runs. */
export interface ReloadProgress {
  readonly waitingFor: string;
}

/** How a pod is told: by a notification on its channel. Says how many sessions of the pod listen, where that is known. */
export type Notify = (signal: AbortSignal) => Promise<{ readonly listeners: number }>;

const betweenMs = 100;
/** Between one notification and the next: doubled each time. */
const firstAgainMs = 500;
const lastAgainMs = 8_000;
/** A kubelet shows a changed ConfigMap to its pods within about 90 s, and PostgREST tries to listen again after 32 s. */
const patienceMs = 120_000;

/**
 * Tells one pod to reload and asks it until it shows that it has. The notification is sent again, less and less often:
 * the settings may not be in the pod's volume yet, or nobody was listening. Resolves as deaf when nothing comes of it
 * within two minutes; then the pod is to be replaced.
 */
export async function reloadPod(
  order: ReloadOrder,
  notify: Notify,
  clock: Clock,
  { signal, progress }: TaskContext,
): Promise<ReloadResult> {
  const from = clock.now();
  let next = from;
  let againMs = firstAgainMs;
  let waitingFor = 'nothing was sent yet';
  while (clock.now() - from < patienceMs) {
    try {
      if (clock.now() >= next) {
        next = clock.now() + againMs;
        againMs = Math.min(againMs * 2, lastAgainMs);
        const { listeners } = await notify(signal);
        waitingFor =
          listeners === 0
            ? 'no session of the pod listens in the database'
            : 'it was told and has not loaded yet';
      }
      const { status, loaded, settings } = await askPod(order, signal);
      const isLoaded = loaded && status !== 404;
      if (isLoaded && (order.settings === undefined || settings === order.settings.token))
        return { reloadedAfterMs: clock.now() - from };
    } catch (error) {
      signal.throwIfAborted();
      waitingFor = reasonOf(error);
    }
    progress({ waitingFor } satisfies ReloadProgress);
    await delay(clock, betweenMs, signal);
  }
  return { deaf: waitingFor };
}
