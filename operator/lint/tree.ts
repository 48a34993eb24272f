import { isNode, type Body } from '../migration/parseTree.ts';

/** The value as a body; an empty one when it is none. */
export function bodyOf(value: unknown): Body {
  return isNode(value) ? value : {};
}

/** The items of a list, or of a List node; none when it is neither. */
export function itemsOf(value: unknown): readonly Body[] {
  if (Array.isArray(value)) return value.map(bodyOf);
  const list = bodyOf(value)['List'];
  return list === undefined ? [] : itemsOf(bodyOf(list)['items']);
}

/** The text of a field; undefined when it is no text. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** The texts of a list of String nodes, such as the parts of a name. */
export function stringsOf(value: unknown): readonly string[] {
  return itemsOf(value).flatMap((item) => textOf(bodyOf(item['String'])['sval']) ?? []);
}

/** The names and arguments of a list of DefElem nodes: options in parentheses, clauses of CREATE FUNCTION. */
export function optionsOf(value: unknown): readonly { readonly name: string; readonly arg: Body }[] {
  return itemsOf(value).map((item) => {
    const option = bodyOf(item['DefElem']);
    return { name: textOf(option['defname']) ?? '', arg: bodyOf(option['arg']) };
  });
}

/** Visits every object inside the value, itself included, outermost first. */
export function walk(value: unknown, visit: (body: Body) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (isNode(value)) {
    visit(value);
    for (const key in value) walk(value[key], visit);
  }
}

/** Whether one of the roles of a GRANT or REVOKE is PUBLIC. */
export function namesPublic(grantees: unknown): boolean {
  return itemsOf(grantees).some((item) => bodyOf(item['RoleSpec'])['roletype'] === 'ROLESPEC_PUBLIC');
}
