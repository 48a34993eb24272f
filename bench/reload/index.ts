import { createLog, type Log } from '../../hack/lib/log.ts';
import { startLoad } from '../../hack/load/load.ts';
import { failed, type Sample } from '../../hack/load/sample.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { restartDatabase } from '../faults/faults.ts';
import { prepareCluster } from '../prepareCluster.ts';
import { rounded } from '../statistics.ts';
import { setStage, type Stage } from './stage.ts';

/** See `Benchmark`. */
export const title =
  'reloads in a row by NOTIFY under 100 requests/s on the local cluster, listeners killed and the database restarted';

/** See `Benchmark`. */
export const options = {
  reloads: { type: 'string', default: '50' },
  pods: { type: 'string', default: '10' },
} as const;

const requestsPerSecond = 100;
const maxSecondsEach = 180;
/** PostgREST tries to connect again after 1, 2, 4, ... s. */
const reconnectMs = 8000;
const killListeners = `PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U postgres -d tasks -XAtqc "select count(pg_terminate_backend(pid)) from pg_stat_activity where query ilike 'listen %'"`;
/** A listener that is frozen is the notification that gets lost: nobody learns of it, and /ready stays 200. */
const freezeListener = `pid=$(PGPASSWORD=$POSTGRES_PASSWORD psql -h 127.0.0.1 -U postgres -d tasks -XAtqc "select min(pid) from pg_stat_activity where query ilike 'listen %'"); kill -STOP "$pid"; (sleep 150; kill -CONT "$pid") >/dev/null 2>&1 &`;

interface Window {
  readonly from: number;
  readonly to: number;
}

/** The exit code is 1 when a request failed outside of the database's own outage. */
export async function run({ own, signal }: BenchmarkOptions): Promise<void> {
  const [reloads, pods] = [own.reloads, own.pods].map(Number);
  if (!reloads || !pods || reloads < 4) throw new Error('--reloads takes 4 or more, --pods 1 or more');
  const log = createLog();
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const cluster = await prepareCluster(undo, log);
    signal.throwIfAborted();
    const stage = await log.step(`examples/tasks with ${String(pods)} pods and no pooler`, () =>
      setStage(cluster, { pods, signal }),
    );
    undo.unshift(() => log.step('removing it', stage.remove));
    const load = startLoad({
      url: cluster.ingressUrl,
      host: stage.host,
      requests: [
        { method: 'GET', path: '/tasks?order=id.desc&limit=10' },
        { method: 'POST', path: '/rpc/add_task', body: '{"title":"from the benchmark"}' },
      ],
      ratePerSecond: requestsPerSecond,
      maxSeconds: reloads * maxSecondsEach,
    });
    try {
      const before = await stage.pods();
      const { seconds, windows } = await reloadAll(stage, reloads, log, signal);
      const after = await stage.pods();
      const samples = await load.stop();
      report({
        seconds,
        windows,
        samples,
        pods,
        replaced: after.filter((pod) => !before.includes(pod)).length,
      });
    } finally {
      await load.stop().catch(() => undefined);
    }
  } finally {
    for (const step of undo) await step();
  }
}

/** Most of them undisturbed; in three of them something breaks in the moment in which they are asked for. */
async function reloadAll(stage: Stage, reloads: number, log: Log, signal: AbortSignal) {
  const seconds: { readonly what: string; readonly took: number }[] = [];
  const windows: Window[] = [];
  const faults = new Map<number, readonly [string, () => Promise<unknown>]>([
    [Math.floor(reloads / 4), ['listeners killed', () => stage.inDatabase(killListeners)]],
    [Math.floor(reloads / 2), ['database restarted', () => restart(stage, windows)]],
    [reloads - 1, ['a listener frozen', () => stage.inDatabase(freezeListener)]],
  ]);
  for (let number = 0; number < reloads; number += 1) {
    signal.throwIfAborted();
    const [what, breaks] = faults.get(number) ?? ['undisturbed', undefined];
    const broken = breaks?.();
    const took = await stage.reload();
    await broken;
    seconds.push({ what, took });
    if (what !== 'undisturbed' || number % 10 === 9)
      log.say(`${String(number + 1)} reloads, the last one (${what}) in ${took.toFixed(1)} s`);
  }
  return { seconds, windows };
}

async function restart(stage: Stage, windows: Window[]): Promise<void> {
  const from = Date.now();
  await stage.inDatabase(restartDatabase);
  windows.push({ from, to: Date.now() + reconnectMs });
}

function report(result: {
  readonly seconds: readonly { readonly what: string; readonly took: number }[];
  readonly windows: readonly Window[];
  readonly samples: readonly Sample[];
  readonly pods: number;
  readonly replaced: number;
}): void {
  const { seconds, windows, samples, pods, replaced } = result;
  const quiet = seconds.filter(({ what }) => what === 'undisturbed').map(({ took }) => took);
  const quantile = (q: number): number => {
    const sorted = [...quiet].sort((a, b) => a - b);
    return rounded(sorted[Math.ceil(q * sorted.length) - 1] ?? NaN, 2);
  };
  const lost = samples.filter(failed);
  const inWindow = lost.filter((sample) =>
    windows.some(({ from, to }) => sample.endedAt >= from && sample.dueAt <= to),
  );
  const unexcused = lost.length - inWindow.length;
  for (const { what, took } of seconds)
    if (what !== 'undisturbed') console.log(`${what.padEnd(20)} ${took.toFixed(1)} s`);
  console.log(
    JSON.stringify({
      reloads: seconds.length,
      pods,
      p50Seconds: quantile(0.5),
      p99Seconds: quantile(0.99),
      requests: samples.length,
      failed: unexcused,
      failedInOutage: inWindow.length,
      replaced,
    }),
  );
  if (unexcused > 0) process.exitCode = 1;
}
