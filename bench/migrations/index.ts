import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import startPostgres from '../../hack/test/postgres.ts';
import type { Benchmark } from '../benchmark.ts';

const exec = promisify(execFile);
const count = 1000;

/** What one contestant took in one round. */
interface Figures {
  /** Of the whole process, from its start to its end. */
  readonly seconds: number;
  readonly cpuMs: number;
  readonly rssMb: number;
}

/**
 * 1,000 small migrations on an empty database beside what nobody can beat: node-postgres alone with a transaction and a
 * ledger row for each. Then a check that finds all of them applied.
 */
export const migrations: Benchmark = {
  title:
    '1,000 small migrations beside node-postgres alone, and a check of 1,000 applied ones (10 s a round)',
  async run({ rounds }) {
    const stop = await startPostgres();
    try {
      const all = { ours: [] as Figures[], floor: [] as Figures[], noop: [] as Figures[] };
      for (let round = 0; round < rounds; round += 1) {
        // In turns, and each time in another order: what the machine does meanwhile hits both.
        const order = round % 2 === 0 ? (['ours', 'floor'] as const) : (['floor', 'ours'] as const);
        for (const who of order) {
          const uri = await freshDatabase(`bench_${who}_${round}`);
          all[who].push(await contest(who, uri));
          if (who === 'ours') all.noop.push(await contest(who, uri));
        }
      }
      report(all);
    } finally {
      await stop();
    }
  },
};

async function freshDatabase(name: string): Promise<string> {
  const server = process.env.PGRST_TEST_PG_URL ?? '';
  const client = new pg.Client(server);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.end();
  return server.replace(/\/postgres$/, `/${name}`);
}

async function contest(who: 'ours' | 'floor', uri: string): Promise<Figures> {
  const script = join(import.meta.dirname, 'contestant.ts');
  const began = performance.now();
  const { stdout } = await exec(process.execPath, ['--liftoff-only', script, who, uri, String(count)]);
  const seconds = (performance.now() - began) / 1000;
  return { seconds, ...(JSON.parse(stdout) as Pick<Figures, 'cpuMs' | 'rssMb'>) };
}

function report(all: Readonly<Record<'ours' | 'floor' | 'noop', readonly Figures[]>>): void {
  const of = (who: keyof typeof all, figure: keyof Figures) => median(all[who].map((f) => f[figure]));
  const row = (who: keyof typeof all) => ({
    seconds: round(of(who, 'seconds')),
    cpuMs: round(of(who, 'cpuMs')),
    rssMb: round(of(who, 'rssMb')),
  });
  console.table({ ours: row('ours'), floor: row('floor'), 'ours, nothing to do': row('noop') });
  const { seconds, rssMb } = row('ours');
  console.log(
    JSON.stringify({
      ratioToFloor: round(of('ours', 'seconds') / of('floor', 'seconds')),
      ours: { seconds, rssMb },
      floor: { seconds: row('floor').seconds, rssMb: row('floor').rssMb },
      noopMs: row('noop').cpuMs,
    }),
  );
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
