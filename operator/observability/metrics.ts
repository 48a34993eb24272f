import type { Registry } from 'prom-client';
import type { OnRequest } from '../runtime/http.ts';
import type { ControllerMetrics } from '../runtime/controller.ts';
import type { QueueMetrics } from '../runtime/queue.ts';

/** All metrics of the process. */
export interface Metrics {
  /** For `pgrst_operator_*` metrics of other parts, and for /metrics. */
  readonly registry: Registry;
  readonly controller: ControllerMetrics;
  /** The metrics of one queue, under the controller's name. */
  queue(name: string): QueueMetrics;
  readonly request: OnRequest;
  leader(isLeader: boolean): void;
}

/** A fresh registry with controller-runtime's metrics and those of the process. */
export function createMetrics(): Metrics {
  throw new Error('being written');
}
