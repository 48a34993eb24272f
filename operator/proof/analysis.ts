import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import { judgeCandidate, type AnalysisFailure, type AnalysisProgress } from './checks.ts';
import { createGateReader, type GatePod } from './readGates.ts';
import { createQueryReader } from './readQueries.ts';

export type { AnalysisFailure, AnalysisProgress } from './checks.ts';
export type { GatePod } from './readGates.ts';

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

/** The gates are on the way of every request, and asking them costs little: a bad candidate is to be seen soon. */
const gatesEveryMs = 2_000;
/** Prometheus scrapes every 15 s or less often: asking it more often would see no more. */
const queriesEveryMs = 10_000;

/**
 * Judges a candidate for as long as it has this weight. Resolves only when a check has failed; until then it tells its
 * verdict as `AnalysisProgress`, and tells it again only when something in it has changed.
 *
 * Guarantees: what was answered before it began is not counted; a gate that restarts makes no count shrink; a slow
 * Prometheus does not delay what the gates say.
 */
export async function analyse(
  order: AnalysisOrder,
  pods: () => readonly GatePod[],
  adminPort: number,
  clock: Clock,
  { signal, progress }: TaskContext,
): Promise<AnalysisFailure> {
  const { namespace, instance, revision, stable, analysis } = order;
  const windowMs = durationMs(analysis.window);
  const gates = createGateReader({ pods, adminPort, windowMs, clock });
  const names = { namespace, instance, revision, stable };
  const queries = analysis.prometheus && createQueryReader(analysis.prometheus, names);
  let told: AnalysisProgress | undefined;

  function judge(): AnalysisFailure | undefined {
    const judgement = judgeCandidate(analysis, {
      gates: gates.recent(),
      queries: queries?.states() ?? new Map(),
      unreadable: [...gates.unreadable(), ...(queries?.unreadable() ?? [])],
    });
    if ('failure' in judgement) return judgement;
    if (judgement.verdict !== told?.verdict || judgement.message !== told.message) progress(judgement);
    told = judgement;
    return undefined;
  }

  async function keepReading(
    reader: { read(signal: AbortSignal): Promise<void> },
    everyMs: number,
    until: AbortSignal,
  ): Promise<AnalysisFailure> {
    for (;;) {
      await reader.read(until);
      until.throwIfAborted();
      const failure = judge();
      if (failure) return failure;
      await delay(clock, everyMs, until);
      until.throwIfAborted();
    }
  }

  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  try {
    return await Promise.race([
      keepReading(gates, gatesEveryMs, until),
      ...(queries ? [keepReading(queries, queriesEveryMs, until)] : []),
    ]);
  } finally {
    over.abort();
  }
}
