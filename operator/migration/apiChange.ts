import type { ApiDescription } from './apiDescription.ts';

/** One thing that an API gains, loses or changes. */
export interface ApiChange {
  /** `relation`, `column`, `function`, `parameter`, `relationship`, `key`, `type`, `grant`, `trigger`, `comment`, ... */
  readonly kind: string;
  /** Its name, without the schema. */
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  /** Whether a client that works today may stop working. */
  readonly breaking: boolean;
  /** A sentence. It quotes no definition, default or comment. */
  readonly detail: string;
}

/** One object of a description, with its facts. */
export interface ApiObject {
  readonly kind: string;
  readonly within: string;
  readonly name: string;
  /** Value by aspect. */
  readonly aspects: ReadonlyMap<string, string>;
}

/** The objects of a description by kind and name. */
export function objectsOf(description: ApiDescription): ReadonlyMap<string, ApiObject> {
  const objects = new Map<string, ApiObject & { readonly aspects: Map<string, string> }>();
  for (const { kind, within, object: name, aspect, value } of description) {
    const key = `${kind} ${name}`;
    const object = objects.get(key) ?? { kind, within, name, aspects: new Map<string, string>() };
    object.aspects.set(aspect, value);
    objects.set(key, object);
  }
  return objects;
}

const granted = 'granted to ';

/**
 * Privileges that roles lose (breaking) and gain. What a role loses on an object and still has by way of PUBLIC, or on the
 * whole relation (`cover`) when the object is a column of it, it does not lose.
 */
export function grantChanges(
  before: ApiObject,
  after: ApiObject,
  cover: ApiObject | undefined,
): readonly ApiChange[] {
  const aspects = new Set(
    [...before.aspects.keys(), ...after.aspects.keys()].filter((each) => each.startsWith(granted)),
  );
  return [...aspects].flatMap((aspect): ApiChange[] => {
    const [had, has] = [privileges(before, aspect), privileges(after, aspect)];
    const still = new Set(
      [after, cover].flatMap((object) => [
        ...privileges(object, aspect),
        ...privileges(object, `${granted}PUBLIC`),
      ]),
    );
    const lost = had.filter((privilege) => !still.has(privilege));
    const gained = has.filter((privilege) => !had.includes(privilege));
    const role = aspect.slice(granted.length);
    const name = `${after.name} to ${role}`;
    const change = (verb: 'added' | 'removed', detail: string): ApiChange => ({
      kind: 'grant',
      name,
      change: verb,
      breaking: verb === 'removed',
      detail,
    });
    const what = after.kind === 'schema' ? 'the schema' : `${after.kind} ${after.name}`;
    return [
      ...(lost.length > 0 ? [change('removed', `${role} loses ${lost.join(', ')} on ${what}.`)] : []),
      ...(gained.length > 0 ? [change('added', `${role} gains ${gained.join(', ')} on ${what}.`)] : []),
    ];
  });
}

/** A comment that came, went or changed. */
export function commentChanges(before: ApiObject, after: ApiObject): readonly ApiChange[] {
  const [had, has] = [before.aspects.get('comment'), after.aspects.get('comment')];
  if (had === has) return [];
  const change = had === undefined ? 'added' : has === undefined ? 'removed' : 'changed';
  const detail = `The comment on ${after.kind} ${after.name} is ${change === 'added' ? 'new' : change}.`;
  return [{ kind: 'comment', name: after.name, change, breaking: false, detail }];
}

function privileges(object: ApiObject | undefined, aspect: string): readonly string[] {
  return object?.aspects.get(aspect)?.split(', ') ?? [];
}
