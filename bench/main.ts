// `npm run bench`: speed, always as a ratio to something else in the same run; never a test.
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { migrations } from './migrations/index.ts';

const benchmarks: Readonly<Record<string, Benchmark>> = { migrations };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' } },
});
const [name] = positionals;
const rounds = Number(values.rounds);

if (name === undefined) {
  console.log('npm run bench -- NAME [--rounds N]\n');
  for (const [known, { title }] of Object.entries(benchmarks)) console.log(`  ${known.padEnd(12)} ${title}`);
} else if (!Number.isInteger(rounds) || rounds < 1) {
  console.error(`--rounds takes a whole number from 1 up, not ${values.rounds}`);
  process.exitCode = 2;
} else {
  const benchmark = benchmarks[name];
  if (benchmark) await benchmark.run({ rounds });
  else {
    console.error(`There is no benchmark ${name}; there are: ${Object.keys(benchmarks).join(', ')}`);
    process.exitCode = 2;
  }
}
