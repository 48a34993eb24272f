import { apiSqlProblem } from '../migration/apiSql.ts';
import { transactionControl } from '../migration/classify.ts';
import type { Catalog } from './catalog.ts';
import { createdAs, partsOf, referredTo, schemaOf, type QualifiedName } from './names.ts';
import type { ReadStatement, Report } from './reading.ts';
import { bodyOf, itemsOf, namesPublic, optionsOf, stringsOf, textOf } from './tree.ts';

/** What can be said of one statement by itself, given what was there before it. */
export function judgeStatement(
  at: ReadStatement,
  onNew: boolean,
  catalog: Catalog,
  schema: string,
  report: Report,
): void {
  const control = transactionControl(at.statement);
  if (control !== undefined) report('pgrst/transaction-control', at, control);
  else if (at.source.kind === 'api') judgeApiStatement(at, catalog, schema, report);
  else judgeMigrationStatement(at, onNew, schema, report);
  judgeGrant(at, report);
}

function judgeApiStatement(at: ReadStatement, catalog: Catalog, schema: string, report: Report): void {
  const problem = apiSqlProblem([at.statement], schema);
  if (problem !== undefined) {
    report('pgrst/not-api-sql', at, problem.message);
    return;
  }
  const places = [
    ...createdBy(at).map(({ what, name }) => ({ name, is: `${what} ${name} is created` })),
    ...touchedBy(at, catalog).map(({ what, name }) => ({ name, is: `${what} ${name}, which is` })),
  ];
  for (const { name, is } of places)
    if (schemaOf(name) !== schema)
      report('pgrst/outside-exposed-schema', at, `${is} outside of the schema ${schema}.`);
}

function judgeMigrationStatement(at: ReadStatement, onNew: boolean, schema: string, report: Report): void {
  for (const { what, name } of createdBy(at))
    if (schemaOf(name) === schema)
      report('pgrst/inside-exposed-schema', at, `${what} ${name} is created in the exposed schema.`);
  if (rewrites(at) && !onNew)
    report(
      'pgrst/rewrites-table',
      at,
      `${at.type === 'ClusterStmt' ? 'CLUSTER' : 'VACUUM FULL'} rewrites tables.`,
    );
  if (cascades(at) && !onNew) report('pgrst/drop-cascade', at, 'The statement drops with CASCADE.');
}

interface Named {
  readonly what: string;
  readonly name: QualifiedName;
}

/** What the statement creates; nothing for what has no schema. */
function createdBy(at: ReadStatement): readonly Named[] {
  const creation = creations[at.type];
  if (creation === undefined) return [];
  const parts = creation.parts(at);
  return parts.length === 0 ? [] : [{ what: creation.what, name: createdAs(parts, at) }];
}

const creations: Readonly<
  Record<string, { readonly what: string; readonly parts: (at: ReadStatement) => readonly string[] }>
> = {
  CreateStmt: { what: 'Table', parts: ({ body }) => partsOf(body['relation']) },
  CreateForeignTableStmt: {
    what: 'Foreign table',
    parts: ({ body }) => partsOf(bodyOf(body['base'])['relation']),
  },
  CreateTableAsStmt: { what: 'Table', parts: ({ body }) => partsOf(bodyOf(body['into'])['rel']) },
  CreateSeqStmt: { what: 'Sequence', parts: ({ body }) => partsOf(body['sequence']) },
  ViewStmt: { what: 'View', parts: ({ body }) => partsOf(body['view']) },
  CreateFunctionStmt: { what: 'Function', parts: ({ body }) => stringsOf(body['funcname']) },
  DefineStmt: { what: 'Object', parts: ({ body }) => stringsOf(body['defnames']) },
  CompositeTypeStmt: { what: 'Type', parts: ({ body }) => partsOf(body['typevar']) },
  CreateEnumStmt: { what: 'Type', parts: ({ body }) => stringsOf(body['typeName']) },
  CreateRangeStmt: { what: 'Type', parts: ({ body }) => stringsOf(body['typeName']) },
  CreateDomainStmt: { what: 'Domain', parts: ({ body }) => stringsOf(body['domainname']) },
};

/** What is there already and changed by the statement: grants, triggers and rules. */
function touchedBy(at: ReadStatement, { relations }: Catalog): readonly Named[] {
  const { type, body } = at;
  const relation = (what: string, value: unknown): Named => ({
    what,
    name: referredTo(partsOf(value), at, relations),
  });
  if (type === 'CreateTrigStmt') return [relation('The trigger is on', body['relation'])];
  if (type === 'RuleStmt') return [relation('The rule is on', body['relation'])];
  if (type !== 'GrantStmt' || body['objtype'] !== 'OBJECT_TABLE') return [];
  if (body['targtype'] === 'ACL_TARGET_ALL_IN_SCHEMA')
    return stringsOf(body['objects']).map((schema) => ({
      what: 'The grant is on',
      name: `${schema}.*`,
    }));
  return itemsOf(body['objects']).map((item) => relation('The grant is on', item['RangeVar']));
}

function rewrites({ type, body }: ReadStatement): boolean {
  if (type === 'ClusterStmt') return true;
  return type === 'VacuumStmt' && optionsOf(body['options']).some(({ name }) => name === 'full');
}

function cascades({ type, body }: ReadStatement): boolean {
  if (type === 'DropStmt' || type === 'DropOwnedStmt') return body['behavior'] === 'DROP_CASCADE';
  if (type !== 'AlterTableStmt') return false;
  return itemsOf(body['cmds']).some((item) => bodyOf(item['AlterTableCmd'])['behavior'] === 'DROP_CASCADE');
}

const kinds: Readonly<Record<string, string>> = {
  OBJECT_TABLE: 'a relation',
  OBJECT_SEQUENCE: 'a sequence',
  OBJECT_FUNCTION: 'a function',
  OBJECT_PROCEDURE: 'a procedure',
  OBJECT_ROUTINE: 'a routine',
  OBJECT_SCHEMA: 'a schema',
};

function judgeGrant(at: ReadStatement, report: Report): void {
  const { type, body } = at;
  const isDefault = type === 'AlterDefaultPrivilegesStmt';
  const grant = isDefault ? bodyOf(body['action']) : body;
  if ((type !== 'GrantStmt' && !isDefault) || !namesPublic(grant['grantees'])) return;
  const kind = kinds[textOf(grant['objtype']) ?? ''];
  if (grant['is_grant'] === true) {
    if (kind === undefined) return;
    const what = isDefault ? `every new object (${kind})` : kind;
    report('pgrst/grant-to-public', at, `The statement grants rights on ${what} to PUBLIC.`);
    return;
  }
  if (isDefault && optionsOf(body['options']).some(({ name }) => name === 'schemas'))
    report(
      'pgrst/default-privileges-in-schema',
      at,
      'ALTER DEFAULT PRIVILEGES IN SCHEMA takes from PUBLIC what it has by default for all schemas.',
    );
}
