import { commentChanges, grantChanges, objectsOf, type ApiChange, type ApiObject } from './apiChange.ts';
import type { ApiDescription, ApiFact } from './apiDescription.ts';
import { diffFunctions } from './functionDiff.ts';

export type { ApiChange } from './apiChange.ts';

/**
 * What changes for the clients of an API, breaking changes first. Objects that are alike on both sides may be left out of
 * both descriptions (`describeChange`), as long as all functions of one name and all of one relation are there.
 *
 * Breaking is what takes away: a relation, a column, a function, a parameter, a relationship, a privilege, a label, a way
 * to write; what changes a type; and what asks callers for more. Additions, comments, definitions and bodies are not: what
 * a view or a function answers is not looked at.
 */
export function diffApi(before: ApiDescription, after: ApiDescription): readonly ApiChange[] {
  const isRoutine = ({ kind }: ApiFact): boolean => kind === 'function' || kind === 'parameter';
  const isData = (fact: ApiFact): boolean => !isRoutine(fact);
  return [
    ...diffObjects(sideOf(before.filter(isData)), sideOf(after.filter(isData))),
    ...diffFunctions(before.filter(isRoutine), after.filter(isRoutine)),
  ].sort(
    (a, b) => Number(b.breaking) - Number(a.breaking) || compare(a.kind, b.kind) || compare(a.name, b.name),
  );
}

interface Side {
  readonly objects: ReadonlyMap<string, ApiObject>;
  /** Relations and composite types by their plain name. */
  readonly relations: ReadonlyMap<string, ApiObject>;
}

function sideOf(facts: ApiDescription): Side {
  const objects = objectsOf(facts);
  const relations = [...objects.values()].filter(({ kind }) => kind === 'relation' || kind === 'type');
  return { objects, relations: new Map(relations.map((object) => [object.within, object])) };
}

function diffObjects(before: Side, after: Side): readonly ApiChange[] {
  return [...new Set([...before.objects.keys(), ...after.objects.keys()])].flatMap(
    (key): readonly ApiChange[] => {
      const [from, to] = [before.objects.get(key), after.objects.get(key)];
      const one = to ?? from;
      if (one === undefined || isPartOfWhole(one, before, after)) return [];
      if (from === undefined) return [addition(one, after)];
      if (to === undefined) return isKeyUnderAnotherName(from, after) ? [] : [removal(from)];
      const relation = to.kind === 'column' ? after.relations.get(to.within) : undefined;
      return [
        ...propertyChanges(from, to, after),
        ...grantChanges(from, to, relation),
        ...commentChanges(from, to),
      ];
    },
  );
}

// Nothing is said of the columns, triggers and rules of a relation that is on one side only.
function isPartOfWhole({ kind, within }: ApiObject, before: Side, after: Side): boolean {
  const hasParts = ['column', 'trigger', 'rule'].includes(kind);
  return hasParts && before.relations.has(within) !== after.relations.has(within);
}

function addition(to: ApiObject, after: Side): ApiChange {
  const asksForMore = to.kind === 'column' && isNeededForInsert(to, after);
  const detail = asksForMore
    ? `${subject(to)} is new and must be given when a row is inserted.`
    : `${subject(to)} is new.`;
  return { kind: to.kind, name: to.name, change: 'added', breaking: asksForMore, detail };
}

function removal(from: ApiObject): ApiChange {
  // Without a trigger or a rule a view may still be written to; where not, its `writes` have changed.
  const breaking = !['trigger', 'rule', 'default privileges'].includes(from.kind);
  return {
    kind: from.kind,
    name: from.name,
    change: 'removed',
    breaking,
    detail: `${subject(from)} is gone.`,
  };
}

// PostgREST looks for primary and unique keys by their columns; foreign keys are named in requests.
function isKeyUnderAnotherName(from: ApiObject, after: Side): boolean {
  if (from.kind !== 'key') return false;
  const table = tableOf(from);
  return [...after.objects.values()].some(
    (to) =>
      to.kind === 'key' &&
      tableOf(to) === table &&
      to.aspects.get('definition') === from.aspects.get('definition'),
  );
}

function tableOf({ name }: ApiObject): string {
  return name.slice(name.lastIndexOf(' on '));
}

function propertyChanges(from: ApiObject, to: ApiObject, after: Side): readonly ApiChange[] {
  const changed = [...new Set([...from.aspects.keys(), ...to.aspects.keys()])].filter(
    (aspect) =>
      aspect !== 'comment' &&
      !aspect.startsWith('granted to ') &&
      from.aspects.get(aspect) !== to.aspects.get(aspect),
  );
  return changed.flatMap((aspect) => {
    const verdict = verdictOn(aspect, from, to, after);
    return verdict === undefined
      ? []
      : [{ kind: to.kind, name: to.name, change: 'changed' as const, ...verdict }];
  });
}

/** Whether a changed property breaks clients, and the sentence; undefined: it means nothing to them. */
function verdictOn(
  aspect: string,
  from: ApiObject,
  to: ApiObject,
  after: Side,
): { readonly breaking: boolean; readonly detail: string } | undefined {
  const [had, has] = [from.aspects.get(aspect), to.aspects.get(aspect)];
  const it = subject(to);
  switch (aspect) {
    case 'position':
      return undefined;
    case 'type':
    case 'kind':
      return { breaking: true, detail: `${it} has the ${aspect} ${has ?? 'none'}; it was ${had ?? 'none'}.` };
    case 'labels': {
      const [gone, fresh] = [labelsOnlyIn(had, has), labelsOnlyIn(has, had)];
      const parts = [
        ...(gone.length > 0 ? [`loses the labels ${gone.join(', ')}`] : []),
        ...(fresh.length > 0 ? [`gains the labels ${fresh.join(', ')}`] : []),
      ];
      return {
        breaking: gone.length > 0,
        detail: parts.length > 0 ? `${it} ${parts.join(' and ')}.` : `${it} orders its labels otherwise.`,
      };
    }
    case 'writes': {
      const lost = listed(had).filter((verb) => !listed(has).includes(verb));
      const detail =
        lost.length > 0
          ? `${it} does not take ${lost.join(', ')} any more.`
          : `${it} takes ${has ?? ''} now.`;
      return { breaking: lost.length > 0, detail };
    }
    case 'required':
      return has === undefined
        ? { breaking: false, detail: `${it} may be left out when a row is inserted.` }
        : {
            breaking: isNeededForInsert(to, after),
            detail: `${it} may not be null, has no default, and must be given when a row is inserted.`,
          };
    case 'not null':
    case 'constraints':
      return has === undefined
        ? { breaking: false, detail: `${it} has fewer constraints.` }
        : {
            breaking: to.kind === 'type',
            detail: `${it} has other constraints: values that were taken may be refused.`,
          };
    case 'definition':
      return to.kind === 'relationship' || to.kind === 'key'
        ? {
            breaking: columnsOf(had) !== columnsOf(has),
            detail: `${it} is ${has ?? ''} now; it was ${had ?? ''}.`,
          }
        : { breaking: false, detail: `${it} has another definition.` };
    default:
      return { breaking: false, detail: `${it} has another ${aspect}.` };
  }
}

function isNeededForInsert({ within, aspects }: ApiObject, { relations }: Side): boolean {
  return aspects.has('required') && listed(relations.get(within)?.aspects.get('writes')).includes('insert');
}

// The columns on both ends, without ON DELETE, DEFERRABLE, NOT VALID.
function columnsOf(definition: string | undefined): string | undefined {
  return definition
    ?.replace(/\)(?: (?:MATCH|ON|NOT|DEFERRABLE|INITIALLY) .*)?$/, ')')
    .replace(/ NOT VALID$/, '');
}

function labelsOnlyIn(labels: string | undefined, others: string | undefined): readonly string[] {
  const read = (text: string | undefined): readonly string[] =>
    text === undefined ? [] : (JSON.parse(text) as readonly string[]);
  const known = new Set(read(others));
  return read(labels).filter((label) => !known.has(label));
}

function listed(value: string | undefined): readonly string[] {
  return value?.split(', ') ?? [];
}

function subject({ kind, name }: ApiObject): string {
  if (kind === 'schema') return 'The schema';
  if (kind === 'other') return name.charAt(0).toUpperCase() + name.slice(1);
  const word = kind === 'relation' ? 'view' : kind;
  return `${word.charAt(0).toUpperCase()}${word.slice(1)} ${name}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
