import type { RunnableStatement } from '../migration/runnable.ts';

/** One migration, ready to run. */
export interface MigrationToRun {
  readonly exposedSchema: string;
  readonly name: string;
  /** `sqlChecksum` of its SQL. */
  readonly checksum: string;
  /** Index in the spec, from 0. */
  readonly position: number;
  readonly statements: readonly RunnableStatement[];
  /** Ends a statement of it that takes longer, in milliseconds; default: never. */
  readonly statementTimeoutMs?: number;
  /** Who runs it, for the ledger. */
  readonly appliedBy: string;
}
