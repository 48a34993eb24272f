import type { Body } from '../migration/parseTree.ts';
import { createdAs, referredTo, schemaOf, type QualifiedName } from './names.ts';
import { placeOf, type Place, type ReadStatement } from './reading.ts';
import { bodyOf, itemsOf, namesPublic, optionsOf, stringsOf, textOf } from './tree.ts';

/** An argument that a caller gives. */
export interface Argument {
  /** Empty when it has none. */
  readonly name: string;
  readonly type: string;
  readonly hasDefault: boolean;
}

/** A function or procedure that the sources create. */
export interface Routine {
  readonly name: QualifiedName;
  readonly isFunction: boolean;
  /** PostgREST does not expose trigger functions, and nobody can call one. */
  readonly isTrigger: boolean;
  readonly arguments: readonly Argument[];
  readonly definer: boolean;
  /** Whether names in it are found by a search_path of its own, or were found when it was created (BEGIN ATOMIC). */
  readonly pinned: boolean;
  /** Whether PUBLIC may execute it because nobody said otherwise. */
  readonly leftToPublic: boolean;
  /** Its body, when it is kept as text in a language whose names are understood. */
  readonly text: string | undefined;
  readonly at: Place;
}

/** The routines of the sources, and how the next statement changes them. */
export interface RoutineReader {
  readonly read: (at: ReadStatement) => void;
  /** Those that are there after the last statement. */
  readonly routines: () => readonly Routine[];
}

/** No routines yet. */
export function createRoutines(): RoutineReader {
  const state: State = { routines: new Map(), publicByDefault: true };
  return {
    read: (at) => effects[at.type]?.(at, state),
    routines: () => [...state.routines.values()].flatMap((overloads) => [...overloads.values()]),
  };
}

/** By name, then by argument types. */
type Routines = Map<QualifiedName, Map<string, Routine>>;

interface State {
  readonly routines: Routines;
  publicByDefault: boolean;
}

const routineKinds = new Set(['OBJECT_FUNCTION', 'OBJECT_PROCEDURE', 'OBJECT_ROUTINE']);

const effects: Readonly<Record<string, (at: ReadStatement, state: State) => void>> = {
  CreateFunctionStmt: (at, { routines, publicByDefault }) => {
    const routine = routineOf(at, publicByDefault);
    const overloads = routines.get(routine.name) ?? new Map<string, Routine>();
    const types = routine.arguments.map(({ type }) => type).join();
    const before = overloads.get(types);
    // Replacing a function keeps its privileges.
    overloads.set(types, before === undefined ? routine : { ...routine, leftToPublic: before.leftToPublic });
    routines.set(routine.name, overloads);
  },
  AlterFunctionStmt: ({ body, path }, { routines }) => {
    const options = optionsOf(body['actions']);
    change(bodyOf(body['func']), path, routines, (routine) => ({
      ...routine,
      definer: definerOf(options) ?? routine.definer,
      pinned: routine.pinned || options.some(setsSearchPath),
    }));
  },
  DropStmt: ({ body, path }, { routines }) => {
    if (!routineKinds.has(textOf(body['removeType']) ?? '')) return;
    for (const item of itemsOf(body['objects']))
      change(bodyOf(item['ObjectWithArgs']), path, routines, () => undefined);
  },
  GrantStmt: ({ body, path }, { routines }) => {
    if (!routineKinds.has(textOf(body['objtype']) ?? '') || !namesPublic(body['grantees'])) return;
    // Granted or revoked: either way somebody has said so.
    const said = (routine: Routine): Routine => ({ ...routine, leftToPublic: false });
    if (body['targtype'] !== 'ACL_TARGET_ALL_IN_SCHEMA') {
      for (const item of itemsOf(body['objects']))
        change(bodyOf(item['ObjectWithArgs']), path, routines, said);
      return;
    }
    const schemas = stringsOf(body['objects']);
    for (const [name, overloads] of routines)
      if (schemas.includes(schemaOf(name)))
        for (const [types, routine] of overloads) overloads.set(types, said(routine));
  },
  AlterDefaultPrivilegesStmt: ({ body }, state) => {
    const action = bodyOf(body['action']);
    if (!routineKinds.has(textOf(action['objtype']) ?? '') || !namesPublic(action['grantees'])) return;
    // Of one schema they are added to the global ones, and take nothing away.
    if (optionsOf(body['options']).some(({ name }) => name === 'schemas')) return;
    state.publicByDefault = action['is_grant'] === true;
  },
};

function routineOf(at: ReadStatement, publicByDefault: boolean): Routine {
  const { body } = at;
  const options = optionsOf(body['options']);
  const option = (wanted: string): Body | undefined => options.find(({ name }) => name === wanted)?.arg;
  const language = textOf(bodyOf(option('language')?.['String'])['sval'])?.toLowerCase();
  const [text] = stringsOf(option('as'));
  const returns = stringsOf(bodyOf(body['returnType'])['names']).at(-1) ?? '';
  return {
    name: createdAs(stringsOf(body['funcname']), at),
    isFunction: body['is_procedure'] !== true,
    isTrigger: returns === 'trigger' || returns === 'event_trigger',
    arguments: itemsOf(body['parameters']).flatMap((item) => argumentOf(bodyOf(item['FunctionParameter']))),
    definer: definerOf(options) ?? false,
    pinned: body['sql_body'] !== undefined || options.some(setsSearchPath),
    leftToPublic: publicByDefault,
    text: language === 'sql' || language === 'plpgsql' ? text : undefined,
    at: placeOf(at),
  };
}

function argumentOf(parameter: Body): readonly Argument[] {
  const mode = textOf(parameter['mode']) ?? '';
  if (mode === 'FUNC_PARAM_OUT' || mode === 'FUNC_PARAM_TABLE') return [];
  return [
    {
      name: textOf(parameter['name']) ?? '',
      type: typeOf(parameter['argType']),
      hasDefault: parameter['defexpr'] !== undefined || mode === 'FUNC_PARAM_VARIADIC',
    },
  ];
}

function typeOf(type: unknown): string {
  const names = stringsOf(bodyOf(type)['names']);
  const name = names[0] === 'pg_catalog' ? names.slice(1) : names;
  return `${name.join('.')}${'[]'.repeat(itemsOf(bodyOf(type)['arrayBounds']).length)}`;
}

function definerOf(options: ReturnType<typeof optionsOf>): boolean | undefined {
  const arg = options.find(({ name }) => name === 'security')?.arg;
  return arg === undefined ? undefined : bodyOf(arg['Boolean'])['boolval'] === true;
}

function setsSearchPath({ name, arg }: { readonly name: string; readonly arg: Body }): boolean {
  const set = bodyOf(arg['VariableSetStmt']);
  return name === 'set' && set['name'] === 'search_path' && set['kind'] !== 'VAR_RESET';
}

/** Updates, or removes, what an ObjectWithArgs means: one routine, or all of the name where it gives no arguments. */
function change(
  object: Body,
  path: Place['path'],
  routines: Routines,
  update: (routine: Routine) => Routine | undefined,
): void {
  const overloads = routines.get(referredTo(stringsOf(object['objname']), { path }, routines));
  const types = itemsOf(object['objargs'])
    .map((item) => typeOf(item['TypeName']))
    .join();
  for (const [key, routine] of overloads ?? []) {
    if (object['args_unspecified'] !== true && key !== types) continue;
    const updated = update(routine);
    if (updated === undefined) overloads?.delete(key);
    else overloads?.set(key, updated);
  }
}
