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
 * come before `resync`, and among equals the earliest deadline first.
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

/** An empty queue. */
export function createQueue<K>(options: QueueOptions): Queue<K> {
  void options;
  throw new Error('being written');
}
