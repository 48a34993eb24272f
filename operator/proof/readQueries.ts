import type { AnalysisSpec } from '../api/v1alpha1/apiInstanceRollout.ts';
import type { QueryState } from './checks.ts';
import { reasonOf } from './probe.ts';
import { fillQuery, queryPrometheus, type QueryNames } from './prometheus.ts';

/** The numbers that a Prometheus gives about a candidate. */
export interface QueryReader {
  /** Asks every query once; rejects only when the signal aborts. */
  read(signal: AbortSignal): Promise<void>;
  /** By the query's name; those that were not answered yet are left out. */
  states(): ReadonlyMap<string, QueryState>;
  /** Why there were no answers three times in a row, a sentence each. */
  unreadable(): readonly string[];
}

const patience = 3;

/** A reader of all queries of a spec, with the rollout's names in them. */
export function createQueryReader(
  { address, queries }: NonNullable<AnalysisSpec['prometheus']>,
  names: QueryNames,
): QueryReader {
  const states = new Map<string, QueryState>();
  const misses = new Map<string, { readonly times: number; readonly message: string }>();

  async function readOne(
    { name, query, min, max }: (typeof queries)[number],
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await queryPrometheus(address, fillQuery(query, names), signal);
    misses.delete(name);
    const { value, outside = 0 } = states.get(name) ?? {};
    if ('problem' in answer) {
      states.set(name, { value, outside, problem: answer.problem });
      return;
    }
    const isOutside = answer.value < (min ?? -Infinity) || answer.value > (max ?? Infinity);
    states.set(name, { value: answer.value, outside: isOutside ? outside + 1 : 0, problem: undefined });
  }

  return {
    states: () => states,
    unreadable: () => [
      ...new Set([...misses.values()].filter(({ times }) => times >= patience).map(({ message }) => message)),
    ],
    async read(signal) {
      await Promise.all(
        queries.map(async (query) => {
          try {
            await readOne(query, signal);
          } catch (error) {
            signal.throwIfAborted();
            const times = (misses.get(query.name)?.times ?? 0) + 1;
            misses.set(query.name, { times, message: `Prometheus cannot be read: ${reasonOf(error)}` });
          }
        }),
      );
    },
  };
}
