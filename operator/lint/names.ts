import type { Body } from '../migration/parseTree.ts';
import type { Place } from './reading.ts';
import { bodyOf, itemsOf, stringsOf, textOf, walk } from './tree.ts';

/** A name with its schema, `schema.name`, as messages show it. */
export type QualifiedName = `${string}.${string}`;

/** The schema that a new object without a schema gets where the statement stands, or the one it names. */
export function createdAs(parts: readonly string[], { path }: Pick<Place, 'path'>): QualifiedName {
  const name = parts.at(-1) ?? '';
  return `${parts.at(-2) ?? path[0]}.${name}`;
}

/** The schema of a qualified name. */
export function schemaOf(name: QualifiedName): string {
  return name.slice(0, name.indexOf('.'));
}

/** Schema, if any, and name of a RangeVar. */
export function partsOf(relation: unknown): readonly string[] {
  const { schemaname, relname } = bodyOf(relation);
  return [schemaname, relname].flatMap((part) => textOf(part) ?? []);
}

/** Which object a name means: the first of the search_path that is known, else the one in its first schema. */
export function referredTo(
  parts: readonly string[],
  { path }: Pick<Place, 'path'>,
  known: { has(name: QualifiedName): boolean },
): QualifiedName {
  if (parts.length > 1) return createdAs(parts, { path });
  const name = parts[0] ?? '';
  const found = path.find((schema) => known.has(`${schema}.${name}`));
  return `${found ?? path[0]}.${name}`;
}

/** The relations that a tree names, as parts; names of WITH queries are left out. */
export function relationsIn(tree: unknown): readonly (readonly string[])[] {
  const common = new Set<string>();
  const found: (readonly string[])[] = [];
  walk(tree, (body) => {
    if (typeof body['ctename'] === 'string') common.add(body['ctename']);
    if (typeof body['relname'] === 'string') found.push(partsOf(body));
  });
  return found.filter((parts) => parts.length > 1 || !common.has(parts[0] ?? ''));
}

/** The names of the objects of a DROP, each as parts. */
export function droppedNames(body: Body): readonly (readonly string[])[] {
  return itemsOf(body['objects']).map((item) => {
    if ('List' in item) return stringsOf(item);
    if ('TypeName' in item) return stringsOf(bodyOf(item['TypeName'])['names']);
    return stringsOf(bodyOf(item['ObjectWithArgs'])['objname']);
  });
}
