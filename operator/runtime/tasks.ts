import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Rng } from './random.ts';
import type { Key, WorkOrder, WorkState } from './reconciler.ts';

/** What a piece of long work gets in its hands. */
export interface TaskContext {
  /** Aborts when the order is withdrawn or the operator stops. */
  readonly signal: AbortSignal;
  /** Tells how far it is; `observe` sees the value, and the key is enqueued (at most once a second). Never a secret. */
  progress(value: unknown): void;
}

/** Does the work of one order. What it throws is shown to people: the message must hold no secret. */
export type RunTask<Spec, Result> = (order: WorkOrder<Spec>, context: TaskContext) => Promise<Result>;

/** Supervised long work beside the reconcile, by object key and order id. */
export interface TaskSupervisor<Spec, Result> {
  /** Starts the orders that are new, leaves those that run or are done, cancels and forgets all others of this key. */
  ensure(key: Key, orders: readonly WorkOrder<Spec>[], run: RunTask<Spec, Result>): void;
  /** How the orders of this key stand, by order id. */
  states(key: Key): ReadonlyMap<string, WorkState<Result>>;
  /** Cancels everything, waits until all of it has ended, but no longer than `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
}

/** What `createTaskSupervisor` takes. */
export interface TaskSupervisorOptions {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  /** Called when work of this key made progress, ended or failed: enqueue the key. */
  readonly onSettled: (key: Key) => void;
}

/** A supervisor without work. */
export function createTaskSupervisor<Spec, Result>(
  options: TaskSupervisorOptions,
): TaskSupervisor<Spec, Result> {
  void options;
  throw new Error('being written');
}
