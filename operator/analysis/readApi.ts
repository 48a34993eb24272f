import { apiSqlProblem } from '../migration/apiSql.ts';
import type { RunnableStatement } from '../migration/runnable.ts';
import { isSplitProblem, splitInBatches } from '../migration/statements.ts';
import { maxApiSqlBytes, textProblem, withoutBom } from '../migration/textProblem.ts';
import type { ReadFailure } from './failure.ts';

/** API SQL as a build needs it, or why it cannot be built. */
export type ReadApi =
  | { readonly kind: 'statements'; readonly statements: readonly RunnableStatement[] }
  | {
      readonly kind: 'problem';
      readonly reason: 'ApiBuildFailed' | 'ApiSqlRefused';
      readonly failure: ReadFailure;
    };

/** Reads API SQL that exposes `schema`. The first thing wrong in it, from its top, is the problem. */
export function readApi(sql: string, schema: string): ReadApi {
  const wrong = textProblem(sql, maxApiSqlBytes);
  if (wrong !== undefined) return { kind: 'problem', reason: 'ApiBuildFailed', failure: wrong };
  const runnable: RunnableStatement[] = [];
  for (const batch of splitInBatches(withoutBom(sql))) {
    if (isSplitProblem(batch))
      return { kind: 'problem', reason: 'ApiBuildFailed', failure: { ...batch, sqlstate: '42601' } };
    const problem = apiSqlProblem(batch, schema);
    if (problem !== undefined) return { kind: 'problem', reason: 'ApiSqlRefused', failure: problem };
    runnable.push(...batch.map(({ number, line, text }) => ({ number, line, text })));
  }
  return { kind: 'statements', statements: runnable };
}
