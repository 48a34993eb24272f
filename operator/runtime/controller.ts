import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Outcome } from './outcome.ts';
import type { Queue } from './queue.ts';
import type { Rng } from './random.ts';
import type { Key, Reconciler } from './reconciler.ts';

/** How one reconcile ended, under controller-runtime's words. */
export type ReconcileResult = 'success' | 'requeue' | 'requeue_after' | 'error';

/** What a controller tells about itself. */
export interface ControllerMetrics {
  maxConcurrent(controller: string, workers: number): void;
  started(controller: string): void;
  ended(controller: string, result: ReconcileResult, ms: number): void;
}

/** What `runController` takes. */
export interface ControllerOptions<World, P extends { readonly outcome: Outcome }> {
  /** Name in logs and metrics. */
  readonly name: string;
  readonly reconciler: Reconciler<World, P>;
  readonly queue: Queue<Key>;
  /** How many keys are worked on at a time. */
  readonly workers: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  /** A reconcile that takes longer is aborted and retried. Default 60 s. */
  readonly timeoutMs?: number;
  /** Called when `observe` finds that the object is gone: the place to forget what is kept by its key. */
  readonly onGone?: (key: Key) => void;
}

/** A controller at work. */
export interface RunningController {
  /**
   * Takes no more keys and waits for the held ones; after `deadlineMs` their signals abort. Resolves when no reconcile
   * runs any more.
   */
  stop(deadlineMs: number): Promise<void>;
}

/** Starts the workers. */
export function runController<World, P extends { readonly outcome: Outcome }>(
  options: ControllerOptions<World, P>,
): RunningController {
  void options;
  throw new Error('being written');
}
