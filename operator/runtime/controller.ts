import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { timeout } from './delay.ts';
import { isConflict } from './kubeError.ts';
import type { Outcome } from './outcome.ts';
import type { HeldKey, Queue } from './queue.ts';
import { jittered, type Rng } from './random.ts';
import type { Key, Reconciler } from './reconciler.ts';

/** How one reconcile ended, under controller-runtime's words. */
export type ReconcileResult = 'success' | 'requeue_after' | 'error';

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

/** What a reconcile came to; `gone`: there is no such object any more. */
type Ending = Outcome | { readonly kind: 'gone' } | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Starts the workers: each takes a key, observes, decides, acts, and turns the outcome into the key's next turn.
 *
 * Guarantees: nothing that a reconcile throws ends a worker; every reconcile is logged, counted and timed in one place;
 * a throw means backoff, and only a throw does. Assumption: a reconcile ends soon after its signal aborts.
 */
export function runController<World, P extends { readonly outcome: Outcome }>(
  options: ControllerOptions<World, P>,
): RunningController {
  const { name, reconciler, queue, clock, rng, metrics, timeoutMs = 60_000 } = options;
  const log = options.log.child({ controller: name });
  const intake = new AbortController();
  const drain = new AbortController();
  /** The last ending of each key in one line: what repeats itself is logged at debug. */
  const lastEndings = new Map<Key, string>();

  async function reconcile(key: Key, signal: AbortSignal): Promise<Ending> {
    try {
      const world = await reconciler.observe(key, signal);
      signal.throwIfAborted();
      if (world === undefined) return { kind: 'gone' };
      const plan = reconciler.decide(world);
      await reconciler.act(plan, world, signal);
      return plan.outcome;
    } catch (error) {
      return { kind: 'failed', error };
    }
  }

  async function turn(held: HeldKey<Key>): Promise<void> {
    const { key } = held;
    const reconcileId = Math.floor(rng() * 2 ** 32)
      .toString(16)
      .padStart(8, '0');
    const began = clock.monotonic();
    const late = timeout(clock, timeoutMs, `the reconcile took longer than ${timeoutMs} ms`);
    metrics.started(name);
    const ending = await reconcile(key, AbortSignal.any([drain.signal, late.signal]));
    late.cancel();
    requeue(key, ending);
    record(log.child({ key, reconcileId }), key, ending, clock.monotonic() - began);
    held.done();
  }

  function requeue(key: Key, ending: Ending): void {
    if (ending.kind === 'failed') {
      queue.retry(key);
      return;
    }
    queue.forget(key);
    if (ending.kind === 'gone') options.onGone?.(key);
    // A look for its own sake, as a recheck is: where a thousand keys wait, those to which something happened go first.
    else if (ending.kind === 'waiting') queue.add(key, { afterMs: ending.retryAfterMs, priority: 'resync' });
    else if (ending.recheckAfterMs !== undefined)
      queue.add(key, { afterMs: jittered(ending.recheckAfterMs, rng), priority: 'resync' });
  }

  function record(child: Logger, key: Key, ending: Ending, ms: number): void {
    const again = ending.kind === 'waiting' || 'recheckAfterMs' in ending;
    metrics.ended(name, ending.kind === 'failed' ? 'error' : again ? 'requeue_after' : 'success', ms);
    const durationMs = Math.round(ms);
    if (ending.kind === 'failed') {
      lastEndings.delete(key);
      // A conflict is how the world says "look again"; it is no fault.
      const level = isConflict(ending.error) || drain.signal.aborted ? 'debug' : 'warn';
      child[level]({ durationMs, err: ending.error }, 'reconcile failed, will be retried');
      return;
    }
    const summary = summarize(ending);
    const level = lastEndings.get(key) === summary ? 'debug' : 'info';
    if (ending.kind === 'gone') lastEndings.delete(key);
    else lastEndings.set(key, summary);
    child[level]({ durationMs, outcome: ending.kind }, summary);
  }

  async function work(): Promise<void> {
    for (;;) {
      const held = await queue.take(intake.signal);
      if (held === undefined) return;
      await turn(held);
    }
  }

  metrics.maxConcurrent(name, options.workers);
  const workers = Promise.all(Array.from({ length: options.workers }, work));
  return {
    async stop(deadlineMs) {
      intake.abort();
      const cancel = clock.after(deadlineMs, () => {
        drain.abort(new Error('the operator is stopping'));
      });
      await workers;
      cancel();
    },
  };
}

function summarize(ending: Exclude<Ending, { kind: 'failed' }>): string {
  switch (ending.kind) {
    case 'gone':
      return 'gone';
    case 'settled':
      return 'settled';
    case 'waiting':
      return `waiting: ${ending.on}`;
    case 'blocked':
      return `blocked: ${ending.reason}: ${ending.message}`;
  }
}
