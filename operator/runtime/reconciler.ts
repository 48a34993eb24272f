import type { KubeObject, ObjectRef } from './object.ts';
import type { Outcome } from './outcome.ts';
import type { Priority } from './queue.ts';

/** namespace/name: the only thing that is ever queued. */
export type Key = `${string}/${string}`;

/** An Event to be recorded about the object that is reconciled. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** A word of the reasons catalogue. */
  readonly reason: string;
  /** A sentence; never holds a secret. */
  readonly note: string;
}

/** Long work that a plan wants to be running. It is started, kept or cancelled by id, and never awaited in a reconcile. */
export interface WorkOrder<Spec = unknown> {
  /** Says what is to be done, wholly: the same id means the same work, another id cancels it and starts anew. */
  readonly id: string;
  readonly spec: Spec;
  /** `resync`: nobody waits for it, and its end wakes the key as a look for its own sake does. Default `changed`. */
  readonly priority?: Priority;
}

/** How a piece of long work stands, as `observe` sees it. */
export type WorkState<Result = unknown> =
  | {
      readonly state: 'running';
      readonly progress?: unknown;
      /** How the try before this one failed, when there was one: a retry must not look like a fresh start. */
      readonly failure?: { readonly message: string; readonly at: number };
    }
  | { readonly state: 'done'; readonly result: Result; readonly at: number }
  /** It threw: `message` is safe to show. It is started again with backoff for as long as a plan orders it. */
  | { readonly state: 'failed'; readonly message: string; readonly at: number };

/** What `decide` wants: writes in this order, long work, a status, Events, and what the reconcile came to. */
export interface Plan<Status, Work = unknown> {
  /** A change of the object's own metadata, made before all else and conditional on the resourceVersion that was read. */
  readonly metadata?: MetadataChange;
  /** Objects to apply (server-side apply, our field manager), in this order. */
  readonly apply: readonly KubeObject[];
  /** Objects to delete, after the applies. Deleting what is gone is fine. */
  readonly prune: readonly ObjectRef[];
  /** The long work that should be running now; work that is not named here is cancelled and its result forgotten. Absent: all of it is left as it is. */
  readonly work?: readonly WorkOrder<Work>[];
  /** The whole status; written only where it differs from what was read. Absent: leave status alone. */
  readonly status?: Status;
  /** The status instead, when the API server refuses an object of the plan as invalid: `message` is what it says. */
  readonly refused?: (message: string) => Status;
  readonly notes: readonly EventNote[];
  readonly outcome: Outcome;
}

/** A change of the reconciled object's own annotations and finalizers; null removes an annotation. */
export interface MetadataChange {
  readonly annotations?: Readonly<Record<string, string | null>>;
  readonly finalizers?: readonly string[];
}

/** One controller: all reads, a pure decision, all writes. */
export interface Reconciler<World, P> {
  /** All reads, including the state of running work. Undefined: the object is gone. */
  observe(key: Key, signal: AbortSignal): Promise<World | undefined>;
  /** Pure: no I/O, no clock, no randomness; "now" is in the world. */
  decide(world: World): P;
  /** All writes: short, idempotent, in the order of the plan. */
  act(plan: P, world: World, signal: AbortSignal): Promise<void>;
}
