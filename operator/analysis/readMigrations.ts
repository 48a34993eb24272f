import { isStatementProblem, runnableStatements } from '../migration/classify.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import { isSplitProblem, splitInBatches } from '../migration/statements.ts';
import { maxMigrationSqlBytes, textProblem, withoutBom } from '../migration/textProblem.ts';
import type { ReadFailure } from './failure.ts';

/** A migration to be read. */
export interface MigrationText {
  readonly name: string;
  readonly sql: string;
  /** Its author says that what ran alone and was interrupted may be done again. */
  readonly idempotent: boolean;
}

/** A migration as the runner needs it, or why it cannot run. */
export type ReadMigration =
  | { readonly kind: 'statements'; readonly statements: readonly RunnableStatement[] }
  | {
      readonly kind: 'problem';
      readonly reason: 'MigrationFailed' | 'MigrationNeedsIdempotent';
      readonly failure: ReadFailure;
    };

/**
 * Reads the migrations, each for itself: the result has one entry for each, in their order. The first thing wrong in a
 * migration, from its top, is its problem.
 */
export function readMigrations(migrations: readonly MigrationText[]): readonly ReadMigration[] {
  return migrations.map(readMigration);
}

function readMigration(migration: MigrationText): ReadMigration {
  const wrong = textProblem(migration.sql, maxMigrationSqlBytes);
  if (wrong !== undefined) return { kind: 'problem', reason: 'MigrationFailed', failure: wrong };
  const runnable: RunnableStatement[] = [];
  for (const batch of splitInBatches(withoutBom(migration.sql))) {
    if (isSplitProblem(batch))
      return { kind: 'problem', reason: 'MigrationFailed', failure: { ...batch, sqlstate: '42601' } };
    const read = runnableStatements(batch, migration);
    if (isStatementProblem(read)) {
      const { reason, ...failure } = read;
      return { kind: 'problem', reason, failure };
    }
    runnable.push(...read);
  }
  return { kind: 'statements', statements: runnable };
}
