import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { applySchema } from './applySchema.ts';
import { dropReleases } from '../../database/dropReleases.ts';
import { executePlan, type Primary } from '../../runtime/act.ts';
import { createAppliedMemory } from '../../runtime/applied.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EventRecorder } from '../../runtime/events.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { Queue } from '../../runtime/queue.ts';
import type { Rng } from '../../runtime/random.ts';
import type { Key, Reconciler } from '../../runtime/reconciler.ts';
import { createTaskSupervisor, type RunTask, type TaskSupervisor } from '../../runtime/tasks.ts';
import { watchTriggers, type Caches } from './caches.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { SchemaPlan } from './plan.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiSchemas is made of. */
export interface ApiSchemaControllerDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly queue: Queue<Key>;
  /** uid of the namespace kube-system: which cluster this is. */
  readonly clusterId: string;
  /** This operator process, for the ledger and pg_stat_activity: the pod's name. */
  readonly identity: string;
  /** Does the work on the database. Default `runWork`; tests put theirs in its place. */
  readonly run?: RunTask<Work, WorkResult>;
}

/** The controller, without the workers that drive it. */
export interface ApiSchemaController {
  readonly reconciler: Reconciler<World, SchemaPlan>;
  readonly tasks: TaskSupervisor<Work, WorkResult>;
  /** Forgets what is kept in memory about an object that is gone, and ends its work. */
  readonly forget: (key: Key) => void;
}

/** Does the work of one order on the real database. */
export const runWork: RunTask<Work, WorkResult> = async ({ spec }, context) =>
  spec.kind === 'apply'
    ? await applySchema(spec.request, context)
    : await dropReleases(spec.request, context);

/** Wires observe, decide and act together, and what wakes them. */
export function createApiSchemaController(deps: ApiSchemaControllerDeps): ApiSchemaController {
  const { client, caches, clock, queue, clusterId, identity, events, run = runWork } = deps;
  const applied = createAppliedMemory();
  const salt = randomBytes(32);
  const tasks = createTaskSupervisor<Work, WorkResult>({
    clock,
    rng: deps.rng,
    log: deps.log,
    onSettled: (key) => {
      queue.add(key);
    },
  });
  watchTriggers(caches, queue);
  const workOf = (key: Key) => tasks.states(key);
  return {
    reconciler: {
      observe: (key, signal) =>
        observe(key, { client, caches, clock, workOf, clusterId, identity, salt }, signal),
      decide,
      act: (plan, world, signal) =>
        executePlan(
          plan,
          world.object as unknown as Primary,
          { client, applied, observed: () => undefined, tasks, run, events },
          signal,
        ),
    },
    tasks,
    forget: (key) => {
      tasks.ensure(key, [], run);
    },
  };
}
