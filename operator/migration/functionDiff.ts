import type { ApiDescription } from './apiDescription.ts';
import { commentChanges, grantChanges, objectsOf, type ApiChange, type ApiObject } from './apiChange.ts';

/** A parameter that a call may give. */
interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly variadic: boolean;
  readonly optional: boolean;
}

interface Routine extends ApiObject {
  readonly parameters: readonly Parameter[];
}

/**
 * What changes for callers of functions; takes the facts of functions and parameters. PostgREST finds a function by its
 * name and by the names of the arguments that a call gives: all of them must be parameters, and no parameter without a
 * default may be missing. A call that fits two functions is refused (PGRST203). So a function stands for an old one when
 * it takes every call that the old one took, whatever its signature.
 */
export function diffFunctions(before: ApiDescription, after: ApiDescription): readonly ApiChange[] {
  const [olds, news] = [routinesOf(before), routinesOf(after)];
  return [...new Set([...olds.keys(), ...news.keys()])].flatMap((name) =>
    diffOverloads(olds.get(name) ?? [], news.get(name) ?? []),
  );
}

function diffOverloads(olds: readonly Routine[], news: readonly Routine[]): readonly ApiChange[] {
  const pairs = pairsOf(olds, news);
  const successors = new Set(pairs.map(({ to }) => to));
  return [
    ...pairs.flatMap(({ from, to }) => (to === undefined ? [removed(from, news)] : diffPair(from, to))),
    ...news.filter((routine) => !successors.has(routine)).map(added),
    ...newAmbiguities(olds, news),
  ];
}

/** Who stands for whom: the same signature, else one that takes all calls, else the only one that is left over. */
function pairsOf(
  olds: readonly Routine[],
  news: readonly Routine[],
): readonly { readonly from: Routine; readonly to: Routine | undefined }[] {
  const same = (from: Routine): Routine | undefined => news.find(({ name }) => name === from.name);
  const changed = olds.filter((from) => same(from) === undefined);
  const fresh = news.filter((to) => !olds.some(({ name }) => name === to.name));
  const left = changed.length === 1 && fresh.length === 1 ? fresh[0] : undefined;
  return olds.map((from) => ({
    from,
    to: same(from) ?? fresh.find((to) => shapes(from).every((shape) => takes(to, shape))) ?? left,
  }));
}

function diffPair(from: Routine, to: Routine): readonly ApiChange[] {
  const [olds, news] = [byName(from), byName(to)];
  const name = to.name;
  const parameter = (
    { name: of }: Parameter,
    change: ApiChange['change'],
    breaking: boolean,
    detail: string,
  ): ApiChange => ({ kind: 'parameter', name: `${name}.${of}`, change, breaking, detail });
  const parameters = [...new Map([...olds, ...news]).values()].flatMap((each): ApiChange[] => {
    const [had, has] = [olds.get(each.name), news.get(each.name)];
    const subject = `Parameter ${each.name} of function ${from.within}`;
    if (has === undefined)
      return [parameter(each, 'removed', true, `${subject} is gone: calls that give it are refused.`)];
    if (had === undefined)
      return [
        has.optional
          ? parameter(each, 'added', false, `${subject} is new, and may be left out.`)
          : parameter(
              each,
              'added',
              true,
              `${subject} is new and has no default: calls without it are refused.`,
            ),
      ];
    return [
      ...(had.type === has.type && had.variadic === has.variadic
        ? []
        : [parameter(each, 'changed', true, `${subject} has the type ${has.type}; it was ${had.type}.`)]),
      ...(had.optional === has.optional
        ? []
        : [
            has.optional
              ? parameter(each, 'changed', false, `${subject} may be left out now.`)
              : parameter(
                  each,
                  'changed',
                  true,
                  `${subject} has lost its default: calls without it are refused.`,
                ),
          ]),
    ];
  });
  return [
    ...parameters,
    ...aspectChanges(from, to),
    ...grantChanges(from, to, undefined),
    ...commentChanges(from, to),
  ];
}

/** What may be named in a sentence by its value; of the rest it is said that it is another one. */
const spoken: Readonly<Record<string, string>> = {
  kind: 'is a',
  returns: 'returns',
  volatility: 'is',
  security: 'runs as',
};

function aspectChanges(from: Routine, to: Routine): readonly ApiChange[] {
  const aspects = ['kind', 'returns', 'volatility', 'security', 'owner', 'settings', 'options', 'body'];
  return aspects.flatMap((aspect): ApiChange[] => {
    const [had, has] = [from.aspects.get(aspect), to.aspects.get(aspect)];
    if (had === has) return [];
    const verb = spoken[aspect];
    const detail =
      verb === undefined || had === undefined || has === undefined
        ? `Function ${to.name} has another ${aspect}.`
        : `Function ${to.name} ${verb} ${printed(has)}; before, it was ${printed(had)}.`;
    const breaking = aspect === 'kind' || (aspect === 'returns' && !onlyMoreColumns(had, has));
    return [{ kind: 'function', name: to.name, change: 'changed', breaking, detail }];
  });
}

function printed(value: string): string {
  return value.startsWith('sha256:') ? 'another one' : value;
}

// TABLE(a integer) and TABLE(a integer, b text).
function onlyMoreColumns(had: string | undefined, has: string | undefined): boolean {
  return had?.startsWith('TABLE(') === true && has?.startsWith(`${had.slice(0, -1)}, `) === true;
}

function removed(from: Routine, news: readonly Routine[]): ApiChange {
  const others =
    news.length === 0
      ? ''
      : ` There is still ${news.map(({ name }) => name).join(', ')}, which does not take all of its calls.`;
  return {
    kind: 'function',
    name: from.name,
    change: 'removed',
    breaking: true,
    detail: `Function ${from.name} is gone.${others}`,
  };
}

function added(to: Routine): ApiChange {
  return {
    kind: 'function',
    name: to.name,
    change: 'added',
    breaking: false,
    detail: `Function ${to.name} is new.`,
  };
}

function newAmbiguities(olds: readonly Routine[], news: readonly Routine[]): readonly ApiChange[] {
  return olds.flatMap((from): ApiChange[] => {
    const shape = shapes(from).find(
      (each) =>
        olds.filter((old) => takes(old, each)).length === 1 &&
        news.filter((to) => takes(to, each)).length > 1,
    );
    if (shape === undefined) return [];
    const fit = news.filter((to) => takes(to, shape)).map(({ name }) => name);
    const call = shape.size === 0 ? 'no argument' : `the arguments ${[...shape].join(', ')}`;
    return [
      {
        kind: 'function',
        name: from.name,
        change: 'changed',
        breaking: true,
        detail: `A call of function ${from.within} with ${call} fits ${fit.join(' and ')}: PostgREST refuses it (PGRST203).`,
      },
    ];
  });
}

/** The least and the most that a call of it may give. */
function shapes({ parameters }: Routine): readonly ReadonlySet<string>[] {
  const names = (of: readonly Parameter[]): ReadonlySet<string> => new Set(of.map(({ name }) => name));
  return [names(parameters.filter(({ optional }) => !optional)), names(parameters)];
}

function takes(routine: Routine, shape: ReadonlySet<string>): boolean {
  const names = new Set(routine.parameters.map(({ name }) => name));
  return (
    [...shape].every((name) => names.has(name)) &&
    routine.parameters.every(({ name, optional }) => optional || shape.has(name))
  );
}

function byName({ parameters }: Routine): ReadonlyMap<string, Parameter> {
  return new Map(parameters.map((parameter) => [parameter.name, parameter]));
}

function routinesOf(description: ApiDescription): ReadonlyMap<string, readonly Routine[]> {
  const objects = [...objectsOf(description).values()];
  const parameters = objects.filter(({ kind }) => kind === 'parameter');
  const routines = objects
    .filter(({ kind }) => kind === 'function')
    .map((routine) => ({
      ...routine,
      parameters: parameters
        .filter(({ name }) => name.startsWith(`${routine.name}.`))
        .sort((a, b) => positionOf(a) - positionOf(b))
        .map(({ name, aspects }) => ({
          name: name.slice(routine.name.length + 1),
          type: aspects.get('type') ?? '',
          variadic: aspects.get('mode') === 'variadic',
          optional: aspects.has('default'),
        })),
    }));
  return Map.groupBy(routines, ({ within }) => within);
}

function positionOf({ aspects }: ApiObject): number {
  return Number(aspects.get('position'));
}
