import { transactionControl } from './classify.ts';
import { isNode, nodes, unwrap } from './parseTree.ts';
import type { SqlStatement } from './statements.ts';

/** A statement that has no place in API SQL. */
export interface ApiSqlProblem {
  /** Counted from 1. */
  readonly statement: number;
  readonly line: number;
  /** What is wrong and where it belongs instead. */
  readonly message: string;
}

const migration = 'Move it into a migration.';

/**
 * The first statement that API SQL must not hold: what keeps state, what touches data tables or roles, and what is
 * unknown. The API is rebuilt for each release beside the one that is served: whatever is not part of its own schema
 * would change that one too. What the parse tree cannot tell is found in the catalogs after the build.
 */
export function apiSqlProblem(
  statements: readonly SqlStatement[],
  schema: string,
): ApiSqlProblem | undefined {
  for (const statement of statements) {
    const message = transactionControl(statement) ?? problemOf(statement, schema);
    if (message !== undefined) return { statement: statement.number, line: statement.line, message };
  }
  return undefined;
}

function problemOf(statement: SqlStatement, schema: string): string | undefined {
  const { type, body } = unwrap(statement.node);
  if (allowed.has(type)) return undefined;
  switch (type) {
    case 'CreateSchemaStmt':
      if (body['if_not_exists'] === true && body['schemaname'] === schema) return undefined;
      return `The operator creates the schema ${schema} for each build: remove CREATE SCHEMA, or write CREATE SCHEMA IF NOT EXISTS ${schema}.`;
    case 'DropStmt':
      return dropProblem(body, schema);
    case 'SelectStmt':
      return selectProblem(body);
    case 'AlterTableStmt':
      return body['objtype'] === 'OBJECT_VIEW' || body['objtype'] === 'OBJECT_TYPE'
        ? undefined
        : `ALTER TABLE changes data structures. ${migration}`;
    case 'AlterDomainStmt':
      return ownProblem(body['typeName'], schema);
    case 'AlterTSConfigurationStmt':
      return ownProblem(body['cfgname'], schema);
    case 'AlterTSDictionaryStmt':
      return ownProblem(body['dictname'], schema);
    case 'RenameStmt':
      return renameProblem(body, schema);
    case 'CommentStmt':
      return ofTheServer.has(String(body['objtype']))
        ? `${commandOn('COMMENT', body['objtype'])}. ${migration}`
        : undefined;
    case 'GrantStmt':
      return ofTheServer.has(String(body['objtype']))
        ? `${commandOn('GRANT', body['objtype'])}. ${migration}`
        : undefined;
    case 'AlterObjectSchemaStmt':
      return `SET SCHEMA takes an object from another schema, which the release that is served now may need. ${migration}`;
    case 'CreateTrigStmt':
      return body['timing'] === insteadOf
        ? undefined
        : `Only INSTEAD OF triggers on the API's own views belong in API SQL; a trigger on a table works on every release. ${migration}`;
    default:
      return `${refused[type] ?? `This kind of statement (${type}) does not build an API`}. ${migration}`;
  }
}

/** TRIGGER_TYPE_INSTEAD of src/include/catalog/pg_trigger.h. */
const insteadOf = 64;

const allowed = new Set([
  'AlterDefaultPrivilegesStmt',
  'AlterEnumStmt',
  'AlterFunctionStmt',
  'AlterObjectDependsStmt',
  'AlterOperatorStmt',
  'AlterOwnerStmt',
  'CompositeTypeStmt',
  'CreateCastStmt',
  'CreateDomainStmt',
  'CreateEnumStmt',
  'CreateFunctionStmt',
  'CreateRangeStmt',
  'DefineStmt',
  'NotifyStmt',
  'RuleStmt',
  'SecLabelStmt',
  'VariableSetStmt',
  'VariableShowStmt',
  'ViewStmt',
]);

/** Kinds of objects that no schema holds. */
const ofTheServer = new Set([
  'OBJECT_DATABASE',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_EXTENSION',
  'OBJECT_FDW',
  'OBJECT_FOREIGN_SERVER',
  'OBJECT_LANGUAGE',
  'OBJECT_LARGEOBJECT',
  'OBJECT_PARAMETER_ACL',
  'OBJECT_PUBLICATION',
  'OBJECT_ROLE',
  'OBJECT_SUBSCRIPTION',
  'OBJECT_TABLESPACE',
]);

function commandOn(command: string, objtype: unknown): string {
  const kind = String(objtype)
    .replace(/^OBJECT_/, '')
    .replaceAll('_', ' ');
  return `${command} ON ${kind} changes what belongs to the whole database or server`;
}

function renameProblem(body: Readonly<Record<string, unknown>>, schema: string): string | undefined {
  switch (body['renameType']) {
    case 'OBJECT_SCHEMA':
      return `The operator names the schema ${schema} after its release: remove ALTER SCHEMA ... RENAME.`;
    case 'OBJECT_ROLE':
      return `Roles belong to the whole server. ${migration}`;
    case 'OBJECT_TABLE':
    case 'OBJECT_INDEX':
    case 'OBJECT_SEQUENCE':
    case 'OBJECT_MATVIEW':
    case 'OBJECT_FOREIGN_TABLE':
      return `ALTER TABLE changes data structures. ${migration}`;
    default:
      return ofTheServer.has(String(body['renameType']))
        ? `${commandOn('RENAME', body['renameType'])}. ${migration}`
        : undefined;
  }
}

const refused: Readonly<Record<string, string>> = {
  CreateStmt: 'A table holds state, and the API is rebuilt for every release',
  CreateForeignTableStmt: 'A foreign table holds state, and the API is rebuilt for every release',
  CreateSeqStmt: 'A sequence holds state, and the API is rebuilt for every release',
  AlterSeqStmt: 'A sequence holds state, and the API is rebuilt for every release',
  CreateTableAsStmt: 'A table or a materialized view holds state, and the API is rebuilt for every release',
  RefreshMatViewStmt: 'A materialized view holds state, and the API is rebuilt for every release',
  IndexStmt: 'An index belongs to a table, and building it locks that table',
  CreatePolicyStmt: 'A policy belongs to a table and changes what the release that is served now may show',
  AlterPolicyStmt: 'A policy belongs to a table and changes what the release that is served now may show',
  InsertStmt: 'INSERT changes data, and would do so again with every release',
  UpdateStmt: 'UPDATE changes data, and would do so again with every release',
  DeleteStmt: 'DELETE changes data, and would do so again with every release',
  MergeStmt: 'MERGE changes data, and would do so again with every release',
  TruncateStmt: 'TRUNCATE removes data, and would do so again with every release',
  CopyStmt: 'COPY moves data, and would do so again with every release',
  LockStmt: 'LOCK stops those who use the table',
  CreateRoleStmt: 'Roles belong to the whole server',
  AlterRoleStmt: 'Roles belong to the whole server',
  AlterRoleSetStmt: 'Roles belong to the whole server',
  DropRoleStmt: 'Roles belong to the whole server',
  GrantRoleStmt: 'Membership in roles belongs to the whole server',
  CreateExtensionStmt: 'An extension belongs to the whole database',
  DoStmt: 'What a DO block does cannot be judged beforehand, and a fresh schema needs no IF NOT EXISTS',
  CallStmt: 'What a procedure does cannot be judged beforehand',
};

function dropProblem(body: Readonly<Record<string, unknown>>, schema: string): string | undefined {
  if (body['removeType'] === 'OBJECT_SCHEMA')
    return `The operator creates the schema ${schema} for each build, and keeps the older releases as long as they are needed: remove DROP SCHEMA.`;
  if (!droppable.has(String(body['removeType'])))
    return `DROP of something other than the API's own views, functions and types has no place in API SQL. ${migration}`;
  const foreign = nodes(body['objects'])
    .map(namesOf)
    .find((names) => names[0] !== schema || names.length < 2);
  return foreign === undefined ? undefined : notOurs(foreign, schema);
}

const droppable = new Set([
  'OBJECT_AGGREGATE',
  'OBJECT_COLLATION',
  'OBJECT_DOMAIN',
  'OBJECT_FUNCTION',
  'OBJECT_OPERATOR',
  'OBJECT_PROCEDURE',
  'OBJECT_ROUTINE',
  'OBJECT_RULE',
  'OBJECT_TRIGGER',
  'OBJECT_TSCONFIGURATION',
  'OBJECT_TSDICTIONARY',
  'OBJECT_TYPE',
  'OBJECT_VIEW',
]);

// What is dropped leaves no trace in the catalogs that could be found after the build.
function notOurs(names: readonly string[], schema: string): string {
  return `${names.join('.')} is not named as ${schema}.<name>: what lies outside of schema ${schema} may be needed by the release that is served now. Name it so, or, when it lies outside, move the statement into a migration.`;
}

/** The parts of a name, in whatever shape the tree has it. */
function namesOf(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(namesOf);
  if (!isNode(node)) return [];
  const { type, body } = unwrap(node);
  switch (type) {
    case 'String':
      return [String(body['sval'])];
    case 'List':
      return namesOf(body['items']);
    case 'ObjectWithArgs':
      return namesOf(body['objname']);
    case 'TypeName':
      return namesOf(body['names']);
    default:
      return [];
  }
}

function ownProblem(name: unknown, schema: string): string | undefined {
  const names = namesOf(name);
  return names[0] === schema && names.length > 1 ? undefined : notOurs(names, schema);
}

function selectProblem(body: Readonly<Record<string, unknown>>): string | undefined {
  if (body['intoClause'] !== undefined) return `SELECT INTO creates a table. ${migration}`;
  const withClause = body['withClause'] as { ctes?: unknown } | undefined;
  const writes = nodes(withClause?.ctes).some((cte) => {
    const query = unwrap(cte).body['ctequery'];
    return isNode(query) && unwrap(query).type !== 'SelectStmt';
  });
  return writes
    ? `The statement changes data, and would do so again with every release. ${migration}`
    : undefined;
}
