import { createLog } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { rounded } from '../statistics.ts';
import { measureSize, type Figures } from './measureSize.ts';
import { startWorld } from './world.ts';

/** See `Benchmark`. */
export const title =
  '1,000 ApiInstances and 100 ApiSchemas on a real API server: cold start, memory, rest, 100 rollouts at once (one round, 20 min; --grow: from 100 to 2,000)';

/** See `Benchmark`. */
export const options = {
  /** How many ApiInstances, from 1 up. */
  instances: { type: 'string', default: '1000' },
  /** Measure at 100, 500, 1,000 and 2,000 instead. */
  grow: { type: 'boolean', default: false },
  /** For how many seconds the rest is looked at: everything is looked at again within 11 minutes. */
  rest: { type: 'string', default: '660' },
  /** A folder for CPU profiles of the operator, from its cold start to its end. */
  profile: { type: 'string' },
} as const;

const growth = [100, 500, 1000, 2000];

/** One cluster, which grows; the operator is started anew at each size. */
export async function run({ own, signal }: BenchmarkOptions): Promise<void> {
  const sizes = own['grow'] === true ? growth : [wholeNumber(own, 'instances')];
  const restSeconds = wholeNumber(own, 'rest');
  const profile = own['profile'];
  const nodeOptions = typeof profile === 'string' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : [];
  const log = createLog();
  const world = await startWorld(log);
  const all: Figures[] = [];
  try {
    for (const size of sizes)
      all.push(await measureSize({ world, log, signal, restSeconds, nodeOptions }, size));
  } finally {
    await world.stop();
  }
  printTable(all);
  const figures = all.at(-1);
  if (figures === undefined) return;
  console.log(
    JSON.stringify({
      instances: figures.instances,
      coldStartSeconds: rounded(figures.coldStartSeconds, 1),
      rssMb: rounded(Math.max(figures.peakRssMb, figures.rolloutRssMb), 0),
      cpuAtRest: rounded(figures.cpuAtRest, 4),
      writesAtRest: figures.writesAtRest,
    }),
  );
}

function wholeNumber(own: BenchmarkOptions['own'], name: string): number {
  const text = String(own[name]);
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number from 1 to 99999, not ${text}`);
}

const columns: readonly (readonly [string, (figures: Figures) => string])[] = [
  ['instances', ({ instances }) => String(instances)],
  ['schemas', ({ schemas }) => String(schemas)],
  ['seen s', ({ seenSeconds }) => seenSeconds.toFixed(1)],
  ['cold start s', ({ coldStartSeconds }) => coldStartSeconds.toFixed(1)],
  ['its CPU s', ({ coldStartCpu }) => coldStartCpu.toFixed(1)],
  ['its peak MB', ({ peakRssMb }) => peakRssMb.toFixed(0)],
  ['at rest MB', ({ restRssMb }) => restRssMb.toFixed(0)],
  ['CPU at rest %', ({ cpuAtRest }) => (cpuAtRest * 100).toFixed(2)],
  ['rechecks', ({ rechecks }) => String(rechecks)],
  ['writes', ({ writesAtRest }) => String(writesAtRest)],
  ['rollouts', (figures) => String(figures.rollouts)],
  ['s', ({ rolloutSeconds }) => rolloutSeconds.toFixed(1)],
  ['their CPU s', ({ rolloutCpu }) => rolloutCpu.toFixed(1)],
  ['reconciles', ({ rolloutReconciles }) => String(rolloutReconciles)],
  ['reconcile p99 ms', ({ reconcileP99 }) => (reconcileP99 * 1000).toFixed(0)],
  ['queue p99 ms', ({ queueP99 }) => (queueP99 * 1000).toFixed(0)],
  ['peak MB', ({ rolloutRssMb }) => rolloutRssMb.toFixed(0)],
];

function printTable(all: readonly Figures[]): void {
  const width = Math.max(...columns.map(([name]) => name.length));
  for (const [name, value] of columns)
    console.log(name.padEnd(width), ...all.map((figures) => value(figures).padStart(9)));
  console.log('');
}
