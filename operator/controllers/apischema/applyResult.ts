import type { ApiSchemaStatus, Change } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { Drift } from '../../database/driftSentences.ts';
import type { StoredTextFinding } from '../../database/rewriteStoredText.ts';
import type { StatementFailure } from '../../database/runStatements.ts';
import type { LintResult } from '../../lint/source.ts';
import type { LedgerSummary } from './ledgerSummary.ts';

/** Why a run cannot go on before a person changes something. */
export type BlockedReason =
  | 'LedgerNewer'
  | 'SchemaClaimed'
  | 'BaselineRefused'
  | 'MigrationChanged'
  | 'MigrationMissing'
  | 'MigrationOrderChanged'
  | 'MigrationFailed'
  | 'MigrationNeedsIdempotent'
  | 'LintFailed'
  | 'RoleRefused'
  | 'SecretNameTaken'
  | 'ApiBuildFailed'
  | 'ApiSqlRefused'
  | 'TestsFailed'
  | 'BreakingChange'
  | 'DriftDetected';

/** What a run found out on its way; absent is what it did not look at. */
export interface Findings {
  /** What the lint says of SQL that had not run yet. */
  readonly lint?: LintResult;
  /** What somebody else has changed. */
  readonly drift?: readonly Drift[];
  /** How the tests of the build ended. */
  readonly tests?: NonNullable<ApiSchemaStatus['tests']>;
  /** What the build changes for clients. */
  readonly changes?: readonly Change[];
}

/** How a run ended. */
export type ApplyResult =
  | (Findings & {
      readonly kind: 'applied';
      readonly summary: LedgerSummary;
      /** Names in stored text that were left as they are; empty when nothing was built. */
      readonly unmapped: readonly StoredTextFinding[];
    })
  /** Nothing was run: the Job of `spec.beforeMigration` has to succeed first. */
  | (Findings & {
      readonly kind: 'needsJob';
      readonly summary: LedgerSummary;
      readonly pending: PendingSet;
    })
  | (Findings & {
      readonly kind: 'blocked';
      readonly reason: BlockedReason;
      readonly message: string;
      /** What went wrong where; absent when nothing of the SQL was looked at. */
      readonly error?: StatementFailure & { readonly migration?: string };
      /** Absent when the ledger is not ours to read. */
      readonly summary?: LedgerSummary;
      /** Id of the build that waits for approval. */
      readonly release?: string;
    });

/** What a Job is made for. */
export interface PendingSet {
  /** Hash of names and SQL, hex. */
  readonly hash: string;
  readonly names: readonly string[];
}

/** A run that cannot go on. */
export type Blocked = Extract<ApplyResult, { kind: 'blocked' }>;
