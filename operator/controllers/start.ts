import type { Logger } from 'pino';
import type { Clock } from '../runtime/clock.ts';
import { runController, type ControllerMetrics } from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { createInformer, type Informer } from '../runtime/informer.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import { createQueue, type QueueMetrics } from '../runtime/queue.ts';
import type { Rng } from '../runtime/random.ts';
import type { Key } from '../runtime/reconciler.ts';
import { createNginxAnnotationsRouter, type IngressService } from '../traffic/nginxAnnotations.ts';
import { cacheSelections, type Caches } from './apiinstance/caches.ts';
import { createApiInstanceController } from './apiinstance/index.ts';

/** What the controllers are made of. */
export interface ControllersDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly metrics: { readonly controller: ControllerMetrics; queue(name: string): QueueMetrics };
  readonly events: EventRecorder;
  readonly config: {
    readonly POSTGREST_IMAGE: string;
    readonly GATE_IMAGE: string;
    readonly PGBOUNCER_IMAGE: string;
    readonly INGRESS_SERVICE: IngressService;
    readonly WATCH_NAMESPACE: string;
    readonly IDENTITY: string;
  };
}

/** The controllers at work. */
export interface Running {
  /** Whether the caches are filled. */
  isReady(): boolean;
  /** Drains the reconciles within the deadline, then stops the long work and the watches. */
  stop(deadlineMs: number): Promise<void>;
}

/** How many objects of a kind are worked on at a time: reconciles wait for the API server, not for the CPU. */
const workers = 4;

/** Fills the caches and starts the workers once they are full. */
export function startControllers(deps: ControllersDeps): Running {
  const caches = startCaches(deps);
  let isReady = false;
  let stopped = false;
  let stopWorkers = (deadlineMs: number): Promise<void> => Promise.resolve(void deadlineMs);

  void Promise.all(Object.values(caches).map((cache: Informer) => cache.ready)).then(() => {
    if (stopped) return;
    isReady = true;
    stopWorkers = startWorkers(deps, caches);
    deps.log.info('caches are filled, controllers started');
  });
  return {
    isReady: () => isReady,
    async stop(deadlineMs) {
      stopped = true;
      await stopWorkers(deadlineMs);
      for (const cache of Object.values(caches) as Informer[]) cache.stop();
    },
  };
}

function startCaches({ client, clock, rng, log, config }: ControllersDeps): Caches {
  const namespace = config.WATCH_NAMESPACE === '' ? {} : { namespace: config.WATCH_NAMESPACE };
  const start = (name: keyof Caches): Informer =>
    createInformer({ client, clock, rng, log, ...namespace, ...cacheSelections[name] });
  return {
    instances: start('instances'),
    schemas: start('schemas'),
    deployments: start('deployments'),
    services: start('services'),
    configMaps: start('configMaps'),
    ingresses: start('ingresses'),
    pods: start('pods'),
    budgets: start('budgets'),
    accounts: start('accounts'),
  };
}

function startWorkers(deps: ControllersDeps, caches: Caches): (deadlineMs: number) => Promise<void> {
  const { client, clock, rng, log, events, config, metrics } = deps;
  const queue = createQueue<Key>({ clock, rng, metrics: metrics.queue('apiinstance') });
  const instance = createApiInstanceController({
    client,
    caches,
    clock,
    rng,
    log,
    events,
    queue,
    router: createNginxAnnotationsRouter(client, config.INGRESS_SERVICE),
    images: {
      postgrest: config.POSTGREST_IMAGE,
      gate: config.GATE_IMAGE,
      pgbouncer: config.PGBOUNCER_IMAGE,
    },
  });
  const running = runController({
    name: 'apiinstance',
    reconciler: instance.reconciler,
    queue,
    workers,
    clock,
    rng,
    log,
    metrics: metrics.controller,
    onGone: instance.forget,
  });
  return async (deadlineMs) => {
    await running.stop(deadlineMs);
    await instance.tasks.stop(deadlineMs);
    queue.close();
  };
}
