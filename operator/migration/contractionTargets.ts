import type { ParseNode } from './parser.ts';
import { isNode, nodes, unwrap, type Body } from './parseTree.ts';
import type { SqlName } from './runnable.ts';
import { isSplitProblem, splitSql, type SplitProblem, type SqlStatement } from './statements.ts';

/** What becomes of a target. */
export type TargetChange =
  /** It goes. */
  | 'dropped'
  /** It gets another name or schema: what the catalogs hold by oid follows, what is kept as text does not. */
  | 'renamed'
  /** It stays and answers otherwise: another type, a trigger or a policy less, a constraint gone. */
  | 'changed'
  /** It stays and takes less: NOT NULL, a constraint more, a default less. */
  | 'tightened'
  /** It stays and some role may do less with it. */
  | 'revoked';

/** One thing that a contraction takes away or changes. */
export interface ContractionTarget extends SqlName {
  /** `relation` is anything in pg_class (an index too), `routine` a function, procedure or aggregate. */
  readonly kind: 'relation' | 'routine' | 'type' | 'schema' | 'extension';
  /** Set when it is one column of the relation, or one attribute of the composite type. */
  readonly column?: string;
  /** Argument types of a routine as the statement has them; absent when it names none. */
  readonly arguments?: readonly string[];
  readonly change: TargetChange;
}

/** What a contraction does, as far as its text tells. */
export interface ContractionReading {
  readonly targets: readonly ContractionTarget[];
  /** Statements whose effect the text does not tell: DO, CALL, SELECT of a function, ... */
  readonly opaque: readonly { readonly statement: number; readonly line: number; readonly command: string }[];
}

/** What the SQL of a contraction removes, renames or narrows. Pure; needs `loadSqlParser`. */
export function contractionTargets(sql: string): ContractionReading | SplitProblem {
  const statements = splitSql(sql);
  if (isSplitProblem(statements)) return statements;
  const read = statements.map((statement) => ({ statement, effect: effectOf(statement) }));
  return {
    targets: read.flatMap(({ effect }) => (typeof effect === 'string' ? [] : effect)),
    opaque: read.flatMap(({ statement: { number, line }, effect }) =>
      typeof effect === 'string' ? [{ statement: number, line, command: effect }] : [],
    ),
  };
}

type Targets = readonly ContractionTarget[];

/** The targets, or the command when the statement may do anything. */
function effectOf({ node }: SqlStatement): Targets | string {
  const { type, body } = unwrap(node);
  switch (type) {
    case 'DropStmt':
      return dropEffect(body);
    case 'RenameStmt':
      return renameEffect(body);
    case 'AlterObjectSchemaStmt':
      return objectTargets(text(body['objectType']), [body['object'] ?? body['relation']], 'renamed');
    case 'AlterTableStmt':
      return nodes(body['cmds']).flatMap((command) => tableCommandTargets(relationOf(body), command));
    case 'AlterDomainStmt':
      return domainTargets(body);
    case 'AlterEnumStmt':
      return body['oldVal'] === undefined ? [] : named('type', nameOf(body['typeName']), 'changed');
    case 'GrantStmt':
      return body['is_grant'] === true ? [] : revokeTargets(body);
    case 'IndexStmt':
      return body['unique'] === true ? named('relation', relationOf(body), 'tightened') : [];
    case 'AlterPolicyStmt':
    case 'CreatePolicyStmt':
      return named('relation', rangeVar(body['table']), 'changed');
    case 'SelectStmt':
      return callsFunction(body) ? 'SELECT of a function' : [];
    case 'VariableSetStmt':
      return body['name'] === 'search_path' ? 'SET search_path' : [];
    default:
      return opaqueCommands[type] ?? [];
  }
}

const opaqueCommands: Readonly<Record<string, string>> = {
  DoStmt: 'DO',
  CallStmt: 'CALL',
  ExecuteStmt: 'EXECUTE',
  DropOwnedStmt: 'DROP OWNED',
  DropRoleStmt: 'DROP ROLE',
  GrantRoleStmt: 'GRANT or REVOKE of a role',
  AlterExtensionStmt: 'ALTER EXTENSION',
  AlterExtensionContentsStmt: 'ALTER EXTENSION',
};

function dropEffect(body: Body): Targets | string {
  const kind = text(body['removeType']);
  const objects = Array.isArray(body['objects']) ? body['objects'] : [];
  // DROP TRIGGER and its like name the table first: without it, the table answers otherwise.
  if (kind === 'OBJECT_TRIGGER' || kind === 'OBJECT_POLICY' || kind === 'OBJECT_RULE')
    return objects.flatMap((object) => named('relation', nameOf(namesOf(object).slice(0, -1)), 'changed'));
  if (kind === 'OBJECT_STATISTIC_EXT') return [];
  const targets = objectTargets(kind, objects, 'dropped');
  return targets.length > 0 ? targets : `DROP ${kind.replace('OBJECT_', '').replaceAll('_', ' ')}`;
}

function renameEffect(body: Body): Targets | string {
  const kind = text(body['renameType']);
  const name = text(body['subname']);
  if (kind === 'OBJECT_COLUMN' || kind === 'OBJECT_ATTRIBUTE')
    return columnTargets(relationOf(body), name, 'renamed');
  if (kind === 'OBJECT_SCHEMA') return named('schema', { name }, 'renamed');
  if (harmlessRenames.has(kind)) return [];
  return objectTargets(kind, [body['object'] ?? body['relation']], 'renamed');
}

const harmlessRenames = new Set([
  'OBJECT_TABCONSTRAINT',
  'OBJECT_DOMCONSTRAINT',
  'OBJECT_TRIGGER',
  'OBJECT_POLICY',
  'OBJECT_RULE',
  'OBJECT_INDEX',
  'OBJECT_ROLE',
]);

const relationKinds = new Set([
  'OBJECT_TABLE',
  'OBJECT_VIEW',
  'OBJECT_MATVIEW',
  'OBJECT_FOREIGN_TABLE',
  'OBJECT_SEQUENCE',
  'OBJECT_INDEX',
]);
const routineKinds = new Set(['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE', 'OBJECT_AGGREGATE']);

function objectTargets(kind: string, objects: readonly unknown[], change: TargetChange): Targets {
  return objects.flatMap((object): Targets => {
    if (relationKinds.has(kind))
      return named('relation', rangeVar(object) ?? nameOf(namesOf(object)), change);
    if (routineKinds.has(kind)) return routineTargets(object, change);
    if (kind === 'OBJECT_TYPE' || kind === 'OBJECT_DOMAIN')
      return named('type', nameOf(namesOf(object)), change);
    if (kind === 'OBJECT_SCHEMA') return named('schema', nameOf(namesOf(object)), change);
    if (kind === 'OBJECT_EXTENSION') return named('extension', nameOf(namesOf(object)), change);
    return [];
  });
}

function routineTargets(object: unknown, change: TargetChange): Targets {
  if (!isNode(object)) return [];
  const { body } = unwrap(object);
  const args = body['args_unspecified'] === true ? {} : { arguments: nodes(body['objargs']).map(typeText) };
  return named('routine', nameOf(body['objname']), change).map((target) => ({ ...target, ...args }));
}

/** What ALTER TABLE does besides: storage, statistics, owners and the like are nothing that a client sees. */
const harmlessCommands = new Set([
  'AT_AddColumn',
  'AT_ColumnDefault',
  'AT_DropNotNull',
  'AT_ValidateConstraint',
  'AT_SetStatistics',
  'AT_SetOptions',
  'AT_ResetOptions',
  'AT_SetStorage',
  'AT_SetCompression',
  'AT_ChangeOwner',
  'AT_ClusterOn',
  'AT_DropCluster',
  'AT_SetLogged',
  'AT_SetUnLogged',
  'AT_SetAccessMethod',
  'AT_SetTableSpace',
  'AT_SetRelOptions',
  'AT_ResetRelOptions',
  'AT_ReplicaIdentity',
  'AT_AttachPartition',
  'AT_AddIdentity',
  'AT_DisableRowSecurity',
  'AT_NoForceRowSecurity',
]);

function tableCommandTargets(relation: SqlName | undefined, command: ParseNode): Targets {
  const { body } = unwrap(command);
  const column = text(body['name']);
  switch (body['subtype']) {
    case 'AT_DropColumn':
      return columnTargets(relation, column, 'dropped');
    case 'AT_AlterColumnType':
    case 'AT_SetExpression':
    case 'AT_DropExpression':
      return columnTargets(relation, column, 'changed');
    case 'AT_SetNotNull':
    case 'AT_DropIdentity':
    case 'AT_SetIdentity':
      return columnTargets(relation, column, 'tightened');
    case 'AT_AddConstraint':
    case 'AT_AddIndex':
      return named('relation', relation, 'tightened');
    default:
      if (body['subtype'] === 'AT_ColumnDefault' && body['def'] === undefined)
        return columnTargets(relation, column, 'tightened');
      return harmlessCommands.has(text(body['subtype'])) ? [] : named('relation', relation, 'changed');
  }
}

// One letter each: N, O (drop and set NOT NULL), C, X, V (add, drop and validate a constraint), T (the default).
function domainTargets(body: Body): Targets {
  return body['subtype'] === 'O' || body['subtype'] === 'C'
    ? named('type', nameOf(body['typeName']), 'tightened')
    : [];
}

function revokeTargets(body: Body): Targets {
  if (body['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA')
    return nodes(body['objects']).flatMap((object) => named('schema', nameOf([object]), 'revoked'));
  const kind = text(body['objtype']);
  const targets = objectTargets(
    kind,
    Array.isArray(body['objects']) ? (body['objects'] as unknown[]) : [],
    'revoked',
  );
  const columns = nodes(body['privileges']).map((privilege) => namesOf(unwrap(privilege).body['cols']));
  if (columns.length === 0 || columns.some((names) => names.length === 0)) return targets;
  return targets.flatMap((target) => columns.flat().map((column) => ({ ...target, column })));
}

function named(
  kind: ContractionTarget['kind'],
  name: SqlName | undefined,
  change: TargetChange,
): readonly ContractionTarget[] {
  return name === undefined ? [] : [{ kind, ...name, change }];
}

function columnTargets(relation: SqlName | undefined, column: string, change: TargetChange): Targets {
  return named('relation', relation, change).map((target) => ({ ...target, column }));
}

function relationOf(body: Body): SqlName | undefined {
  return rangeVar(body['relation']);
}

// A RangeVar stands bare where the grammar allows nothing else, and wrapped in its type where it does.
function rangeVar(value: unknown): SqlName | undefined {
  if (!isNode(value)) return undefined;
  const body: Body = 'RangeVar' in value ? (value['RangeVar'] ?? {}) : value;
  const { schemaname: schema, relname: name } = body;
  if (typeof name !== 'string') return undefined;
  return typeof schema === 'string' ? { schema, name } : { name };
}

/** The parts of a name, wherever the tree keeps them: a List, a TypeName, a list of String, one String. */
function namesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesOf);
  if (!isNode(value)) return [];
  const { type, body } = unwrap(value);
  if (type === 'String') return [text(body['sval'])];
  if (type === 'List') return namesOf(body['items']);
  return type === 'TypeName' ? namesOf(body['names']) : [];
}

// A name of three parts begins with the database, which can only be this one.
function nameOf(value: unknown): SqlName | undefined {
  const parts = typeof value === 'object' ? partsOf(value) : [];
  const name = parts.at(-1);
  const schema = parts.at(-2);
  if (name === undefined) return undefined;
  return schema === undefined ? { name } : { schema, name };
}

function partsOf(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string') ? value : namesOf(value);
}

/** A type as SQL would have it, for to_regprocedure(). */
function typeText(value: ParseNode): string {
  const { body } = unwrap(value);
  const name = namesOf(body['names'])
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
  return `${name}${'[]'.repeat(nodes(body['arrayBounds']).length)}`;
}

function callsFunction(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(callsFunction);
  if (typeof value !== 'object' || value === null) return false;
  return 'FuncCall' in value || Object.values(value).some(callsFunction);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
