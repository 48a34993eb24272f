import type { Clock } from './clock.ts';
import type { Rng } from './random.ts';

/** `changed`: somebody did something. `resync`: a look for its own sake (initial list, periodic recheck). */
export type Priority = 'changed' | 'resync';

/** What the queue tells about itself; all durations in milliseconds. */
export interface QueueMetrics {
  depth(depth: number): void;
  added(): void;
  retried(): void;
  /** How long a key that was due waited for a worker. */
  waited(ms: number): void;
  /** How long a worker held a key. */
  worked(ms: number): void;
  /** Called once: `ages` tells for how long each key that is held now has been held. */
  watchHeld(ages: () => readonly number[]): void;
}

/** A key in the hands of a worker. */
export interface HeldKey<K> {
  readonly key: K;
  /** Gives the key back. Calling it again does nothing. */
  done(): void;
}

/** When and how urgently. */
export interface AddOptions {
  /** Not before so many milliseconds from now. Default 0. */
  readonly afterMs?: number;
  /** Default `changed`. */
  readonly priority?: Priority;
}

/**
 * A queue of keys, never of objects: what a key means now is looked up when it is taken.
 *
 * Guarantees: a key is queued at most once, at its earliest deadline and its highest priority; it has at most one
 * holder; a key added while held comes again after `done`; nothing added is lost. Of the keys that are due, `changed`
 * come before `resync`, but every fourth time it is the other way round, so that nothing waits for ever while more
 * changes than the workers can do; among equals the earliest deadline first.
 */
export interface Queue<K> {
  add(key: K, options?: AddOptions): void;
  /** Adds the key after its own exponential backoff with full jitter. */
  retry(key: K): void;
  /** Resets that backoff; what is queued stays queued. */
  forget(key: K): void;
  /** Waits for a key that is due. Undefined once the signal aborts or the queue is closed. */
  take(signal: AbortSignal): Promise<HeldKey<K> | undefined>;
  /** No more keys are handed out, waiting takers get undefined; later adds are ignored. */
  close(): void;
}

/** What `createQueue` takes. */
export interface QueueOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly metrics?: QueueMetrics;
  /** Ceiling of the first retry's delay. Default 250 ms; doubles with every retry. */
  readonly baseDelayMs?: number;
  /** Ceiling of every delay. Default 60 s. */
  readonly maxDelayMs?: number;
}

/** When a queued key is due (monotonic) and how urgent it is. */
interface Entry {
  readonly due: number;
  readonly priority: Priority;
}

/** An empty queue. */
export function createQueue<K>(options: QueueOptions): Queue<K> {
  const { clock, rng, metrics, baseDelayMs = 250, maxDelayMs = 60_000 } = options;
  // A queued key is in exactly one of these: due later, due now (in the order they came due), or due again after `done`.
  const delayed = new Map<K, Entry>();
  const ready = { changed: new Map<K, Entry>(), resync: new Map<K, Entry>() };
  const again = new Map<K, Entry>();
  const held = new Map<K, number>();
  const failures = new Map<K, number>();
  const takers = new Set<(held: HeldKey<K> | undefined) => void>();
  let handedOut = 0;
  let timer: { readonly due: number; readonly cancel: () => void } | undefined;
  let closed = false;

  metrics?.watchHeld(() => [...held.values()].map((since) => clock.monotonic() - since));

  function place(key: K, entry: Entry): void {
    if (held.has(key)) again.set(key, entry);
    else if (entry.due > clock.monotonic()) delayed.set(key, entry);
    else ready[entry.priority].set(key, entry);
  }

  function lift(key: K): Entry | undefined {
    for (const place of [delayed, ready.changed, ready.resync, again]) {
      const entry = place.get(key);
      if (entry === undefined) continue;
      place.delete(key);
      return entry;
    }
    return undefined;
  }

  function schedule(): void {
    let due = Infinity;
    for (const entry of delayed.values()) due = Math.min(due, entry.due);
    if (timer?.due === due) return;
    timer?.cancel();
    const wait = Math.max(0, due - clock.monotonic());
    timer = due === Infinity ? undefined : { due, cancel: clock.after(wait, onTimer) };
  }

  function onTimer(): void {
    timer = undefined;
    const due = [...delayed].filter(([, entry]) => entry.due <= clock.monotonic());
    for (const [key, entry] of due.sort(([, a], [, b]) => a.due - b.due)) {
      delayed.delete(key);
      ready[entry.priority].set(key, entry);
    }
    schedule();
    serve();
  }

  /** Gives keys that are due to takers that wait, as long as there are both. */
  function serve(): void {
    for (const taker of takers) {
      const next = nextReady();
      if (next === undefined) break;
      takers.delete(taker);
      taker(next);
    }
    metrics?.depth(ready.changed.size + ready.resync.size);
  }

  function nextReady(): HeldKey<K> | undefined {
    const inOrder = handedOut % 4 === 3 ? [ready.resync, ready.changed] : [ready.changed, ready.resync];
    for (const place of inOrder)
      for (const [key, entry] of place) {
        handedOut += 1;
        place.delete(key);
        metrics?.waited(clock.monotonic() - entry.due);
        return hold(key);
      }
    return undefined;
  }

  function hold(key: K): HeldKey<K> {
    const since = clock.monotonic();
    held.set(key, since);
    let isDone = false;
    return {
      key,
      done() {
        if (isDone) return;
        isDone = true;
        held.delete(key);
        metrics?.worked(clock.monotonic() - since);
        const entry = again.get(key);
        if (entry === undefined) return;
        again.delete(key);
        place(key, entry);
        schedule();
        serve();
      },
    };
  }

  function add(key: K, { afterMs = 0, priority = 'changed' }: AddOptions = {}): void {
    if (closed) return;
    const due = clock.monotonic() + Math.max(0, afterMs);
    const earlier = lift(key);
    if (earlier === undefined) metrics?.added();
    place(key, {
      due: Math.min(due, earlier?.due ?? Infinity),
      priority: earlier?.priority === 'changed' ? 'changed' : priority,
    });
    schedule();
    serve();
  }

  return {
    add,
    retry(key) {
      const failed = failures.get(key) ?? 0;
      failures.set(key, failed + 1);
      metrics?.retried();
      // Full jitter: keys that failed together, as in an outage of the API server, do not come back together.
      add(key, { afterMs: rng() * Math.min(maxDelayMs, baseDelayMs * 2 ** failed) });
    },
    forget(key) {
      failures.delete(key);
    },
    take(signal) {
      if (closed || signal.aborted) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        const taker = (next: HeldKey<K> | undefined): void => {
          signal.removeEventListener('abort', leave);
          resolve(next);
        };
        const leave = (): void => {
          takers.delete(taker);
          resolve(undefined);
        };
        signal.addEventListener('abort', leave, { once: true });
        takers.add(taker);
        serve();
      });
    },
    close() {
      closed = true;
      timer?.cancel();
      timer = undefined;
      for (const taker of takers) taker(undefined);
      takers.clear();
    },
  };
}
