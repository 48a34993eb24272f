import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '../../hack/build.ts';
import { createLog } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { measure, type Cost, type Program } from '../measure.ts';
import type { Task } from './contestant.ts';
import { preparePeers } from './peers/all.ts';
import { smallMigrations } from './plan.ts';
import { report, type Round } from './report.ts';
import { startServer, type Server } from './server.ts';

const count = 1000;

/** See `Benchmark`. */
export const title =
  '1,000 small migrations beside five other tools and bare node-postgres, and a check of 1,000 applied ones (45 s a round)';

/** Somebody who applies the migrations. */
interface Contestant {
  readonly name: string;
  /** Its own tables in `public`: they are no part of the result. */
  readonly bookkeeping: readonly string[];
  readonly program: (uri: string, warmUp: string) => Program;
  /** It tells the time itself, that of its second run; else the time of the process is what counts. */
  readonly isWarm: boolean;
}

/** Rounds in which each contestant gets an empty database of its own, each round in another order. */
export async function run({ rounds, signal }: BenchmarkOptions): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-bench-'));
  try {
    const { ready, absent } = await preparePeers(folder, smallMigrations(count), createLog());
    // As it is shipped: most of the start of the sources would be taking their types away.
    await bundle({ contestant: join(import.meta.dirname, 'contestant.ts') }, join(folder, 'ours'));
    signal.throwIfAborted();
    const server = await startServer();
    try {
      const own = (task: Task) => contestant(join(folder, 'ours'), task);
      const contestants: readonly Contestant[] = [
        ...ourselves(server, own),
        ...ready.map((peer) => ({ ...peer, isWarm: false })),
      ];
      const all: Round[] = [];
      for (let round = 0; round < rounds; round += 1) {
        const turn = round % contestants.length;
        const order = [...contestants.slice(turn), ...contestants.slice(0, turn)];
        const noop = (uri: string) => own({ who: 'noop', uri, count });
        all.push(await runRound(server, order, { noop, signal, isCompared: round === 0 }));
      }
      console.log(report(all, { ready, absent }).join('\n'));
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface RoundOptions {
  /** Checks that all of them are applied. */
  readonly noop: (uri: string) => Program;
  readonly signal: AbortSignal;
  /** Whether it is looked at that all leave the same. */
  readonly isCompared: boolean;
}

async function runRound(
  server: Server,
  order: readonly Contestant[],
  { noop, signal, isCompared }: RoundOptions,
): Promise<Round> {
  const costs = new Map<string, Cost>();
  const results = new Map<string, string[]>();
  let noopMs = NaN;
  for (const { name, bookkeeping, program, isWarm } of order) {
    signal.throwIfAborted();
    const uri = await server.createDatabase();
    const warmUp = isWarm ? await server.createDatabase() : '';
    const cost = await measure(program(uri, warmUp), signal);
    costs.set(name, isWarm ? { ...cost, seconds: Number(cost.stdout) } : cost);
    if (name === 'ours') noopMs = Number((await measure(noop(uri), signal)).stdout);
    if (isCompared) {
      const result = await server.describe(uri, bookkeeping);
      results.set(result, [...(results.get(result) ?? []), name]);
    }
    await server.dropDatabase(uri);
    if (isWarm) await server.dropDatabase(warmUp);
  }
  if (results.size > 1)
    throw new Error(
      `The tools left different databases: ${[...results].map(([text, names]) => `${names.join(', ')} (${text.length} characters)`).join('; ')}`,
    );
  return { costs, noopMs };
}

function ourselves(server: Server, own: (task: Task) => Program): readonly Contestant[] {
  const cold = { bookkeeping: [], isWarm: false };
  const warm = { bookkeeping: [], isWarm: true };
  return [
    { name: 'ours', ...cold, program: (uri) => own({ who: 'ours', uri, count }) },
    { name: 'floor', ...cold, program: (uri) => own({ who: 'floor', uri, count }) },
    { name: 'oursWarm', ...warm, program: (uri, warmUp) => own({ who: 'ours', uri, warmUp, count }) },
    { name: 'floorWarm', ...warm, program: (uri, warmUp) => own({ who: 'floor', uri, warmUp, count }) },
    { name: 'psql', ...cold, program: (uri) => psql(join(server.bin, 'psql'), uri) },
  ];
}

function contestant(folder: string, task: Task): Program {
  // --liftoff-only: as in the operator's image (hack/images/operator.ts).
  return {
    command: process.execPath,
    args: ['--liftoff-only', join(folder, 'contestant.mjs')],
    input: JSON.stringify(task),
  };
}

/** All of it as one transaction, without a ledger: what PostgreSQL alone takes. */
function psql(command: string, uri: string): Program {
  const { hostname, port, username, password, pathname } = new URL(uri);
  return {
    command,
    args: ['-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-f', '-'],
    env: {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: username,
      PGPASSWORD: password,
      PGDATABASE: pathname.slice(1),
      PGSSLMODE: 'disable',
    },
    input: smallMigrations(count)
      .map(({ sql }) => `${sql};\n`)
      .join(''),
  };
}
