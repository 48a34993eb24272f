import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ControllerMetrics } from '../runtime/controller.ts';
import type { OnRequest } from '../runtime/http.ts';
import type { QueueMetrics } from '../runtime/queue.ts';

/**
 * All metrics of the process. Names, labels and buckets are controller-runtime's and client-go's, so that dashboards
 * made for any operator work for this one; times are in seconds, as Prometheus wants them.
 */
export interface Metrics {
  /** For `pgrst_operator_*` metrics of other parts, and for /metrics. */
  readonly registry: Registry;
  readonly controller: ControllerMetrics;
  /** The metrics of one queue, under the controller's name. */
  queue(name: string): QueueMetrics;
  readonly request: OnRequest;
  /** A rollout, or a way back, that ended; `seconds` from its beginning, undefined where that is not known. */
  rolloutEnded(outcome: string, seconds: number | undefined): void;
  /** A pod was told to reload: after how many seconds it had, or undefined when it never did. */
  podReloaded(seconds: number | undefined): void;
  /** Whether this process leads; `lease` is the name of the Lease. */
  leader(lease: string, isLeader: boolean): void;
}

/** As controller-runtime's `controller_runtime_reconcile_time_seconds`. */
const reconcileBuckets = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.25, 1.5,
  1.75, 2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9, 10, 15, 20, 25, 30, 40, 50, 60,
];
/** As client-go's workqueue histograms: 10 ns to 1000 s by tens; ours begin at 1 ms, below which a timer says nothing. */
const queueBuckets = [0.001, 0.01, 0.1, 1, 10, 100, 1000];

/** A fresh registry with controller-runtime's metrics and those of the process. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  // Ten times as coarse as by default, in milliseconds: that alone took a third of a percent of a core at rest.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 100 });
  return {
    registry,
    controller: controllerMetrics(registry),
    queue: queueMetrics(registry),
    request: requestMetrics(registry),
    rolloutEnded: rolloutMetrics(registry),
    podReloaded: reloadMetrics(registry),
    leader: leaderMetrics(registry),
  };
}

/** From the seconds of an abort to the hours of a rollout with long pauses. */
const rolloutBuckets = [
  1,
  2,
  5,
  10,
  30,
  60,
  120,
  300,
  600,
  1800,
  3600,
  3 * 3600,
  6 * 3600,
  12 * 3600,
  86_400,
];

function rolloutMetrics(registry: Registry): Metrics['rolloutEnded'] {
  const registers = [registry];
  const total = new Counter({
    name: 'pgrst_operator_rollouts_total',
    help: 'Rollouts and ways back that ended, by outcome',
    labelNames: ['outcome'],
    registers,
  });
  const duration = new Histogram({
    name: 'pgrst_operator_rollout_duration_seconds',
    help: 'How long they took, by outcome',
    labelNames: ['outcome'],
    buckets: rolloutBuckets,
    registers,
  });
  return (outcome, seconds) => {
    total.inc({ outcome });
    if (seconds !== undefined) duration.observe({ outcome }, seconds);
  };
}

function reloadMetrics(registry: Registry): Metrics['podReloaded'] {
  const registers = [registry];
  const total = new Counter({
    name: 'pgrst_operator_pod_reloads_total',
    help: 'Pods that were told to reload, by what came of it',
    labelNames: ['result'],
    registers,
  });
  const duration = new Histogram({
    name: 'pgrst_operator_pod_reload_duration_seconds',
    help: 'From the first notification until the pod was seen to have loaded everything',
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers,
  });
  for (const result of ['loaded', 'deaf']) total.inc({ result }, 0);
  return (seconds) => {
    total.inc({ result: seconds === undefined ? 'deaf' : 'loaded' });
    if (seconds !== undefined) duration.observe(seconds);
  };
}

function controllerMetrics(registry: Registry): ControllerMetrics {
  const registers = [registry];
  const total = new Counter({
    name: 'controller_runtime_reconcile_total',
    help: 'Total number of reconciliations per controller',
    labelNames: ['controller', 'result'],
    registers,
  });
  const errors = new Counter({
    name: 'controller_runtime_reconcile_errors_total',
    help: 'Total number of reconciliation errors per controller',
    labelNames: ['controller'],
    registers,
  });
  const time = new Histogram({
    name: 'controller_runtime_reconcile_time_seconds',
    help: 'Length of time per reconciliation per controller',
    labelNames: ['controller'],
    buckets: reconcileBuckets,
    registers,
  });
  const active = new Gauge({
    name: 'controller_runtime_active_workers',
    help: 'Number of currently used workers per controller',
    labelNames: ['controller'],
    registers,
  });
  const max = new Gauge({
    name: 'controller_runtime_max_concurrent_reconciles',
    help: 'Maximum number of concurrent reconciles per controller',
    labelNames: ['controller'],
    registers,
  });
  return {
    maxConcurrent(controller, workers) {
      max.set({ controller }, workers);
      active.set({ controller }, 0);
      errors.inc({ controller }, 0);
      for (const result of ['success', 'requeue_after', 'error']) total.inc({ controller, result }, 0);
    },
    started(controller) {
      active.inc({ controller });
    },
    ended(controller, result, ms) {
      active.dec({ controller });
      total.inc({ controller, result });
      if (result === 'error') errors.inc({ controller });
      time.observe({ controller }, ms / 1000);
    },
  };
}

function queueMetrics(registry: Registry): (name: string) => QueueMetrics {
  const registers = [registry];
  const labelNames = ['name', 'controller'];
  const helds = new Map<string, () => readonly number[]>();
  const depth = new Gauge({
    name: 'workqueue_depth',
    help: 'Current depth of workqueue',
    labelNames,
    registers,
  });
  const adds = new Counter({
    name: 'workqueue_adds_total',
    help: 'Total number of adds handled by workqueue',
    labelNames,
    registers,
  });
  const retries = new Counter({
    name: 'workqueue_retries_total',
    help: 'Total number of retries handled by workqueue',
    labelNames,
    registers,
  });
  const waited = new Histogram({
    name: 'workqueue_queue_duration_seconds',
    help: 'How long in seconds an item stays in workqueue before being requested',
    labelNames,
    buckets: queueBuckets,
    registers,
  });
  const worked = new Histogram({
    name: 'workqueue_work_duration_seconds',
    help: 'How long in seconds processing an item from workqueue takes',
    labelNames,
    buckets: queueBuckets,
    registers,
  });
  const heldGauge = (name: string, help: string, reduce: (ages: readonly number[]) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames,
      registers,
      collect() {
        for (const [queue, ages] of helds)
          this.set({ name: queue, controller: queue }, reduce(ages()) / 1000);
      },
    });
  heldGauge(
    'workqueue_unfinished_work_seconds',
    'How many seconds of work has been done that is in progress and has not been observed by work_duration',
    (ages) => ages.reduce((sum, age) => sum + age, 0),
  );
  heldGauge(
    'workqueue_longest_running_processor_seconds',
    'How many seconds has the longest running processor for workqueue been running',
    (ages) => Math.max(0, ...ages),
  );
  return (name) => {
    const labels = { name, controller: name };
    depth.set(labels, 0);
    return {
      depth(value) {
        depth.set(labels, value);
      },
      added() {
        adds.inc(labels);
      },
      retried() {
        retries.inc(labels);
      },
      waited(ms) {
        waited.observe(labels, ms / 1000);
      },
      worked(ms) {
        worked.observe(labels, ms / 1000);
      },
      watchHeld(ages) {
        helds.set(name, ages);
      },
    };
  };
}

function requestMetrics(registry: Registry): OnRequest {
  const requests = new Counter({
    name: 'rest_client_requests_total',
    help: 'Number of HTTP requests, partitioned by status code and method',
    labelNames: ['code', 'method'],
    registers: [registry],
  });
  return ({ method, status }) => {
    requests.inc({ method, code: status === 0 ? '<error>' : String(status) });
  };
}

function leaderMetrics(registry: Registry): Metrics['leader'] {
  const status = new Gauge({
    name: 'leader_election_master_status',
    help: 'Gauge of if the reporting system is master of the relevant lease, 0 indicates backup, 1 indicates master',
    labelNames: ['name'],
    registers: [registry],
  });
  return (lease, isLeader) => {
    status.set({ name: lease }, isLeader ? 1 : 0);
  };
}
