import type { Logger } from 'pino';
import { executePlan, type Primary } from './act.ts';
import { createAppliedMemory } from './applied.ts';
import type { Clock } from './clock.ts';
import type { EventRecorder } from './events.ts';
import type { KubeClient } from './kubeClient.ts';
import type { KubeObject, ObjectRef } from './object.ts';
import type { Queue } from './queue.ts';
import type { Rng } from './random.ts';
import type { Key, Plan, Reconciler, WorkState } from './reconciler.ts';
import { createTaskSupervisor, type RunTask, type TaskSupervisor } from './tasks.ts';

/** What every controller works with. */
export interface ControllerDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly queue: Queue<Key>;
}

/** What makes one controller different from another. */
export interface ControllerParts<World, Status, Work, Result> {
  /** All reads; `work` is how the long work of this key stands. */
  observe(
    key: Key,
    work: ReadonlyMap<string, WorkState<Result>>,
    signal: AbortSignal,
  ): Promise<World | undefined>;
  decide(world: World): Plan<Status, Work>;
  /** The reconciled object, as `observe` read it. */
  primary(world: World): Primary;
  /** The whole object as a cache or `observe` has it; undefined when they do not have it (then it is applied). */
  observed(ref: ObjectRef, world: World): KubeObject | undefined;
  readonly run: RunTask<Work, Result>;
}

/** A controller, without the workers that drive it. */
export interface PlannedController<World, Status, Work, Result> {
  readonly reconciler: Reconciler<World, Plan<Status, Work>>;
  readonly tasks: TaskSupervisor<Work, Result>;
  /** Forgets what is kept in memory about an object that is gone, and ends its work. */
  readonly forget: (key: Key) => void;
}

/** Observe, decide and act, joined with the long work beside them and with the memory of what was applied. */
export function createPlannedController<World, Status, Work, Result>(
  parts: ControllerParts<World, Status, Work, Result>,
  { client, clock, rng, log, events, queue }: ControllerDeps,
): PlannedController<World, Status, Work, Result> {
  const { run } = parts;
  const applied = createAppliedMemory();
  const tasks = createTaskSupervisor<Work, Result>({
    clock,
    rng,
    log,
    onSettled: (key, priority) => {
      queue.add(key, { priority });
    },
  });
  return {
    reconciler: {
      observe: (key, signal) => parts.observe(key, tasks.states(key), signal),
      decide: (world) => parts.decide(world),
      act: (plan, world, signal) => {
        const observed = (ref: ObjectRef) => parts.observed(ref, world);
        return executePlan(
          plan,
          parts.primary(world),
          { client, applied, observed, tasks, run, events },
          signal,
        );
      },
    },
    tasks,
    forget: (key) => {
      tasks.ensure(key, [], run);
    },
  };
}
