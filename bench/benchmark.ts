/** What the command line asks of a benchmark. */
export interface BenchmarkOptions {
  /** How often everything is measured, from 1 up; the results are medians. */
  readonly rounds: number;
  /** How many random cases are tried, from 1 up, where there are such. */
  readonly cases: number;
  /** Aborts on Ctrl-C: stop, clean up, throw its reason. */
  readonly signal: AbortSignal;
}

/** One benchmark, the content of a `bench/<name>/index.ts`. */
export interface Benchmark {
  /** One line: what it measures, and about how long a round takes. */
  readonly title: string;
  /** Prints a table and, as its last line, one JSON object. */
  readonly run: (options: BenchmarkOptions) => Promise<void>;
}
