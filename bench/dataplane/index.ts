import { createLog } from '../../hack/lib/log.ts';
import { run as runProgram } from '../../hack/lib/exec.ts';
import { removeScratch, scratchFolder } from '../../hack/lib/scratch.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { runCapped } from './capped.ts';
import { names, startContenders, type Contender } from './contenders.ts';
import { startDatabase, type Database } from './database.ts';
import { endpoints, type Endpoint } from './endpoints.ts';
import { runPgbench } from './pgbench.ts';
import { preparePrograms, type Programs } from './programs.ts';
import { askForWhatIsNotThere } from './refused.ts';
import { report, type Results, type Sample } from './report.ts';
import { requireSameAnswers } from './sameAnswers.ts';
import { shuffled } from './shuffled.ts';
import { runWrk } from './wrk.ts';

/** See `Benchmark`. */
export const title =
  'requests/s and latency of a pod and of its parts, beside FastAPI and pgbench (4 min a round)';

/** See `Benchmark`. */
export const options = { seconds: { type: 'string', default: '3' } } as const;

const connections = 32;

/** Everything on loopback and on two cores, in one run: each round has all contenders in another random order. */
export async function run({ rounds, own, signal }: BenchmarkOptions): Promise<void> {
  const seconds = Number(own.seconds);
  if (!Number.isInteger(seconds) || seconds < 1)
    throw new Error(`--seconds takes a whole number from 1 up, not ${String(own.seconds)}`);
  const log = createLog();
  // What is started later inherits it.
  await runProgram('taskset', ['-a', '-p', '-c', '0,1', String(process.pid)]);
  const database = await startDatabase();
  try {
    const scope = { database, rounds, seconds, signal };
    const measured = await withScratch(log, (scratch, programs) =>
      measureAll({ ...scope, scratch, programs, say: log.say }),
    );
    log.say('Twenty pods');
    const capped = await withScratch(log, (scratch, programs) =>
      runCapped(scratch, programs, database, scope),
    );
    console.log(report({ ...measured, capped }).join('\n'));
  } finally {
    await database.stop();
  }
}

/** Runs something with a folder of its own; the processes that it starts end with it. */
async function withScratch<T>(
  log: ReturnType<typeof createLog>,
  body: (scratch: string, programs: Programs) => Promise<T>,
): Promise<T> {
  const scratch = await scratchFolder('pgrst-bench-dataplane-');
  try {
    return await body(scratch, await preparePrograms(scratch, log));
  } finally {
    await removeScratch(scratch);
  }
}

interface Scope {
  readonly scratch: string;
  readonly programs: Programs;
  readonly database: Database;
  readonly rounds: number;
  readonly seconds: number;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

async function measureAll(scope: Scope): Promise<Omit<Results, 'capped'>> {
  const { scratch, programs, database, seconds, signal } = scope;
  const contenders = await startContenders(scratch, programs, database);
  for (const endpoint of endpoints) await requireSameAnswers(contenders, endpoint);
  const measure = async (name: (typeof names)[number], endpoint: Endpoint) => {
    if (name === 'pgbench') return await runPgbench(scratch, database, endpoint, { connections, seconds });
    const contender = contenders.find((one) => one.name === name);
    if (contender === undefined) throw new Error(`nobody started ${name}`);
    const calls = Array.from({ length: 1000 }, (_, n) => endpoint[contender.speaks](n));
    return await runWrk(scratch, calls, contender.ports, { connections, warmSeconds: 1, seconds });
  };
  const samples: Sample[] = [];
  for (let round = 0; round < scope.rounds; round += 1) {
    scope.say(`Round ${String(round + 1)} of ${String(scope.rounds)}`);
    await database.query('truncate data.events');
    await database.query('vacuum (analyze) data.items');
    for (const endpoint of shuffled(endpoints))
      for (const name of shuffled(names)) {
        signal.throwIfAborted();
        samples.push({ round, endpoint, name, figures: await measure(name, endpoint) });
      }
  }
  // At the end: it disturbs those that answer wrongly.
  const refused: [Contender['name'], Record<string, number>][] = [];
  for (const contender of contenders.filter(({ speaks }) => speaks === 'postgrest'))
    refused.push([contender.name, await askForWhatIsNotThere(contender)]);
  return { samples, refused: Object.fromEntries(refused) };
}
