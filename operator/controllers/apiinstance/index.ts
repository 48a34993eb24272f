import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import { provePod } from '../../proof/podProof.ts';
import { proveGone, proveTraffic } from '../../proof/trafficProof.ts';
import { instanceLabel } from '../../resources/names.ts';
import { adminPort } from '../../resources/ports.ts';
import type { OperandImages } from '../../resources/revision.ts';
import type { Primary } from '../../runtime/act.ts';
import type { Clock } from '../../runtime/clock.ts';
import { cacheKey } from '../../runtime/object.ts';
import {
  createPlannedController,
  type ControllerDeps,
  type PlannedController,
} from '../../runtime/plannedController.ts';
import type { Queue } from '../../runtime/queue.ts';
import type { Key } from '../../runtime/reconciler.ts';
import type { RunTask } from '../../runtime/tasks.ts';
import type { TrafficRouter } from '../../traffic/router.ts';
import { lookUp, type Caches } from './caches.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiInstances is made of. */
export interface ApiInstanceControllerDeps extends ControllerDeps {
  readonly caches: Caches;
  readonly router: TrafficRouter;
  /** The operator's defaults; a revision keeps those that it was made with. */
  readonly images: OperandImages;
  /** Proves things. Default: over the network; tests put theirs in its place. */
  readonly run?: RunTask<Work, WorkResult>;
}

/** Wires observe, decide and act together, and what wakes them. */
export function createApiInstanceController(
  deps: ApiInstanceControllerDeps,
): PlannedController<World, ApiInstanceStatus, Work, WorkResult> {
  const { client, caches, clock, queue, router, images, run = workRunner(router, clock) } = deps;
  watchTriggers(caches, queue);
  return createPlannedController<World, ApiInstanceStatus, Work, WorkResult>(
    {
      observe: (key, work, signal) => observe(key, { client, caches, clock, router, images, work }, signal),
      decide,
      primary: (world) => world.primary as unknown as Primary,
      // No cache holds Secrets.
      observed: (ref, world) => (ref.kind === 'Secret' ? world.poolerSecret : lookUp(caches, ref)),
      run,
    },
    deps,
  );
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
    queue.add(cacheKey(object.metadata) as Key, { priority: initial ? 'resync' : 'changed' });
  });
  caches.schemas.onChange(({ object, initial }) => {
    if (initial) return;
    for (const instance of caches.instances.byIndex('schema', cacheKey(object.metadata)))
      queue.add(cacheKey(instance.metadata) as Key);
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
      const instance = object.metadata.labels?.[instanceLabel];
      if (initial || instance === undefined) return;
      queue.add(`${object.metadata.namespace ?? ''}/${instance}`);
    });
  }
}
