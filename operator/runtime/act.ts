import type { AppliedMemory } from './applied.ts';
import { sameJson } from './contains.ts';
import type { EventRecorder } from './events.ts';
import type { KubeClient } from './kubeClient.ts';
import { isConflict, isInvalid, isNotFound } from './kubeError.ts';
import { refOf, type KubeObject, type ObjectRef } from './object.ts';
import { fieldManager } from './ownedFields.ts';
import type { Key, MetadataChange, Plan, WorkOrder } from './reconciler.ts';
import type { RunTask, TaskSupervisor } from './tasks.ts';

/** The field manager of status, apart from `fieldManager`, so that neither apply can drop the other's fields. */
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
  /**
   * The object as a cache or `observe` has it, if need be only its metadata (which serves for as long as nobody else
   * writes it); undefined when they do not have it: then it is applied.
   */
  readonly observed: (ref: ObjectRef) => KubeObject | undefined;
  readonly tasks: TaskSupervisor<Work, Result>;
  readonly run: RunTask<Work, Result>;
  readonly events: EventRecorder;
}

/**
 * Makes the plan true: all writes of one reconcile.
 *
 * Order: the object's own metadata, the applies, the prunes, the long work, the status, the Events. Work that is no
 * longer ordered is withdrawn before the applies: what it saw of the world ends with them. The metadata change
 * carries the resourceVersion that was read: when the object has changed since, the plan speaks of a world that is gone,
 * so the conflict is thrown before anything else is written. A failed apply or prune stops those behind it; the status
 * is written all the same (people must see where it stands), then the failure is thrown. The status is conditional on
 * the version too; a conflict there means that the object changed meanwhile, and is thrown to be retried.
 *
 * Guarantees: every write can be repeated, so dying between any two of them and running again reaches the same end. At
 * rest nothing is written: an apply is skipped when it was the operator's last for that object and the observed object
 * still contains it; status is compared with what was read.
 */
export async function executePlan<Status, Work, Result>(
  plan: Plan<Status, Work>,
  primary: Primary,
  deps: ActDeps<Work, Result>,
  signal: AbortSignal,
): Promise<void> {
  const resourceVersion = await changeMetadata(plan.metadata, primary, deps.client, signal);
  withdraw(plan.work, keyOf(primary), deps);
  const failure = await attempt(async () => {
    for (const desired of plan.apply) await applyOne(desired, deps, signal);
    for (const ref of plan.prune) await pruneOne(ref, deps, signal);
    if (plan.work !== undefined) deps.tasks.ensure(keyOf(primary), plan.work, deps.run);
  });
  signal.throwIfAborted();
  const refusal = failure !== undefined && isInvalid(failure.error) ? failure.error.message : undefined;
  const status = refusal === undefined ? plan.status : (plan.refused?.(refusal) ?? plan.status);
  if (status !== undefined) {
    const statusFailure = await attempt(() =>
      writeStatus(status, primary, resourceVersion, deps.client, signal),
    );
    if (failure === undefined && statusFailure !== undefined) throw statusFailure.error;
  }
  if (failure !== undefined) throw failure.error;
  for (const note of plan.notes) deps.events.record(primary, note);
}

function withdraw<Work, Result>(
  orders: readonly WorkOrder<Work>[] | undefined,
  key: Key,
  { tasks, run }: ActDeps<Work, Result>,
): void {
  if (orders === undefined) return;
  const known = tasks.states(key);
  tasks.ensure(
    key,
    orders.filter(({ id }) => known.has(id)),
    run,
  );
}

/** `namespace/name` of the reconciled object. */
export function keyOf(primary: Primary): Key {
  return `${primary.metadata.namespace}/${primary.metadata.name}`;
}

async function attempt(work: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Returns the version of the object after it. */
async function changeMetadata(
  { annotations, finalizers }: MetadataChange = {},
  primary: Primary,
  client: KubeClient,
  signal: AbortSignal,
): Promise<string> {
  const { metadata } = primary;
  const changed = Object.entries(annotations ?? {}).filter(
    ([name, value]) => (metadata.annotations?.[name] ?? null) !== value,
  );
  const sameFinalizers = finalizers === undefined || sameJson(finalizers, metadata.finalizers ?? []);
  if (changed.length === 0 && sameFinalizers) return metadata.resourceVersion;
  const body = {
    metadata: {
      resourceVersion: metadata.resourceVersion,
      ...(changed.length === 0 ? {} : { annotations: Object.fromEntries(changed) }),
      ...(sameFinalizers ? {} : { finalizers }),
    },
  };
  const patched = await client.patch(refOf(primary), { type: 'merge', body }, signal);
  return patched.metadata.resourceVersion ?? metadata.resourceVersion;
}

async function applyOne<Work, Result>(
  desired: KubeObject,
  { client, applied, observed }: ActDeps<Work, Result>,
  signal: AbortSignal,
): Promise<void> {
  const ref = refOf(desired);
  const current = observed(ref);
  if (current !== undefined && applied.isAtRest(desired, current)) return;
  // Not known until it is done: a failed apply may have changed anything.
  applied.forget(ref);
  applied.remember(desired, await client.apply(desired, { fieldManager }, signal));
}

async function pruneOne<Work, Result>(
  ref: ObjectRef,
  { client, applied }: ActDeps<Work, Result>,
  signal: AbortSignal,
): Promise<void> {
  applied.forget(ref);
  try {
    await client.delete(ref, {}, signal);
  } catch (error) {
    // With a uid: the one that was meant is gone, and another has its name, which is not ours to delete.
    if (ref.uid === undefined || !isConflict(error)) throw error;
  }
}

async function writeStatus(
  status: unknown,
  primary: Primary,
  resourceVersion: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<void> {
  if (sameJson(status, primary.status ?? {})) return;
  const { apiVersion, kind, metadata } = primary;
  const { name, namespace } = metadata;
  try {
    // Conditional on the version that the plan was made of: neither a namesake that was created meanwhile nor a newer
    // status of another leader may be overwritten. (The server ignores a uid here; only resourceVersion is checked.)
    await client.applyStatus(
      { apiVersion, kind, metadata: { name, namespace, resourceVersion }, status },
      { fieldManager: statusFieldManager },
      signal,
    );
  } catch (error) {
    if (!isNotFound(error)) throw error; // Gone, for example because its last finalizer just went: no status to keep.
  }
}
