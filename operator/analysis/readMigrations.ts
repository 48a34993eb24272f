import { migrationProblem } from '../migration/classify.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import { isSplitProblem, splitSql } from '../migration/statements.ts';
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

/** Reads the migrations, each for itself: the result has one entry for each, in their order. */
export function readMigrations(migrations: readonly MigrationText[]): readonly ReadMigration[] {
  return migrations.map(readMigration);
}

function readMigration({ sql }: MigrationText): ReadMigration {
  const statements = splitSql(sql);
  if (isSplitProblem(statements))
    return { kind: 'problem', reason: 'MigrationFailed', failure: { ...statements, sqlstate: '42601' } };
  const runnable: RunnableStatement[] = [];
  for (const statement of statements) {
    const { number, line, text } = statement;
    const problem = migrationProblem(statement);
    if (problem !== undefined)
      return {
        kind: 'problem',
        reason: 'MigrationFailed',
        failure: { statement: number, line, message: problem.message },
      };
    runnable.push({ number, line, text });
  }
  return { kind: 'statements', statements: runnable };
}
