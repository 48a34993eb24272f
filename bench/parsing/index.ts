import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.ts';
import { measure, type Cost } from '../measure.ts';
import { median, rounded } from '../statistics.ts';
import type { Finding, Place } from './contestant.ts';

const places: Readonly<Record<Place, string>> = {
  thread: 'a thread',
  loop: 'the event loop',
  nowhere: 'nothing is read',
};
const names = Object.keys(places) as Place[];

/** See `Benchmark`. */
export const title =
  '4 MB of API SQL, 5,000 migrations and 5,000 views: how long the event loop stands still, with the SQL thread and without (10 s a round)';

interface Sample extends Cost {
  readonly finding: Finding;
}

/** Each round is a process of its own for each place; the longest pause of all rounds counts. */
export async function run({ rounds, signal }: BenchmarkOptions): Promise<void> {
  const samples: Record<Place, Sample[]> = { thread: [], loop: [], nowhere: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const place of names) samples[place].push(await sample(place, signal));
  const worst = (place: Place): number =>
    Math.max(...samples[place].map(({ finding }) => finding.maxBlockMs));
  const middle = (place: Place, figure: 'seconds' | 'rssMb'): number =>
    median(samples[place].map((each) => each[figure]));

  console.log('parser on            s   longest pause ms   peak RSS MiB');
  for (const place of names)
    console.log(
      places[place].padEnd(16),
      middle(place, 'seconds').toFixed(1).padStart(5),
      worst(place).toFixed(0).padStart(18),
      middle(place, 'rssMb').toFixed(0).padStart(14),
    );
  const finding = samples.thread[0]?.finding;
  console.log(
    `\n${finding?.statements ?? 0} statements. The longest pause of ${rounds} rounds, medians else.\n`,
  );
  console.log(
    JSON.stringify({
      maxBlockMs: rounded(worst('thread'), 1),
      apiMb: rounded((finding?.apiBytes ?? 0) / 1024 / 1024, 1),
      migrations: finding?.migrations,
      views: finding?.views,
      rssMb: rounded(middle('thread', 'rssMb'), 0),
    }),
  );
}

async function sample(place: Place, signal: AbortSignal): Promise<Sample> {
  // --liftoff-only: as in the operator's image (hack/images/operator.ts).
  const args = ['--liftoff-only', join(import.meta.dirname, 'contestant.ts'), place];
  const cost = await measure({ command: process.execPath, args, input: '' }, signal);
  return { ...cost, finding: JSON.parse(cost.stdout) as Finding };
}
