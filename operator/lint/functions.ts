import { mapSchemaNames } from '../migration/schemaNames.ts';
import { lineAt } from '../migration/statements.ts';
import { schemaOf } from './names.ts';
import type { Report } from './reading.ts';
import type { Routine } from './routines.ts';

/** What is wrong with functions: their rights, who may call them, how PostgREST would choose one, the names in them. */
export function judgeFunctions(routines: readonly Routine[], schema: string, report: Report): void {
  for (const routine of routines) {
    if (routine.definer && !routine.pinned)
      report(
        'pgrst/definer-without-search-path',
        routine.at,
        `${routine.name} is SECURITY DEFINER and does not set its search_path.`,
      );
    judgeBody(routine, schema, report);
  }
  const exposed = routines.filter(
    ({ name, at, isFunction, isTrigger }) =>
      schemaOf(name) === schema && at.source.kind === 'api' && isFunction && !isTrigger,
  );
  judgeExecute(exposed, report);
  judgeOverloads(exposed, report);
}

/** A function with its owner's rights is worth a finding of its own; the others share one. */
function judgeExecute(exposed: readonly Routine[], report: Report): void {
  const left = exposed.filter(({ leftToPublic }) => leftToPublic);
  const others = left.filter(({ definer }) => !definer);
  for (const { name, at } of left.filter(({ definer }) => definer))
    report(
      'pgrst/execute-left-to-public',
      at,
      `PUBLIC may execute ${name}, which runs with its owner's rights.`,
    );
  const [first] = others;
  if (first === undefined) return;
  const names = [...new Set(others.map(({ name }) => name))];
  const shown = names.slice(0, 5).join(', ');
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  report('pgrst/execute-left-to-public', first.at, `PUBLIC may execute ${shown}${more}.`);
}

function judgeOverloads(exposed: readonly Routine[], report: Report): void {
  const byName = new Map<string, Routine[]>();
  for (const routine of exposed) byName.set(routine.name, [...(byName.get(routine.name) ?? []), routine]);
  for (const group of byName.values())
    group.forEach((routine, index) => {
      const clash = group
        .slice(0, index)
        .map((earlier) => ({ earlier, rule: clashOf(earlier, routine) }))
        .find(({ rule }) => rule !== undefined);
      if (clash?.rule === undefined) return;
      const lines = `line ${clash.earlier.at.line}`;
      report(
        clash.rule,
        routine.at,
        clash.rule === 'pgrst/ambiguous-overload'
          ? `PostgREST cannot tell ${routine.name} from the one at ${lines}: the same names of arguments.`
          : `PostgREST cannot tell ${routine.name} from the one at ${lines} where a call gives ${sharedCall(clash.earlier, routine)}.`,
      );
    });
}

// PostgREST takes a function when every argument without a default is given and every given one is known; with a single
// unnamed argument the body is passed on whole, json and jsonb for the same media type.
function clashOf(
  a: Routine,
  b: Routine,
): 'pgrst/ambiguous-overload' | 'pgrst/overlapping-overload' | undefined {
  if (takesBody(a) || takesBody(b))
    return takesJson(a) && takesJson(b) ? 'pgrst/ambiguous-overload' : undefined;
  if ([...a.arguments, ...b.arguments].some(({ name }) => name === '')) return undefined;
  const fitsBoth = (one: Routine, other: Routine): boolean =>
    requiredOf(one).every((name) => namesOf(other).includes(name));
  if (!fitsBoth(a, b) || !fitsBoth(b, a)) return undefined;
  const same = (one: readonly string[], other: readonly string[]): boolean =>
    [...one].sort().join() === [...other].sort().join();
  return same(namesOf(a), namesOf(b)) && same(requiredOf(a), requiredOf(b))
    ? 'pgrst/ambiguous-overload'
    : 'pgrst/overlapping-overload';
}

function takesBody({ arguments: [only, ...others] }: Routine): boolean {
  return only?.name === '' && others.length === 0;
}

function takesJson(routine: Routine): boolean {
  return takesBody(routine) && /^jsonb?$/.test(routine.arguments[0]?.type ?? '');
}

function namesOf(routine: Routine): readonly string[] {
  return routine.arguments.map(({ name }) => name);
}

function requiredOf(routine: Routine): readonly string[] {
  return routine.arguments.filter(({ hasDefault }) => !hasDefault).map(({ name }) => name);
}

function sharedCall(a: Routine, b: Routine): string {
  const names = [...new Set([...requiredOf(a), ...requiredOf(b)])];
  return names.length === 0 ? 'no argument' : `only ${names.join(', ')}`;
}

function judgeBody({ name, text, at }: Routine, schema: string, report: Report): void {
  if (!text?.includes(schema)) return;
  const mapped = mapSchemaNames(text, { from: schema, to: `${schema}_release` });
  const start = at.text.indexOf(text);
  const firstLine = start === -1 ? at.line : at.line + lineAt(at.text, start) - 1;
  if (at.source.kind !== 'api') {
    if (mapped.text !== text)
      report('pgrst/body-names-exposed-schema', at, `The body of ${name} uses the schema ${schema}.`);
    return;
  }
  for (const { kind, line } of mapped.findings)
    if (kind === 'ambiguous')
      report(
        'pgrst/ambiguous-schema-name',
        at,
        `In ${name}, ${schema} is the schema and something else as well.`,
        firstLine + line - 1,
      );
    else
      report(
        'pgrst/schema-name-in-string',
        at,
        `A string in ${name} seems to name the schema ${schema}.`,
        firstLine + line - 1,
      );
}
