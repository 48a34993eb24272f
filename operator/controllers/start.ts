import type { Logger } from 'pino';
import { createSqlAnalyst } from '../analysis/analyst.ts';
import { createSquawk, squawkPath } from '../lint/squawk.ts';
import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import { runController, type ControllerMetrics } from '../runtime/controller.ts';
import type { EventRecorder } from '../runtime/events.ts';
import { createInformer, type Informer } from '../runtime/informer.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { Outcome } from '../runtime/outcome.ts';
import { createQueue, type Queue, type QueueMetrics } from '../runtime/queue.ts';
import type { Rng } from '../runtime/random.ts';
import type { Key, Reconciler } from '../runtime/reconciler.ts';
import type { RouterService } from '../traffic/common.ts';
import { createGatewayRouter } from '../traffic/gateway.ts';
import { createNginxAnnotationsRouter } from '../traffic/nginxAnnotations.ts';
import { cacheSelections, type Caches } from './apiinstance/caches.ts';
import { createApiInstanceController } from './apiinstance/index.ts';
import { cachedSlices, watchPlaces } from './apiinstance/places.ts';
import { createApiSchemaController, createRunWork } from './apischema/index.ts';

/** What the controllers are made of. */
export interface ControllersDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly metrics: {
    readonly controller: ControllerMetrics;
    queue(name: string): QueueMetrics;
    rolloutEnded(outcome: string, seconds: number | undefined): void;
    podReloaded(seconds: number | undefined): void;
  };
  readonly events: EventRecorder;
  readonly config: {
    readonly POSTGREST_IMAGE: string;
    readonly GATE_IMAGE: string;
    readonly PGBOUNCER_IMAGE: string;
    readonly PGBOUNCER_EXPORTER_IMAGE?: string | undefined;
    readonly INGRESS_SERVICE: RouterService;
    /** Undefined: no Gateway, and perhaps a cluster that does not know its kinds. */
    readonly GATEWAY_SERVICE?: RouterService | undefined;
    readonly WATCH_NAMESPACE: string;
    readonly LEASE_NAMESPACE: string;
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

/**
 * How many objects of a kind are worked on at a time: reconciles wait for the API server, not for the CPU. With four, a
 * hundred rollouts at once left the operator idle three quarters of the time (bench/scale).
 */
const workers = 10;

/** Fills the caches and starts the workers once they are full. */
export function startControllers(deps: ControllersDeps): Running {
  const caches = startCaches(deps);
  const slices = startSlices(deps);
  const all: readonly (Informer | undefined)[] = [
    ...(Object.values(caches) as (Informer | undefined)[]),
    ...Object.values(slices),
  ];
  const informers = all.filter((informer) => informer !== undefined);
  let isReady = false;
  const stopping = new AbortController();
  let stopWorkers: ((deadlineMs: number) => Promise<void>) | undefined;

  const begin = async (): Promise<void> => {
    const clusterId = await readClusterId(deps, stopping.signal);
    await Promise.all(informers.map((informer) => informer.ready));
    if (clusterId === undefined || stopping.signal.aborted) return;
    isReady = true;
    stopWorkers = startWorkers(deps, caches, slices, clusterId);
    deps.log.info('caches are filled, controllers started');
  };
  void begin();
  return {
    isReady: () => isReady,
    async stop(deadlineMs) {
      stopping.abort(new Error('the operator is stopping'));
      await stopWorkers?.(deadlineMs);
      for (const informer of informers) informer.stop();
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
    policies: start('policies'),
    httpRoutes: config.GATEWAY_SERVICE && start('httpRoutes'),
  };
}

/** The EndpointSlices of each router's Service: where it listens. */
type RouterSlices = Readonly<{ IngressNginx: Informer; GatewayAPI: Informer | undefined }>;

function startSlices({ client, clock, rng, log, config }: ControllersDeps): RouterSlices {
  const start = ({ namespace, name }: RouterService): Informer =>
    createInformer({
      client,
      clock,
      rng,
      log,
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      namespace,
      labelSelector: `kubernetes.io/service-name=${name}`,
    });
  return {
    IngressNginx: start(config.INGRESS_SERVICE),
    GatewayAPI: config.GATEWAY_SERVICE && start(config.GATEWAY_SERVICE),
  };
}

function startWorkers(
  deps: ControllersDeps,
  caches: Caches,
  slices: RouterSlices,
  clusterId: string,
): (deadlineMs: number) => Promise<void> {
  const { client, clock, rng, log, events, config, metrics } = deps;
  const common = { client, caches, clock, rng, log, events };
  const analyst = createSqlAnalyst();
  const schemaQueue = queueFor('apischema', deps);
  const schema = createApiSchemaController({
    ...common,
    queue: schemaQueue,
    clusterId,
    identity: config.IDENTITY,
    run: createRunWork({ client, analyst, squawk: createSquawk(squawkPath()) }),
  });
  const instanceQueue = queueFor('apiinstance', deps);
  const instance = createApiInstanceController({
    ...common,
    queue: instanceQueue,
    routers: {
      IngressNginx: createNginxAnnotationsRouter(cachedSlices(slices.IngressNginx), config.INGRESS_SERVICE),
      GatewayAPI:
        config.GATEWAY_SERVICE &&
        slices.GatewayAPI &&
        createGatewayRouter(cachedSlices(slices.GatewayAPI), config.GATEWAY_SERVICE),
    },
    places: watchPlaces(slices),
    identity: config.IDENTITY,
    callers: {
      ingress: config.INGRESS_SERVICE,
      gateway: config.GATEWAY_SERVICE,
      // The operator's Lease is where the operator is.
      operator: { namespace: config.LEASE_NAMESPACE },
    },
    onPodReloaded: metrics.podReloaded,
    onRolloutEnded: ({ outcome, seconds }) => {
      metrics.rolloutEnded(outcome, seconds);
    },
    images: {
      postgrest: config.POSTGREST_IMAGE,
      gate: config.GATE_IMAGE,
      pgbouncer: config.PGBOUNCER_IMAGE,
      pgbouncerExporter: config.PGBOUNCER_EXPORTER_IMAGE,
    },
  });
  const stops = [
    work('apischema', schema, schemaQueue, deps),
    work('apiinstance', instance, instanceQueue, deps),
  ];
  return async (deadlineMs) => {
    await Promise.all(stops.map((stop) => stop(deadlineMs)));
    await analyst.close();
  };
}

function queueFor(name: string, { clock, rng, metrics }: ControllersDeps): Queue<Key> {
  return createQueue<Key>({ clock, rng, metrics: metrics.queue(name) });
}

/** What every controller offers to the workers that drive it. */
interface Controller<World, P> {
  readonly reconciler: Reconciler<World, P>;
  readonly tasks: { stop(deadlineMs: number): Promise<void> };
  readonly forget: (key: Key) => void;
}

function work<World, P extends { readonly outcome: Outcome }>(
  name: string,
  controller: Controller<World, P>,
  queue: Queue<Key>,
  { clock, rng, log, metrics }: ControllersDeps,
): (deadlineMs: number) => Promise<void> {
  const { reconciler, tasks, forget: onGone } = controller;
  const running = runController({
    name,
    reconciler,
    queue,
    workers,
    clock,
    rng,
    log,
    metrics: metrics.controller,
    onGone,
  });
  return async (deadlineMs) => {
    await running.stop(deadlineMs);
    await tasks.stop(deadlineMs);
    queue.close();
  };
}

/** How long to wait before the API server is asked again, in milliseconds. */
const askAgainMs = 1000;

/** Which cluster this is: the uid of its namespace kube-system, which no other cluster has. Undefined once aborted. */
async function readClusterId(
  { client, clock, log }: ControllersDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
  for (;;) {
    try {
      const uid = (await client.get(ref, signal))?.metadata.uid;
      if (uid !== undefined) return uid;
      throw new Error('there is no namespace kube-system');
    } catch (error) {
      if (signal.aborted) return undefined;
      log.warn({ err: error }, 'cannot tell which cluster this is; will ask again');
      await delay(clock, askAgainMs, signal);
    }
  }
}
