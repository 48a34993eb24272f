/** One benchmark: prints a table and, as its last line, one JSON object. */
export interface Benchmark {
  /** What it measures, and about how long a round takes. */
  readonly title: string;
  readonly run: (options: { readonly rounds: number }) => Promise<void>;
}
