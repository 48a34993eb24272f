import { ledgerUse } from './ledgerUse.ts';
import type { ParseNode } from './parser.ts';
import { isNode, nodes, unwrap } from './parseTree.ts';
import type { RunnableStatement } from './runnable.ts';
import { soloOf } from './solo.ts';
import type { SqlStatement } from './statements.ts';

/** Why a statement cannot be part of a migration, and which one. */
export interface StatementProblem {
  readonly reason: 'MigrationFailed' | 'MigrationNeedsIdempotent';
  readonly message: string;
  /** Counted from 1. */
  readonly statement: number;
  /** Its first line in the whole text, counted from 1. */
  readonly line: number;
}

/** Why the statement must not be in SQL that we run inside our own transaction: it would end or begin one. */
export function transactionControl(statement: SqlStatement): string | undefined {
  const { type, body } = unwrap(statement.node);
  if (type === 'TransactionStmt')
    return 'BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their like are not allowed here: the operator runs the SQL in one transaction together with its ledger row. Remove the statement.';
  if (type === 'CopyStmt' && body['is_from'] === true && body['filename'] === undefined)
    return 'COPY ... FROM STDIN needs a client that sends the data: write the rows as INSERT.';
  return undefined;
}

/**
 * The statements of a migration as the runner takes them, or the first one that a migration cannot hold. `idempotent` is
 * what the author says of the migration: each statement of it may run twice.
 */
export function runnableStatements(
  statements: readonly SqlStatement[],
  options: { readonly idempotent: boolean },
): readonly RunnableStatement[] | StatementProblem {
  const runnable: RunnableStatement[] = [];
  for (const statement of statements) {
    const { number, line, text } = statement;
    const refuse = (reason: StatementProblem['reason'], message: string): StatementProblem => ({
      reason,
      message,
      statement: number,
      line,
    });
    const control = transactionControl(statement);
    if (control !== undefined) return refuse('MigrationFailed', control);
    const ledger = ledgerUse(statement);
    if (ledger !== undefined) return refuse('MigrationFailed', ledger);
    const solo = soloOf(statement, options.idempotent);
    if (solo?.kind === 'refused') return refuse('MigrationFailed', solo.message);
    if (solo?.kind === 'needsIdempotent')
      return refuse('MigrationNeedsIdempotent', needsIdempotent(solo.command));
    runnable.push({
      number,
      line,
      text,
      ...(solo === undefined ? {} : { solo }),
      ...(isSetting(statement) ? { isSetting: true } : {}),
      ...(keepsSession(statement) ? { keepsSession: true } : {}),
    });
  }
  return runnable;
}

/** Whether `runnableStatements` ended in a problem. */
export function isStatementProblem(
  result: readonly RunnableStatement[] | StatementProblem,
): result is StatementProblem {
  return !Array.isArray(result);
}

function needsIdempotent(command: string): string {
  return `${command} runs outside of a transaction, and nothing tells afterwards whether an interrupted one has run. When each statement of this migration may run twice, set idempotent: true on it; otherwise take the statement out and run it by hand.`;
}

const definitions = new Set([
  'AlterEnumStmt',
  'AlterOwnerStmt',
  'AlterTableStmt',
  'CommentStmt',
  'CompositeTypeStmt',
  'CreateEnumStmt',
  'CreateFunctionStmt',
  'CreateSchemaStmt',
  'CreateStmt',
  'DropStmt',
  'GrantStmt',
  'IndexStmt',
  'RenameStmt',
  'ViewStmt',
]);

/**
 * A definition that evaluates nothing: no function, operator or cast of the user's runs, which could change the session,
 * and it is not temporary. (An event trigger may still do so: the session is put right at the end of the run.)
 */
function keepsSession({ node }: SqlStatement): boolean {
  if (!definitions.has(unwrap(node).type)) return false;
  return !/"(?:FuncCall|A_Expr|SubLink|TypeCast|SelectStmt)":|"relpersistence":"t"/.test(
    JSON.stringify(node),
  );
}

/** SET and RESET that outlast their transaction, and a SELECT of nothing but set_config. */
function isSetting(statement: SqlStatement): boolean {
  const { type, body } = unwrap(statement.node);
  if (type === 'VariableSetStmt') return body['is_local'] !== true && body['name'] !== 'TRANSACTION';
  if (type !== 'SelectStmt' || body['fromClause'] !== undefined || body['withClause'] !== undefined)
    return false;
  const targets = nodes(body['targetList']);
  return targets.length > 0 && targets.every(isSetConfig);
}

function isSetConfig(target: ParseNode): boolean {
  const value = unwrap(target).body['val'];
  const { type, body } = isNode(value) ? unwrap(value) : { type: '', body: {} };
  if (type !== 'FuncCall') return false;
  const name = nodes(body['funcname']).at(-1);
  return (
    name !== undefined &&
    unwrap(name).body['sval'] === 'set_config' &&
    nodes(body['args']).every((arg) => unwrap(arg).type === 'A_Const')
  );
}
