import type { AppliedMemory } from './applied.ts';
import type { EventRecorder } from './events.ts';
import type { KubeClient } from './kubeClient.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { Key, Plan } from './reconciler.ts';
import type { RunTask, TaskSupervisor } from './tasks.ts';

/** The field manager of everything that the operator applies. */
export const fieldManager = 'postgrest-operator';
/** The field manager of status, apart from the other, so that neither apply can drop the other's fields. */
export const statusFieldManager = 'postgrest-operator-status';

/** The reconciled object, as it was read. */
export interface Primary {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly finalizers?: readonly string[];
  };
  readonly status?: unknown;
}

/** What `executePlan` works with. */
export interface ActDeps<Work, Result> {
  readonly client: KubeClient;
  /** What this process has applied so far. */
  readonly applied: AppliedMemory;
  /** The object as the caches have it; undefined when they do not have it (then it is applied). */
  readonly observed: (ref: ObjectRef) => KubeObject | undefined;
  readonly tasks: TaskSupervisor<Work, Result>;
  readonly run: RunTask<Work, Result>;
  readonly events: EventRecorder;
}

/** Makes the plan true: all writes of one reconcile. */
export async function executePlan<Status, Work, Result>(
  plan: Plan<Status, Work>,
  primary: Primary,
  deps: ActDeps<Work, Result>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.reject(new Error('being written'));
  void [plan, primary, deps, signal];
}

/** `namespace/name` of the reconciled object. */
export function keyOf(primary: Primary): Key {
  return `${primary.metadata.namespace}/${primary.metadata.name}`;
}
