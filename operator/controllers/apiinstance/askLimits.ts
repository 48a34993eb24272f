import { readConnectionLimits } from '../../database/connectionLimits.ts';
import { failureOf } from '../../database/runFailure.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { TaskContext } from '../../runtime/tasks.ts';
import { createTurns } from '../../runtime/turns.ts';
import type { LimitsAnswer, LimitsOrder } from './world.ts';

/**
 * So many databases are asked at a time, for rollouts and apart from them for whatever is at rest: an operator that is
 * upgraded has a question for each of its instances, and where a thousand databases are away a rollout would stand in
 * line for minutes.
 */
const atATime = 8;
/** A rollout waits so long for an answer, and what is behind it in line too. */
const patienceMs = 3000;

/**
 * Asks databases for their limits, a few at a time. A database that cannot be asked is an answer too: nothing waits for
 * it, and to try it again and again would be a load at rest. `identity`: this operator process, for pg_stat_activity.
 */
export function createLimitsQuestion(
  identity: string,
  clock: Clock,
): (order: LimitsOrder, context: TaskContext) => Promise<LimitsAnswer> {
  const [rollouts, rest] = [createTurns(atATime), createTurns(atATime)];
  return ({ uri, isWaitedFor }, context) =>
    (isWaitedFor ? rollouts : rest)(async () => {
      const late = new AbortController();
      const cancel = clock.after(patienceMs, () => {
        late.abort(new Error(`There was no answer within ${patienceMs / 1000} s.`));
      });
      try {
        const signal = AbortSignal.any([context.signal, late.signal]);
        return { limits: await readConnectionLimits({ uri, identity }, { ...context, signal }) };
      } catch (error) {
        context.signal.throwIfAborted();
        return { unknown: failureOf(error instanceof Error ? error.message : String(error)).message };
      } finally {
        cancel();
      }
    });
}
