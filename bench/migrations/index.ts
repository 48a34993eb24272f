import { join } from 'node:path';
import type { BenchmarkOptions } from '../benchmark.ts';
import { measure, type Cost, type Program } from '../measure.ts';
import type { Task } from './contestant.ts';
import { smallMigrations } from './plan.ts';
import { report, type Round, type Tool } from './report.ts';
import { startServer, type Server } from './server.ts';

const count = 1000;
const tools: readonly Tool[] = ['ours', 'floor', 'psql'];

/** See `Benchmark`. */
export const title =
  '1,000 small migrations beside bare node-postgres and psql -1, and a check of 1,000 applied ones (5 s a round)';

/** Rounds in which each tool gets an empty database of its own, each round in another order. */
export async function run({ rounds, signal }: BenchmarkOptions): Promise<void> {
  const server = await startServer();
  try {
    const all: Round[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const turn = round % tools.length;
      all.push(await runRound(server, [...tools.slice(turn), ...tools.slice(0, turn)], signal));
    }
    console.log(report(all).join('\n'));
  } finally {
    await server.stop();
  }
}

async function runRound(server: Server, order: readonly Tool[], signal: AbortSignal): Promise<Round> {
  const costs: Partial<Record<Tool, Cost>> = {};
  const results = new Map<string, Tool>();
  let noopMs = NaN;
  for (const tool of order) {
    signal.throwIfAborted();
    const uri = await server.createDatabase();
    const program =
      tool === 'psql' ? psql(join(server.bin, 'psql'), uri) : contestant({ who: tool, uri, count });
    costs[tool] = await measure(program, signal);
    if (tool === 'ours')
      noopMs = Number((await measure(contestant({ who: 'noop', uri, count }), signal)).stdout);
    results.set(await server.dropDatabase(uri), tool);
  }
  const { ours, floor, psql: bare } = costs;
  if (ours === undefined || floor === undefined || bare === undefined || results.size !== 1)
    throw new Error(`The tools did different things: ${JSON.stringify([...results])}`);
  return { ours, floor, psql: bare, noopMs };
}

function contestant(task: Task): Program {
  // --liftoff-only: as in the operator's image (hack/images/operator.ts).
  return {
    command: process.execPath,
    args: ['--liftoff-only', join(import.meta.dirname, 'contestant.ts')],
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
    },
    input: smallMigrations(count)
      .map(({ sql }) => `${sql};\n`)
      .join(''),
  };
}
