import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { ProjectSize } from '../../operator/testing/largeProject.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { measure, type Cost } from '../measure.ts';
import { startServer } from '../migrations/server.ts';
import { median, rounded } from '../statistics.ts';
import type { Stage, Task } from './contestant.ts';

/** See `Benchmark`. */
export const title =
  '4 MB of API SQL, 5,000 migrations and 5,000 views through the whole operator: how long its event loop stands still (2 min a round)';

const size: ProjectSize = {
  migrations: 5000,
  views: 5000,
  apiBytes: 4 * 1024 * 1024,
  configMapBytes: 1_000_000,
};

interface Sample extends Cost {
  readonly stages: readonly Stage[];
}

/**
 * Each round is a database and a process of its own; the longest pause counts. This process does nothing meanwhile: how
 * long its own event loop stands still says how long the machine lets a process wait.
 */
export async function run({ rounds, signal }: BenchmarkOptions): Promise<void> {
  const server = await startServer();
  const ours: Sample[] = [];
  const idle = monitorEventLoopDelay({ resolution: 1 });
  try {
    for (let round = 0; round < rounds; round += 1) {
      const uri = await server.createDatabase();
      idle.enable();
      ours.push(await sample({ uri, size }, signal));
      idle.disable();
      await server.dropDatabase(uri);
    }
  } finally {
    await server.stop();
  }

  console.log('stage                        s   longest pause ms   of it CPU ms');
  for (const name of [...new Set(ours.flatMap(({ stages }) => stages.map((each) => each.name)))]) {
    const all = ours.flatMap(({ stages }) => stages.filter((each) => each.name === name));
    console.log(
      name.padEnd(22),
      median(all.map(({ seconds }) => seconds))
        .toFixed(1)
        .padStart(7),
      worst(all, 'maxBlockMs').toFixed(0).padStart(18),
      worst(all, 'maxBlockCpuMs').toFixed(0).padStart(14),
    );
  }
  console.log(`\nThe longest pause of ${rounds} rounds, medians else.\n`);
  const every = ours.flatMap(({ stages }) => stages);
  console.log(
    JSON.stringify({
      maxBlockMs: rounded(worst(every, 'maxBlockMs'), 1),
      maxBlockCpuMs: rounded(worst(every, 'maxBlockCpuMs'), 1),
      idleMaxBlockMs: rounded(idle.max / 1e6, 1),
      apiMb: rounded(size.apiBytes / 1024 / 1024, 1),
      migrations: size.migrations,
      views: size.views,
      seconds: rounded(median(ours.map(({ seconds }) => seconds)), 1),
      rssMb: rounded(median(ours.map(({ rssMb }) => rssMb)), 0),
    }),
  );
}

function worst(stages: readonly Stage[], figure: 'maxBlockMs' | 'maxBlockCpuMs'): number {
  return Math.max(...stages.map((each) => each[figure]));
}

async function sample(task: Task, signal: AbortSignal): Promise<Sample> {
  // --liftoff-only: as in the operator's image (hack/images/operator.ts).
  const args = ['--liftoff-only', join(import.meta.dirname, 'contestant.ts')];
  const cost = await measure({ command: process.execPath, args, input: JSON.stringify(task) }, signal);
  return { ...cost, stages: JSON.parse(cost.stdout) as Stage[] };
}
