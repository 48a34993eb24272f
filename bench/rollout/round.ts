import type { Log } from '../../hack/lib/log.ts';
import { until } from '../../hack/lib/wait.ts';
import { startLoad } from '../../hack/load/load.ts';
import { replicas, type Command, type Contender } from './contender.ts';
import { isForGood, timingOf, type Operation, type Passage, type Round } from './figures.ts';
import type { Quiet } from './quiet.ts';
import type { Stage } from './stage.ts';

const requestsPerSecond = 200;
/** Longer than any round; a load that reaches it fails the benchmark. */
const maxSeconds = 900;

/** What a round needs beside the contender. */
export interface RoundContext {
  readonly stage: Stage;
  /** Where the router answers. */
  readonly url: string;
  readonly quiet: Quiet;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Every operation once (a cutover twice) under steady load, from the base revision back to it. */
export async function runRound(contender: Contender, context: RoundContext): Promise<Round> {
  const { stage, url, quiet, log, signal } = context;
  const load = startLoad({
    url,
    host: contender.host,
    requests: [
      { method: 'GET', path: '/tasks?order=id.desc&limit=10' },
      { method: 'GET', path: '/open_tasks?limit=5' },
      { method: 'GET', path: '/tasks?select=id,title&order=id.desc&limit=1' },
      { method: 'POST', path: '/rpc/add_task', body: '{"title":"from the benchmark"}' },
    ],
    ratePerSecond: requestsPerSecond,
    maxSeconds,
  });
  const passages: Passage[] = [];
  /** When the last thing was heard of the cluster. */
  let heardAt = Date.now();
  const pass = async (operation: Operation, command: () => Promise<Command>): Promise<void> => {
    await quiet.reached(heardAt);
    const { at: commandAt, word } = await command();
    const { at: wordAt, revision } = await word;
    heardAt = wordAt;
    // Whatever was written on the way reaches the clients meanwhile.
    await quiet.reached(heardAt);
    const passage = await until(
      `${contender.name}: ${operation}: all clients at revision ${revision}`,
      () => {
        signal.throwIfAborted();
        const seen = { operation, commandAt, wordAt, revision, endedAt: Date.now() };
        return isForGood(seen, load.samples) ? seen : undefined;
      },
    );
    passages.push(passage);
    const { seconds, wordSeconds, failed } = timingOf(passage, load.samples);
    log.say(
      `  ${contender.name.padEnd(5)}${operation.padEnd(13)} ${seconds.toFixed(2)} s, word after ${wordSeconds.toFixed(2)} s, ${String(failed)} failed`,
    );
  };
  /** Waits until no other revision than the one with the traffic has pods. */
  const alone = async (): Promise<void> => {
    await until(
      `${contender.name}: only one revision has pods`,
      async () => {
        signal.throwIfAborted();
        const { items } = await stage.client.list(
          { apiVersion: 'v1', kind: 'Pod', namespace: stage.namespace, labelSelector: contender.podSelector },
          signal,
        );
        return items.length === replicas ? true : undefined;
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
    heardAt = Date.now();
  };

  try {
    await alone();
    await pass('cutover', contender.release);
    await pass('warmRollback', contender.rollback);
    await contender.releaseHalf();
    heardAt = Date.now();
    await pass('abort', contender.abort);
    await alone();
    await pass('cutover', contender.release);
    await alone();
    await pass('coldRollback', contender.rollback);
    return { passages, samples: await load.stop() };
  } catch (error) {
    await load.stop().catch(() => undefined);
    throw error;
  }
}
