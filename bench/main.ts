// `npm run bench`: speed, always beside something else in the same run, and what takes too long for a test.
import { parseArgs } from 'node:util';
import type { Benchmark, BenchmarkOptions } from './benchmark.ts';
import * as cutovers from './cutovers/index.ts';
import * as dataplane from './dataplane/index.ts';
import * as faults from './faults/index.ts';
import * as kill from './kill/index.ts';
import * as migrations from './migrations/index.ts';
import * as parsing from './parsing/index.ts';
import * as reload from './reload/index.ts';
import * as rollout from './rollout/index.ts';
import * as scale from './scale/index.ts';
import * as size from './size/index.ts';

const benchmarks: Readonly<Partial<Record<string, Benchmark>>> = {
  cutovers,
  dataplane,
  faults,
  kill,
  migrations,
  parsing,
  reload,
  rollout,
  scale,
  size,
};

type Wish =
  | { readonly kind: 'list' }
  | ({ readonly kind: 'run'; readonly benchmark: Benchmark } & Omit<BenchmarkOptions, 'signal'>);

/** Reads the command line; throws an Error that says what is wrong with it. */
function readWish(words: readonly string[]): Wish {
  // The name comes first: which options there are depends on it.
  const [name] = words;
  const benchmark = name !== undefined && Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined;
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      ...(benchmark?.options ?? {}),
      rounds: { type: 'string', default: String(benchmark?.defaultRounds ?? 5) },
      cases: { type: 'string', default: '2000' },
    },
  });
  const [, ...more] = positionals;
  if (positionals.length === 0) return { kind: 'list' };
  if (benchmark === undefined || more.length > 0)
    throw new Error(
      `There is no benchmark ${positionals.join(' ')}; there are: ${Object.keys(benchmarks).join(', ')}`,
    );
  if (!/^[1-9]\d{0,2}$/.test(values.rounds))
    throw new Error(`--rounds takes a whole number from 1 to 999, not ${values.rounds}`);
  if (!/^[1-9]\d{0,5}$/.test(values.cases))
    throw new Error(`--cases takes a whole number from 1 to 999999, not ${values.cases}`);
  const { rounds, cases, ...own } = values;
  return { kind: 'run', benchmark, rounds: Number(rounds), cases: Number(cases), own };
}

function list(): void {
  console.log('npm run bench -- NAME [--rounds 5] [--cases 2000]\n');
  for (const [name, benchmark] of Object.entries(benchmarks))
    console.log(`  ${name.padEnd(12)} ${benchmark?.title ?? ''}`);
}

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    interrupted.abort(new Error(`interrupted by ${signal}`));
  });

let wish: Wish | undefined;
try {
  wish = readWish(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}

if (wish?.kind === 'list') list();
if (wish?.kind === 'run') {
  try {
    await wish.benchmark.run({ ...wish, signal: interrupted.signal });
  } catch (error) {
    if (!interrupted.signal.aborted) throw error;
    console.error(String(interrupted.signal.reason));
    process.exitCode = 130;
  }
}
