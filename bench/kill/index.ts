import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../hack/build.ts';
import { createFaultHarness, randomFaults, type CaseResult } from '../../operator/testing/faults/harness.ts';
import { seededNumbers } from '../../operator/testing/faults/seededNumbers.ts';
import { createTestDatabase } from '../../operator/testing/pgTemplate.ts';
import startPostgres from '../../hack/test/postgres.ts';
import type { BenchmarkOptions } from '../benchmark.ts';

/** See `Benchmark`. */
export const title =
  'a run of 50 migrations, killed at random protocol messages and run again; nothing is measured (2,000 cases, 20 min)';

/** Runs side by side: most of a case is waiting for the server. */
const lanes = 3;
/** A database is given up after so many cases, because its catalogs grow with each. */
const casesPerDatabase = 50;
/** One interruption in so many is the SIGKILL of a process, the others are lost connections. */
const killEvery = 5;

interface Sum {
  cases: number;
  killPoints: number;
  lost: number;
  doubled: number;
}

/** Prints every case that went wrong, and last one JSON object; sets the exit code when there is one. */
export async function run({ cases, signal }: BenchmarkOptions): Promise<void> {
  const sum: Sum = { cases: 0, killPoints: 0, lost: 0, doubled: 0 };
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-bench-'));
  const child = join(folder, 'applyChild.mjs');
  await bundle({ applyChild: join(import.meta.dirname, '../../operator/testing/applyChild.ts') }, folder);
  const stop = await startPostgres();
  try {
    const seeds = Array.from({ length: Math.ceil(cases / casesPerDatabase) }, (_, seed) => seed);
    const lane = async (): Promise<void> => {
      for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift())
        await runDatabase(seed, Math.min(casesPerDatabase, cases - seed * casesPerDatabase), {
          child,
          sum,
          signal,
        });
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    await stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const { killPoints, lost, doubled } = sum;
  console.log(JSON.stringify({ killPoints, lost, doubled }));
  if (lost + doubled > 0) process.exitCode = 1;
}

interface RunOptions {
  /** The program of the runs that are a process. */
  readonly child: string;
  readonly sum: Sum;
  readonly signal: AbortSignal;
}

async function runDatabase(seed: number, cases: number, { child, sum, signal }: RunOptions): Promise<void> {
  const db = await createTestDatabase();
  const harness = await createFaultHarness(db.uri, child);
  const next = seededNumbers(seed);
  for (let n = 0; n < cases; n += 1) {
    signal.throwIfAborted();
    const faults = randomFaults(next, harness.messages, killEvery);
    const result = await harness.runCase(faults);
    add(sum, result);
    if (wrong(result) > 0)
      console.log(`seed ${seed}, case ${n}: ${JSON.stringify(faults)}\n  ${JSON.stringify(result)}`);
    if (sum.cases % 100 === 0) console.log(`${sum.cases} cases, ${sum.killPoints} interruptions`);
  }
  await db.drop();
}

function wrong({ lost, doubled, differences }: CaseResult): number {
  return lost.length + doubled.length + differences.length;
}

function add(sum: Sum, result: CaseResult): void {
  sum.cases += 1;
  sum.killPoints += result.killPoints;
  sum.doubled += result.doubled.length;
  // A difference that belongs to no single migration is a loss as well: something is not as it was to be.
  sum.lost += Math.max(result.lost.length, result.differences.length > 0 ? 1 : 0);
}
