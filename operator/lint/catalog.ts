import type { Body } from '../migration/parseTree.ts';
import {
  createdAs,
  droppedNames,
  partsOf,
  referredTo,
  relationsIn,
  schemaOf,
  type QualifiedName,
} from './names.ts';
import { placeOf, type Place, type ReadStatement, type Report } from './reading.ts';
import { bodyOf, itemsOf, optionsOf, textOf } from './tree.ts';

/** A relation that the sources create. */
export interface Relation {
  readonly kind: 'table' | 'view' | 'matview';
  /** Whether nothing of it is in the database yet: nobody can be kept waiting by a lock on it. */
  readonly isNew: boolean;
  /** For a view: whether it reads with the rights of its caller. */
  readonly invoker: boolean;
  /** For a view: what it reads. */
  readonly reads: readonly QualifiedName[];
  readonly at: Place;
}

/** What the sources say about relations, up to the statement that was read last. */
export interface Catalog {
  readonly relations: ReadonlyMap<QualifiedName, Relation>;
  /** What the pending sources create, whether or not it is still there. */
  readonly created: ReadonlySet<QualifiedName>;
  /** Tables whose policies hold for everybody but their owner. */
  readonly rowSecured: ReadonlySet<QualifiedName>;
}

interface State extends Catalog {
  readonly relations: Map<QualifiedName, Relation>;
  readonly created: Set<QualifiedName>;
  readonly rowSecured: Set<QualifiedName>;
  readonly newIndexes: Set<QualifiedName>;
}

/** A catalog, and how it takes in the next statement; what a statement does to a view out of order is reported. */
export interface CatalogReader {
  readonly catalog: Catalog;
  /** Tells whether the statement touches nothing but relations that are new. */
  readonly read: (at: ReadStatement) => boolean;
}

/** An empty catalog. */
export function createCatalog(report: Report): CatalogReader {
  const state: State = {
    relations: new Map(),
    created: new Set(),
    rowSecured: new Set(),
    newIndexes: new Set(),
  };
  return {
    catalog: state,
    read: (at) => {
      const onNew = touchesOnlyNew(at, state);
      effects[at.type]?.(at, state, report);
      return onNew;
    },
  };
}

type Effect = (at: ReadStatement, state: State, report: Report) => void;

const effects: Readonly<Record<string, Effect>> = {
  CreateStmt: (at, state) => {
    create('table', partsOf(at.body['relation']), at, state);
  },
  CreateForeignTableStmt: (at, state) => {
    create('table', partsOf(bodyOf(at.body['base'])['relation']), at, state);
  },
  CreateTableAsStmt: (at, state) => {
    const kind = at.body['objtype'] === 'OBJECT_MATVIEW' ? 'matview' : 'table';
    create(kind, partsOf(bodyOf(at.body['into'])['rel']), at, state);
  },
  CreateSchemaStmt: ({ body, ...at }, state, report) => {
    // Elements of CREATE SCHEMA are created in it, however they are named.
    const path = [textOf(body['schemaname']) ?? at.path[0]] as const;
    for (const element of itemsOf(body['schemaElts']))
      for (const [type, inner] of Object.entries(element))
        effects[type]?.({ ...at, type, body: bodyOf(inner), path }, state, report);
  },
  IndexStmt: (at, state) => {
    const table = referredTo(partsOf(at.body['relation']), at, state.relations);
    const name = textOf(at.body['idxname']);
    if (name !== undefined && state.relations.get(table)?.isNew === true)
      state.newIndexes.add(`${schemaOf(table)}.${name}`);
  },
  ViewStmt: readView,
  AlterTableStmt: readAlterTable,
  CreatePolicyStmt: (at, { relations }, report) => {
    const table = referredTo(partsOf(at.body['table']), at, relations);
    if (relations.get(table)?.kind === 'view')
      report('pgrst/row-security-on-view', at, `CREATE POLICY on ${table}, which is a view.`);
  },
  RenameStmt: (at, state) => {
    if (at.body['renameType'] === 'OBJECT_COLUMN' || at.body['relation'] === undefined) return;
    const from = referredTo(partsOf(at.body['relation']), at, state.relations);
    move(state, from, `${schemaOf(from)}.${textOf(at.body['newname']) ?? ''}`);
  },
  AlterObjectSchemaStmt: (at, state) => {
    if (at.body['relation'] === undefined) return;
    const from = referredTo(partsOf(at.body['relation']), at, state.relations);
    const name = from.slice(schemaOf(from).length + 1);
    move(state, from, `${textOf(at.body['newschema']) ?? ''}.${name}`);
  },
  DropStmt: (at, state) => {
    if (!relationKinds.has(textOf(at.body['removeType']) ?? '')) return;
    for (const parts of droppedNames(at.body)) {
      const name = referredTo(parts, at, state.relations);
      state.relations.delete(name);
      state.rowSecured.delete(name);
    }
  },
};

const relationKinds = new Set(['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_FOREIGN_TABLE']);

function create(kind: 'table' | 'matview', parts: readonly string[], at: ReadStatement, state: State): void {
  const isNew = at.source.applied !== true;
  const name = createdAs(parts, at);
  // IF NOT EXISTS over what is there changes nothing.
  if (at.body['if_not_exists'] === true && state.relations.has(name)) return;
  state.relations.set(name, { kind, isNew, invoker: false, reads: [], at: placeOf(at) });
  if (isNew) state.created.add(name);
}

function move(state: State, from: QualifiedName, to: QualifiedName): void {
  const relation = state.relations.get(from);
  if (relation !== undefined) state.relations.set(to, relation);
  if (state.rowSecured.delete(from)) state.rowSecured.add(to);
  state.relations.delete(from);
}

function readView(at: ReadStatement, { relations }: State, report: Report): void {
  const name = createdAs(partsOf(at.body['view']), at);
  const reads = relationsIn(at.body['query']).map((parts) => referredTo(parts, at, relations));
  const invoker = optionsOf(at.body['options']).some(isInvoker);
  const before = relations.get(name);
  if (at.body['replace'] === true && before?.invoker === true && !invoker)
    report(
      'pgrst/replace-drops-security-invoker',
      at,
      `CREATE OR REPLACE VIEW ${name} takes security_invoker away, which it had.`,
    );
  relations.set(name, { kind: 'view', isNew: at.source.applied !== true, invoker, reads, at: placeOf(at) });
}

function readAlterTable(at: ReadStatement, { relations, rowSecured }: State, report: Report): void {
  const name = referredTo(partsOf(at.body['relation']), at, relations);
  const relation = relations.get(name);
  const isView = at.body['objtype'] === 'OBJECT_VIEW' || relation?.kind === 'view';
  for (const command of itemsOf(at.body['cmds']).map((item) => bodyOf(item['AlterTableCmd']))) {
    const subtype = textOf(command['subtype']) ?? '';
    if (rowSecurity.has(subtype) && isView) {
      report('pgrst/row-security-on-view', at, `Row security is switched on ${name}, which is a view.`);
      return;
    }
    if (subtype === 'AT_EnableRowSecurity') rowSecured.add(name);
    // With FORCE the policies hold for the owner as well, and so for views that read as the owner.
    if (subtype === 'AT_DisableRowSecurity' || subtype === 'AT_ForceRowSecurity') rowSecured.delete(name);
    const invoker = invokerAfter(subtype, command['def']);
    if (invoker !== undefined && relation !== undefined) relations.set(name, { ...relation, invoker });
  }
}

const rowSecurity = new Set([
  'AT_EnableRowSecurity',
  'AT_DisableRowSecurity',
  'AT_ForceRowSecurity',
  'AT_NoForceRowSecurity',
]);

function invokerAfter(subtype: string, definition: unknown): boolean | undefined {
  const option = optionsOf(itemsOf(definition)).find(({ name }) => name === 'security_invoker');
  if (option === undefined) return undefined;
  if (subtype === 'AT_ResetRelOptions') return false;
  return subtype === 'AT_SetRelOptions' ? isInvoker(option) : undefined;
}

// As PostgreSQL reads a Boolean option: alone it is true, and t, tr, tru, y, ye, on and 1 are as good as true.
function isInvoker({ name, arg }: { readonly name: string; readonly arg: Body }): boolean {
  if (name !== 'security_invoker') return false;
  const [value] = Object.values(arg).map(bodyOf);
  if (value === undefined) return true;
  const text = textOf(value['sval']) ?? (value['boolval'] === true ? 'true' : String(value['ival']));
  return /^(t(r(ue?)?)?|y(es?)?|on|1)$/i.test(text);
}

/** Whether the statement touches tables and indexes only that are not in the database yet. */
function touchesOnlyNew(at: ReadStatement, { relations, newIndexes }: State): boolean {
  const { type, body } = at;
  if (type === 'CreateStmt') return true;
  if (type === 'DropStmt') {
    const names = droppedNames(body);
    if (body['removeType'] === 'OBJECT_INDEX')
      return names.every((parts) => newIndexes.has(referredTo(parts, at, newIndexes)));
    return names.every((parts) => relations.get(referredTo(parts, at, relations))?.isNew === true);
  }
  if (!relationStatements.has(type) || body['relation'] === undefined) return false;
  return relations.get(referredTo(partsOf(body['relation']), at, relations))?.isNew === true;
}

const relationStatements = new Set([
  'AlterTableStmt',
  'IndexStmt',
  'RenameStmt',
  'ReindexStmt',
  'ClusterStmt',
]);
