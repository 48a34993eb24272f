import { apiSqlProblem } from '../migration/apiSql.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import { isSplitProblem, splitSql } from '../migration/statements.ts';
import type { ReadFailure } from './failure.ts';

/** API SQL as a build needs it, or why it cannot be built. */
export type ReadApi =
  | { readonly kind: 'statements'; readonly statements: readonly RunnableStatement[] }
  | {
      readonly kind: 'problem';
      readonly reason: 'ApiBuildFailed' | 'ApiSqlRefused';
      readonly failure: ReadFailure;
    };

/** Reads API SQL that exposes `schema`. */
export function readApi(sql: string, schema: string): ReadApi {
  const statements = splitSql(sql);
  if (isSplitProblem(statements))
    return { kind: 'problem', reason: 'ApiBuildFailed', failure: { ...statements, sqlstate: '42601' } };
  const problem = apiSqlProblem(statements, schema);
  if (problem !== undefined) return { kind: 'problem', reason: 'ApiSqlRefused', failure: problem };
  return {
    kind: 'statements',
    statements: statements.map(({ number, line, text }) => ({ number, line, text })),
  };
}
