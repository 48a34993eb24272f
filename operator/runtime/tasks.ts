import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { sameJson } from './contains.ts';
import type { Priority } from './queue.ts';
import type { Rng } from './random.ts';
import type { Key, WorkOrder, WorkState } from './reconciler.ts';

/** What a piece of long work gets in its hands. */
export interface TaskContext {
  /** Aborts when the order is withdrawn or the operator stops. */
  readonly signal: AbortSignal;
  /** Tells how far it is; `observe` sees the value, and the key is enqueued (at most once a second) when it differs. Never a secret. */
  progress(value: unknown): void;
}

/** Does the work of one order. What it throws is shown to people: the message must hold no secret. */
export type RunTask<Spec, Result> = (order: WorkOrder<Spec>, context: TaskContext) => Promise<Result>;

/**
 * Supervised long work beside the reconcile, by object key and order id.
 *
 * Guarantees: of one order (key and id) at most one run is alive, also when it is withdrawn and ordered again before its
 * cancelled run has ended; a result is kept until the order is withdrawn; work that failed runs again with backoff for
 * as long as it is ordered; nothing that a task throws reaches anybody but `states`.
 * Assumption: tasks end soon after their signal aborts.
 */
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
  readonly onSettled: (key: Key, priority: Priority) => void;
}

interface Task<Result> {
  state: WorkState<Result>;
  failures: number;
  /** Whether somebody waits for it, as it was ordered last. */
  priority: Priority;
  readonly abort: AbortController;
  cancelTimer: () => void;
}

const baseDelayMs = 1_000;
const maxDelayMs = 60_000;
const progressEveryMs = 1_000;

/** A supervisor without work. */
export function createTaskSupervisor<Spec, Result>(
  options: TaskSupervisorOptions,
): TaskSupervisor<Spec, Result> {
  const { clock, rng, log, onSettled } = options;
  const tasks = new Map<Key, Map<string, Task<Result>>>();
  /** Runs that have not ended, cancelled ones among them, by key and id. */
  const running = new Map<string, Promise<void>>();
  const throttled = new Map<Key, { pending: boolean }>();
  let stopped = false;

  function start(key: Key, order: WorkOrder<Spec>, task: Task<Result>, run: RunTask<Spec, Result>): void {
    const slot = `${key} ${order.id}`;
    const failure = task.state.state === 'failed' ? task.state : undefined;
    const alive = { state: 'running', ...(failure === undefined ? {} : { failure: told(failure) }) } as const;
    task.state = alive;
    const isWanted = (): boolean => !task.abort.signal.aborted;
    const progress = (value: unknown): void => {
      if (!isWanted() || task.state.state !== 'running') return;
      if (sameJson(task.state.progress ?? {}, value ?? {})) return;
      task.state = { ...alive, progress: value };
      notifyThrottled(key);
    };
    const one = async (): Promise<void> => {
      await running.get(slot);
      if (!isWanted()) return;
      try {
        const result = await run(order, { signal: task.abort.signal, progress });
        if (!isWanted()) return;
        task.state = { state: 'done', result, at: clock.now() };
      } catch (error) {
        if (!isWanted()) return;
        const message = error instanceof Error ? error.message : String(error);
        task.state = { state: 'failed', message, at: clock.now() };
        task.failures += 1;
        const delayMs = (0.5 + rng() / 2) * Math.min(maxDelayMs, baseDelayMs * 2 ** (task.failures - 1));
        log.warn({ key, order: order.id, failures: task.failures, delayMs, err: error }, 'task failed');
        task.cancelTimer = clock.after(delayMs, () => {
          start(key, order, task, run);
        });
      }
      onSettled(key, task.priority);
    };
    const ended = one().finally(() => {
      if (running.get(slot) === ended) running.delete(slot);
    });
    running.set(slot, ended);
  }

  /** At once, and then at most once in `progressEveryMs`: a task may report a thousand times a second. */
  function notifyThrottled(key: Key): void {
    const wait = throttled.get(key);
    if (wait !== undefined) {
      wait.pending = true;
      return;
    }
    throttled.set(key, { pending: false });
    onSettled(key, 'changed');
    clock.after(progressEveryMs, () => {
      const pending = throttled.get(key)?.pending === true;
      throttled.delete(key);
      if (pending && tasks.has(key)) notifyThrottled(key);
    });
  }

  function cancel(task: Task<Result>): void {
    task.cancelTimer();
    task.abort.abort(new Error('the work is no longer ordered'));
  }

  return {
    ensure(key, orders, run) {
      if (stopped) return;
      const mine = tasks.get(key) ?? new Map<string, Task<Result>>();
      const wanted = new Set(orders.map((order) => order.id));
      for (const [id, task] of mine) {
        if (wanted.has(id)) continue;
        cancel(task);
        mine.delete(id);
      }
      for (const order of orders) {
        const { priority = 'changed' } = order;
        const known = mine.get(order.id);
        if (known) {
          known.priority = priority;
          continue;
        }
        const task: Task<Result> = {
          state: { state: 'running' },
          failures: 0,
          priority,
          abort: new AbortController(),
          cancelTimer: () => undefined,
        };
        mine.set(order.id, task);
        start(key, order, task, run);
      }
      if (mine.size === 0) tasks.delete(key);
      else tasks.set(key, mine);
    },
    states: (key) => new Map([...(tasks.get(key) ?? [])].map(([id, task]) => [id, task.state])),
    async stop(deadlineMs) {
      stopped = true;
      for (const mine of tasks.values()) for (const task of mine.values()) cancel(task);
      tasks.clear();
      const deadline = Promise.withResolvers<undefined>();
      const cancelDeadline = clock.after(deadlineMs, () => {
        log.warn({ tasks: [...running.keys()] }, 'tasks did not end in time');
        deadline.resolve(undefined);
      });
      await Promise.race([Promise.allSettled(running.values()), deadline.promise]);
      cancelDeadline();
    },
  };
}

function told({ message, at }: { readonly message: string; readonly at: number }) {
  return { message, at };
}
