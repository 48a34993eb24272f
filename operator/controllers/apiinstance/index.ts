import type { Logger } from 'pino';
import { group } from '../../api/v1alpha1/shared.ts';
import { provePod } from '../../proof/podProof.ts';
import { proveGone, proveTraffic } from '../../proof/trafficProof.ts';
import { adminPort } from '../../resources/ports.ts';
import type { OperandImages } from '../../resources/revision.ts';
import { executePlan, type Primary } from '../../runtime/act.ts';
import { createAppliedMemory } from '../../runtime/applied.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EventRecorder } from '../../runtime/events.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { Queue } from '../../runtime/queue.ts';
import type { Rng } from '../../runtime/random.ts';
import type { Key, Reconciler } from '../../runtime/reconciler.ts';
import { createTaskSupervisor, type RunTask, type TaskSupervisor } from '../../runtime/tasks.ts';
import type { TrafficRouter } from '../../traffic/router.ts';
import { lookUp, type Caches } from './caches.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { InstancePlan } from './plan.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiInstances is made of. */
export interface ApiInstanceControllerDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly events: EventRecorder;
  readonly queue: Queue<Key>;
  readonly router: TrafficRouter;
  /** The operator's defaults; a revision keeps those that it was made with. */
  readonly images: OperandImages;
}

/** The controller, without the workers that drive it. */
export interface ApiInstanceController {
  readonly reconciler: Reconciler<World, InstancePlan>;
  readonly tasks: TaskSupervisor<Work, WorkResult>;
  /** Forgets what is kept in memory about an object that is gone. */
  readonly forget: (key: Key) => void;
}

/** Wires observe, decide and act together, and what wakes them. */
export function createApiInstanceController(deps: ApiInstanceControllerDeps): ApiInstanceController {
  const { client, caches, clock, queue, router } = deps;
  const applied = createAppliedMemory();
  const tasks = createTaskSupervisor<Work, WorkResult>({
    clock,
    rng: deps.rng,
    log: deps.log,
    onSettled: (key) => {
      queue.add(key);
    },
  });
  watchTriggers(caches, queue);
  const run = workRunner(router, clock);
  return {
    reconciler: {
      observe: (key, signal) =>
        observe(
          key,
          { client, caches, clock, router, images: deps.images, workOf: (k) => tasks.states(k) },
          signal,
        ),
      decide,
      act: (plan, world, signal) =>
        executePlan(
          plan,
          world.primary as unknown as Primary,
          {
            client,
            applied,
            observed: (ref) => (ref.kind === 'Secret' ? world.poolerSecret : lookUp(caches, ref)),
            tasks,
            run,
            events: deps.events,
          },
          signal,
        ),
    },
    tasks,
    forget: (key) => {
      tasks.ensure(key, [], run);
    },
  };
}

function workRunner(router: TrafficRouter, clock: Clock): RunTask<Work, WorkResult> {
  const dataPlane = (signal: AbortSignal) => router.dataPlane(signal);
  return ({ spec }, context) => {
    switch (spec.kind) {
      case 'pod':
        return provePod({ ...spec, port: adminPort }, clock, context);
      case 'traffic':
        return proveTraffic(spec, dataPlane, clock, context);
      case 'gone':
        return proveGone(spec.request, dataPlane, clock, context);
    }
  };
}

/** What wakes an instance: itself, its schema, and whatever carries its label. */
function watchTriggers(caches: Caches, queue: Queue<Key>): void {
  caches.instances.onChange(({ object, initial }) => {
    queue.add(keyOf(object), { priority: initial ? 'resync' : 'changed' });
  });
  caches.schemas.onChange(({ object, initial }) => {
    if (initial) return;
    for (const instance of caches.instances.byIndex('schema', keyOf(object))) queue.add(keyOf(instance));
  });
  const children = [
    caches.deployments,
    caches.services,
    caches.configMaps,
    caches.ingresses,
    caches.pods,
    caches.budgets,
    caches.accounts,
  ];
  for (const cache of children) {
    cache.onChange(({ object, initial }) => {
      const instance = object.metadata.labels?.[`${group}/instance`];
      if (initial || instance === undefined) return;
      queue.add(`${object.metadata.namespace ?? ''}/${instance}`);
    });
  }
}

function keyOf({ metadata }: KubeObject): Key {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
