import type { Cluster } from '../../hack/cluster/types.ts';
import { createLog, type Log } from '../../hack/lib/log.ts';
import { startLoad } from '../../hack/load/load.ts';
import { summarise } from '../../hack/load/sample.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { prepareCluster } from '../prepareCluster.ts';
import { watchConnections } from './connections.ts';
import { countLeftovers } from './leftovers.ts';
import { report } from './report.ts';
import { setStage, type Stage } from './stage.ts';

/** See `Benchmark`. */
export const title =
  'many cutovers in a row under 100 requests/s on the local cluster: connections, failures, leaks (10 s each)';

/** See `Benchmark`. */
export const options = { cutovers: { type: 'string', default: '200' } } as const;

const requestsPerSecond = 100;
/** The load is bounded by this time for each cutover. */
const maxSecondsEach = 120;
/** What the authenticator of examples/tasks is called. */
const authenticator = 'authenticator';

/** Prints a line for each tenth cutover; the exit code is 1 when a request failed or the cap was exceeded. */
export async function run({ own, signal }: BenchmarkOptions): Promise<void> {
  const cutovers = Number(own.cutovers);
  if (!Number.isInteger(cutovers) || cutovers < 1)
    throw new Error(`--cutovers takes a whole number from 1 up, not ${String(own.cutovers)}`);
  const log = createLog();
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const cluster = await prepareCluster(undo, log);
    signal.throwIfAborted();
    const stage = await log.step('applying examples/tasks', () => setStage(cluster, signal));
    undo.unshift(() => log.step('removing it', stage.remove));
    const result = await measure(cluster, stage, { cutovers, log, signal });
    console.log(report(result).join('\n'));
    if (result.summary.failed > 0 || result.connections.most > stage.cap) process.exitCode = 1;
  } finally {
    for (const step of undo) await step();
  }
}

async function measure(
  cluster: Cluster,
  stage: Stage,
  { cutovers, log, signal }: { readonly cutovers: number; readonly log: Log; readonly signal: AbortSignal },
) {
  const { namespace, kubectl, host, cap } = stage;
  const watch = watchConnections(cluster, { namespace, role: authenticator, cap });
  const load = startLoad({
    url: cluster.ingressUrl,
    host,
    requests: [
      { method: 'GET', path: '/tasks?order=id.desc&limit=10' },
      { method: 'GET', path: '/open_tasks?limit=5' },
      { method: 'POST', path: '/rpc/add_task', body: '{"title":"from the benchmark"}' },
    ],
    ratePerSecond: requestsPerSecond,
    maxSeconds: cutovers * maxSecondsEach,
  });
  try {
    // The first ones make what is there for good: the canary Ingress, and as many old revisions as are kept.
    const seconds: number[] = [];
    const warmUp = Math.min(5, cutovers - 1);
    for (let number = 1; number <= warmUp; number += 1) seconds.push(await stage.cutover(number));
    await stage.rest();
    const before = await countLeftovers(kubectl, namespace);
    for (let number = warmUp + 1; number <= cutovers; number += 1) {
      signal.throwIfAborted();
      seconds.push(await stage.cutover(number));
      if (number % 10 === 0)
        log.say(
          `${String(number)} cutovers, at most ${String(watch.read().most)} of ${String(cap)} connections`,
        );
    }
    await stage.rest();
    const after = await countLeftovers(kubectl, namespace);
    const summary = summarise(await load.stop());
    return { seconds, cap, connections: watch.read(), before, after, summary };
  } finally {
    await watch.stop();
    // A cutover that failed has an error of its own; the load's would hide it.
    await load.stop().catch(() => undefined);
  }
}
