import type { LintFinding } from './finding.ts';

/** A rule that is not to be reported, and why: `spec.lint.ignore`, of the whole object or of one migration. */
export interface LintIgnore {
  readonly rule: string;
  readonly reason: string;
}

/** One SQL text to judge. */
export interface LintSource {
  readonly kind: 'migration' | 'contraction' | 'api';
  /** The name of the migration or contraction; `api` for the API SQL. */
  readonly name: string;
  readonly sql: string;
  /** For this source only, beside those of the whole set. */
  readonly ignore: readonly LintIgnore[];
  /**
   * Whether it is in the database already. Then it is read for what it says about tables (row security, views, default
   * privileges), and nothing of it is reported.
   */
  readonly applied?: boolean;
}

/** How to judge a set of sources. */
export interface LintOptions {
  /** The exposed schema: `spec.schema`. */
  readonly schema: string;
  readonly ignore: readonly LintIgnore[];
  /** From which level on the set has failed. */
  readonly failOn: 'Error' | 'Warning';
}

/** What is wrong with a set of sources. */
export interface LintResult {
  /** What is left after what is ignored, in the order of sources and lines. */
  readonly findings: readonly LintFinding[];
  /** How many findings were ignored. */
  readonly ignored: number;
  /** Whether a finding reaches `failOn`. */
  readonly failed: boolean;
}
