import type { ParseNode } from './parser.ts';
import type { SqlStatement } from './statements.ts';

/** Why a statement cannot be part of a migration. */
export interface StatementProblem {
  readonly reason: 'MigrationFailed' | 'MigrationNeedsNoTransaction';
  readonly message: string;
}

type Body = Readonly<Record<string, unknown>>;

/** Type and content of a parse node. */
export function unwrap(node: ParseNode): { readonly type: string; readonly body: Body } {
  const [type, body] = Object.entries(node)[0] ?? ['', {}];
  return { type, body };
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

/** What keeps a statement out of a migration, if anything does. */
export function migrationProblem(statement: SqlStatement): StatementProblem | undefined {
  const control = transactionControl(statement);
  if (control !== undefined) return { reason: 'MigrationFailed', message: control };
  const command = noTransactionCommand(statement);
  return command === undefined
    ? undefined
    : {
        reason: 'MigrationNeedsNoTransaction',
        message: `${command} cannot run inside a transaction, and a migration is one: take the statement out of the migration (an index can be built without CONCURRENTLY, which locks the table against writes meanwhile) or run it by hand.`,
      };
}

/** The command, when PostgreSQL refuses it inside a transaction block (its PreventInTransactionBlock callers). */
export function noTransactionCommand(statement: SqlStatement): string | undefined {
  const { type, body } = unwrap(statement.node);
  switch (type) {
    case 'IndexStmt':
      return body['concurrent'] === true ? 'CREATE INDEX CONCURRENTLY' : undefined;
    case 'DropStmt':
      return body['concurrent'] === true ? 'DROP INDEX CONCURRENTLY' : undefined;
    case 'ReindexStmt':
      return reindexCommand(body);
    case 'VacuumStmt':
      return body['is_vacuumcmd'] === true ? 'VACUUM' : undefined;
    case 'ClusterStmt':
      return body['relation'] === undefined ? 'CLUSTER without a table' : undefined;
    case 'AlterTableStmt':
      return detachesConcurrently(body) ? 'DETACH PARTITION CONCURRENTLY' : undefined;
    case 'AlterDatabaseStmt':
      return hasOption(body['options'], 'tablespace') ? 'ALTER DATABASE SET TABLESPACE' : undefined;
    case 'CreateSubscriptionStmt':
      return hasOption(body['options'], 'connect') || hasOption(body['options'], 'create_slot')
        ? undefined
        : 'CREATE SUBSCRIPTION';
    default:
      return alwaysAlone[type];
  }
}

const alwaysAlone: Readonly<Record<string, string>> = {
  CreatedbStmt: 'CREATE DATABASE',
  DropdbStmt: 'DROP DATABASE',
  CreateTableSpaceStmt: 'CREATE TABLESPACE',
  DropTableSpaceStmt: 'DROP TABLESPACE',
  AlterSystemStmt: 'ALTER SYSTEM',
  DropSubscriptionStmt: 'DROP SUBSCRIPTION',
};

function reindexCommand(body: Body): string | undefined {
  const kind = body['kind'];
  if (kind === 'REINDEX_OBJECT_SCHEMA') return 'REINDEX SCHEMA';
  if (kind === 'REINDEX_OBJECT_SYSTEM') return 'REINDEX SYSTEM';
  if (kind === 'REINDEX_OBJECT_DATABASE') return 'REINDEX DATABASE';
  return hasOption(body['params'], 'concurrently') ? 'REINDEX CONCURRENTLY' : undefined;
}

function hasOption(options: unknown, name: string): boolean {
  return nodes(options).some((option) => {
    const { type, body } = unwrap(option);
    return type === 'DefElem' && body['defname'] === name;
  });
}

function detachesConcurrently(body: Body): boolean {
  return nodes(body['cmds']).some((command) => {
    const def = unwrap(command).body['def'];
    return isNode(def) && unwrap(def).body['concurrent'] === true;
  });
}

/** The value as a list of parse nodes; none when it is no list. */
export function nodes(value: unknown): readonly ParseNode[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Whether the value is a parse node. */
export function isNode(value: unknown): value is ParseNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
