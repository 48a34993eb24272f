/** How bad a finding is. `error`: wrong or unsafe for certain. `warning`: a danger that may be meant. */
export type LintLevel = 'error' | 'warning';

/** One thing that a rule has to say about one statement. Holds names and advice, never a value out of the SQL. */
export interface LintFinding {
  /** `pgrst/...` for our rules; the bare name for squawk's. */
  readonly rule: string;
  readonly level: LintLevel;
  /** The name of the migration or contraction, or `api`. */
  readonly source: string;
  /** Which statement of the source, counted from 1. */
  readonly statement: number;
  /** Which line of the source, counted from 1. */
  readonly line: number;
  /** What is there, in one sentence. */
  readonly message: string;
  /** Why that is a danger. */
  readonly why: string;
  /** The safe way. */
  readonly fix: string;
}

/** The level of a rule, why it is one, and the safe way: the same for each of its findings. */
export interface LintRule {
  readonly level: LintLevel;
  readonly why: string;
  readonly fix: string;
}
