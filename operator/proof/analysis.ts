import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import type { Clock } from '../runtime/clock.ts';
import type { TaskContext } from '../runtime/tasks.ts';

/** Which candidate to judge, and by what. */
export interface AnalysisOrder {
  readonly namespace: string;
  readonly instance: string;
  /** The candidate. */
  readonly revision: number;
  readonly stable: number;
  /** Percent of the traffic that the candidate has: another weight is another order. */
  readonly weight: number;
  readonly analysis: AnalysisSpec;
}

/** A pod of the candidate whose gate can be asked. */
export interface GatePod {
  readonly uid: string;
  readonly ip: string;
}

/** What an analysis tells while it runs; told again only when one of the two has changed. */
export interface AnalysisProgress {
  readonly verdict: 'Running' | 'Passed' | 'TooFewRequests' | 'Inconclusive';
  readonly message: string;
}

/** Why the candidate has to go: the check, its value, its threshold and its samples, in one sentence. */
export interface AnalysisFailure {
  readonly failure: string;
}

/** Judges a candidate; resolves only when a check has failed. */
export function analyse(
  _order: AnalysisOrder,
  _pods: () => readonly GatePod[],
  _adminPort: number,
  _clock: Clock,
  _context: TaskContext,
): Promise<AnalysisFailure> {
  return Promise.reject(new Error('the analysis is not built yet'));
}
