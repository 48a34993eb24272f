import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import type { Clock } from '../runtime/clock.ts';
import type { TaskContext } from '../runtime/tasks.ts';

/** What one pod of a candidate is asked before it gets traffic. */
export interface PodProbesOrder {
  readonly ip: string;
  /** The gate's public port. */
  readonly port: number;
  /** The Host header: `expose.host`. */
  readonly host: string;
  /** What stands before each probe's path: `` or `/todo`. */
  readonly prefix: string;
  readonly probes: AnalysisSpec['probes'];
}

/** Whether a pod answered all of its probes as they ask for; `failure` is one sentence with the check, value and threshold. */
export type PodProbesResult =
  { readonly passed: true } | { readonly passed: false; readonly failure: string };

/** Asks the pod itself, at its own address. */
export function probePod(
  _order: PodProbesOrder,
  _clock: Clock,
  _context: TaskContext,
): Promise<PodProbesResult> {
  return Promise.reject(new Error('probes are not built yet'));
}
