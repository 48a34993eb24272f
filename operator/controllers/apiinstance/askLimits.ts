import { readConnectionLimits } from '../../database/connectionLimits.ts';
import { failureOf } from '../../database/runFailure.ts';
import type { TaskContext } from '../../runtime/tasks.ts';
import { createTurns } from '../../runtime/turns.ts';
import type { LimitsAnswer } from './world.ts';

/** So many databases are asked at a time: an operator that is upgraded has a question for each of its instances. */
const atATime = 4;

/**
 * Asks databases for their limits, a few at a time. A database that cannot be asked is an answer too: nothing waits for
 * it, and to try it again and again would be a load at rest. `identity`: this operator process, for pg_stat_activity.
 */
export function createLimitsQuestion(
  identity: string,
): (uri: string, context: TaskContext) => Promise<LimitsAnswer> {
  const turn = createTurns(atATime);
  return (uri, context) =>
    turn(async () => {
      try {
        return { limits: await readConnectionLimits({ uri, identity }, context) };
      } catch (error) {
        context.signal.throwIfAborted();
        return { unknown: failureOf(error instanceof Error ? error.message : String(error)).message };
      }
    });
}
