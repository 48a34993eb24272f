import type { ParseNode } from './parser.ts';
import { isNode, nodes, unwrap, type Body } from './parseTree.ts';
import type { Solo, SqlName } from './runnable.ts';
import type { SqlStatement } from './statements.ts';

/** Why a statement cannot run alone: what is wrong with it, or that its author must say that it may be repeated. */
export type SoloProblem =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'needsIdempotent'; readonly command: string };

/**
 * How a statement runs alone, when PostgreSQL refuses it in a transaction block (its callers of
 * PreventInTransactionBlock), or when what it does can be used only after COMMIT; undefined for all others.
 */
export function soloOf(statement: SqlStatement, isIdempotent: boolean): Solo | SoloProblem | undefined {
  const { type, body } = unwrap(statement.node);
  switch (type) {
    case 'IndexStmt':
      return body['concurrent'] === true ? createIndex(body) : undefined;
    case 'DropStmt':
      return body['concurrent'] === true
        ? { kind: 'dropIndex', indexes: nodes(body['objects']).map(nameOfList) }
        : undefined;
    case 'AlterEnumStmt':
      return body['oldVal'] === undefined
        ? { kind: 'addEnumValue', type: nameOf(nodes(body['typeName'])), value: String(body['newVal']) }
        : undefined;
    case 'AlterTableStmt':
      return detachPartition(body);
    case 'ReindexStmt':
      return reindex(body);
    case 'VacuumStmt':
      return body['is_vacuumcmd'] === true ? { kind: 'repeatable', command: 'VACUUM' } : undefined;
    case 'ClusterStmt':
      return body['relation'] === undefined ? { kind: 'repeatable', command: 'CLUSTER' } : undefined;
    case 'AlterSystemStmt':
      return { kind: 'repeatable', command: 'ALTER SYSTEM' };
    case 'CallStmt':
    case 'DoStmt':
      // Inside a transaction unless its author says that it may run twice: only then may it COMMIT.
      return isIdempotent ? { kind: 'idempotent', command: type === 'DoStmt' ? 'DO' : 'CALL' } : undefined;
    default: {
      const command = onceOnly(type, body);
      if (command === undefined) return undefined;
      return { kind: isIdempotent ? 'idempotent' : 'needsIdempotent', command };
    }
  }
}

/** The command, when it can neither run in a transaction nor be told afterwards whether it has run. */
function onceOnly(type: string, body: Body): string | undefined {
  switch (type) {
    case 'CreatedbStmt':
      return 'CREATE DATABASE';
    case 'DropdbStmt':
      return 'DROP DATABASE';
    case 'CreateTableSpaceStmt':
      return 'CREATE TABLESPACE';
    case 'DropTableSpaceStmt':
      return 'DROP TABLESPACE';
    case 'AlterDatabaseStmt':
      return option(body['options'], 'tablespace') === undefined
        ? undefined
        : 'ALTER DATABASE SET TABLESPACE';
    case 'CreateSubscriptionStmt':
      return isOff(body['options'], 'connect') || isOff(body['options'], 'create_slot')
        ? undefined
        : 'CREATE SUBSCRIPTION';
    case 'AlterSubscriptionStmt':
      return refreshes(body) ? 'ALTER SUBSCRIPTION with a refresh' : undefined;
    case 'DropSubscriptionStmt':
      return 'DROP SUBSCRIPTION';
    default:
      return undefined;
  }
}

function createIndex(body: Body): Solo | SoloProblem {
  const index = body['idxname'];
  if (typeof index !== 'string')
    return {
      kind: 'refused',
      message:
        'CREATE INDEX CONCURRENTLY needs a name here, so that an interrupted build can be found and finished: write CREATE INDEX CONCURRENTLY <name> ON ...',
    };
  return { kind: 'createIndex', index, table: nameOfRelation(body['relation']) };
}

function detachPartition(body: Body): Solo | undefined {
  for (const command of nodes(body['cmds'])) {
    const def = unwrap(command).body['def'];
    const partition = isNode(def) ? unwrap(def).body : {};
    if (partition['concurrent'] === true)
      return {
        kind: 'detachPartition',
        table: nameOfRelation(body['relation']),
        partition: nameOfRelation(partition['name']),
      };
  }
  return undefined;
}

const wholeReindexes: Readonly<Record<string, string>> = {
  REINDEX_OBJECT_SCHEMA: 'REINDEX SCHEMA',
  REINDEX_OBJECT_SYSTEM: 'REINDEX SYSTEM',
  REINDEX_OBJECT_DATABASE: 'REINDEX DATABASE',
};

function reindex(body: Body): Solo | undefined {
  const isConcurrent =
    option(body['params'], 'concurrently') !== undefined && !isOff(body['params'], 'concurrently');
  const whole = wholeReindexes[String(body['kind'])];
  if (whole === undefined && !isConcurrent) return undefined;
  return {
    kind: 'reindex',
    command: `${whole ?? 'REINDEX'}${isConcurrent ? ' CONCURRENTLY' : ''}`,
    isConcurrent,
  };
}

function refreshes(body: Body): boolean {
  const kind = String(body['kind']);
  if (kind === 'ALTER_SUBSCRIPTION_REFRESH') return true;
  return kind.endsWith('_PUBLICATION') && !isOff(body['options'], 'refresh');
}

function option(options: unknown, name: string): Body | undefined {
  return nodes(options)
    .map((each) => unwrap(each))
    .find(({ type, body }) => type === 'DefElem' && body['defname'] === name)?.body;
}

// As defGetBoolean of the server: no value means true. A word that is no keyword is parsed as the name of a type.
function isOff(options: unknown, name: string): boolean {
  const arg = option(options, name)?.['arg'];
  if (!isNode(arg)) return false;
  const { type, body } = unwrap(arg);
  if (type === 'Integer') return body['ival'] !== 1;
  const word = type === 'TypeName' ? nameOf(nodes(body['names'])).name : String(body['sval']);
  return ['false', 'off'].includes(word.toLowerCase());
}

function nameOfRelation(relation: unknown): SqlName {
  const { schemaname, relname } = relation as { schemaname?: string; relname: string };
  return schemaname === undefined ? { name: relname } : { schema: schemaname, name: relname };
}

function nameOfList(list: ParseNode): SqlName {
  return nameOf(nodes(unwrap(list).body['items']));
}

function nameOf(parts: readonly ParseNode[]): SqlName {
  const [schema, name] = parts.slice(-2).map((part) => String(unwrap(part).body['sval']));
  if (schema === undefined) throw new Error('a name without parts');
  return name === undefined ? { name: schema } : { schema, name };
}
