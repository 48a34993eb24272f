import { unwrap } from './parseTree.ts';
import type { RunnableStatement } from './runnable.ts';
import { isSplitProblem, splitSql, type SplitProblem, type SqlStatement } from './statements.ts';

/** pgTAP tests as a build runs them, or why they cannot be run. */
export type ReadTests =
  | { readonly kind: 'statements'; readonly statements: readonly RunnableStatement[] }
  | { readonly kind: 'problem'; readonly failure: SplitProblem & { readonly sqlstate?: string } };

const block = 'pgrst_test_block';

/**
 * Reads tests that were written for psql or pg_prove. They run inside the transaction of the build, so BEGIN becomes a
 * savepoint, ROLLBACK goes back to it and COMMIT lets go of it: several files in one text do not see each other. psql's
 * own `\set`, `\unset`, `\pset` and `\timing`, with which many pgTAP files begin, mean nothing here and are left out.
 * Needs `loadSqlParser`.
 */
export function testStatements(sql: string): ReadTests {
  const statements = splitSql(sql.replace(/^\\(?:set|unset|pset|timing)\b.*$/gm, ''));
  if (isSplitProblem(statements)) return { kind: 'problem', failure: { ...statements, sqlstate: '42601' } };
  const runnable: RunnableStatement[] = [];
  let isOpen = false;
  for (const { number, line, text, node } of statements) {
    const control = controlOf(node);
    if (control === 'twoPhase')
      return {
        kind: 'problem',
        failure: {
          statement: number,
          line,
          message:
            'Tests run inside the transaction of the build, which must not be prepared for a later commit',
        },
      };
    // PostgreSQL, too, only warns of a BEGIN in a transaction and of a COMMIT or ROLLBACK outside of one.
    const isIdle = control === 'begin' ? isOpen : control !== undefined && !isOpen;
    if (isIdle) continue;
    if (control !== undefined) isOpen = control === 'begin';
    runnable.push({ number, line, text: control === undefined ? text : controlText[control] });
  }
  return { kind: 'statements', statements: runnable };
}

type Control = 'begin' | 'commit' | 'rollback';

const controlText: Readonly<Record<Control, string>> = {
  begin: `savepoint ${block}`,
  commit: `release savepoint ${block}`,
  rollback: `rollback to savepoint ${block}`,
};

function controlOf(node: SqlStatement['node']): Control | 'twoPhase' | undefined {
  const { type, body } = unwrap(node);
  if (type !== 'TransactionStmt') return undefined;
  switch (body['kind']) {
    case 'TRANS_STMT_BEGIN':
    case 'TRANS_STMT_START':
      return 'begin';
    case 'TRANS_STMT_COMMIT':
      return 'commit';
    case 'TRANS_STMT_ROLLBACK':
      return 'rollback';
    case 'TRANS_STMT_PREPARE':
    case 'TRANS_STMT_COMMIT_PREPARED':
    case 'TRANS_STMT_ROLLBACK_PREPARED':
      return 'twoPhase';
    default:
      return undefined;
  }
}
