// npm test: all parts of the suite one after the other, and the counts of all of them in the last line.
//   npm test                         everything
//   npm test -- unit pg              these parts
//   npm test -- unit -- queue -t x   what follows goes to vitest: file filters, -t, -u
import { agree } from '../cluster/index.ts';
import { duration } from '../lib/log.ts';
import { parseArguments } from './arguments.ts';
import type { Part } from './arguments.ts';
import { checks, runChecks } from './check.ts';
import { failed, lastLine, summary } from './result.ts';
import type { Counts, PartResult } from './result.ts';
import { runVitest } from './vitest.ts';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const notRun = (message: string): Counts => ({
  passed: 0,
  failures: [{ name: 'the part itself', message }],
  skips: [],
});

const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.on(signal, () => {
    stopping.abort();
  });

const { parts, vitest } = parseArguments(process.argv.slice(2));
const started = performance.now();

async function run(part: Part): Promise<Counts> {
  if (stopping.signal.aborted) return notRun('the run was interrupted');
  print(`\n==> ${part} (${duration(performance.now() - started)} so far)`);
  try {
    return part === 'check' ? await runChecks(checks, print) : await runVitest(part, vitest, stopping.signal);
  } catch (error) {
    return notRun(error instanceof Error ? error.message : String(error));
  }
}

// Asked before the first part and not in the middle: the rest can then run alone.
if (parts.includes('e2e')) await agree({});

const results: PartResult[] = [];
for (const part of parts) {
  const begun = performance.now();
  results.push({ part, ...(await run(part)), ms: performance.now() - begun });
}
const [first] = results;
if (
  first !== undefined &&
  vitest.length > 0 &&
  results.every((result) => result.passed + result.failures.length === 0)
)
  results[0] = { ...first, ...notRun(`no test matches ${vitest.join(' ')}`) };

print(`\n==> done in ${duration(performance.now() - started)}\n`);
print(summary(results));
process.exitCode = failed(results) > 0 ? 1 : 0;
print(`\n${lastLine(results)}`);
