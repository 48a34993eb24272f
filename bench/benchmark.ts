import type { ParseArgsOptionsConfig } from 'node:util';

/** What the command line asks of a benchmark. */
export interface BenchmarkOptions {
  /** How often everything is measured, from 1 up; the results are medians. */
  readonly rounds: number;
  /** How many random cases are tried, from 1 up, where there are such. */
  readonly cases: number;
  /** The values of the benchmark's own options (`Benchmark.options`), by name; what was not given is absent. */
  readonly own: Readonly<Record<string, string | boolean | undefined>>;
  /** Aborts on Ctrl-C: stop, clean up, throw its reason. */
  readonly signal: AbortSignal;
}

/** One benchmark, the content of a `bench/<name>/index.ts`. */
export interface Benchmark {
  /** One line: what it measures, and about how long a round takes. */
  readonly title: string;
  /** How many rounds there are without `--rounds`. Default: 5. */
  readonly defaultRounds?: number;
  /** Options that only this benchmark has, as `parseArgs` takes them: strings and booleans, none of them `multiple`. */
  readonly options?: ParseArgsOptionsConfig;
  /** Prints a table and, as its last line, one JSON object. */
  readonly run: (options: BenchmarkOptions) => Promise<void>;
}
