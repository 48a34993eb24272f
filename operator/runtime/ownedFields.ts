import type { KubeObject } from './object.ts';

/** The field manager of everything that the operator applies. */
export const fieldManager = 'postgrest-operator';

/**
 * Fields as `managedFields` lists them (FieldsV1, https://kubernetes.io/docs/reference/using-api/server-side-apply):
 * `f:<name>` is a field, `k:<keys>` the item of a list that has these keys, `v:<value>` the item that is this value, and
 * `.` the thing itself.
 */
type FieldSet = { readonly [path: string]: FieldSet };

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly subresource?: string;
  readonly fieldsV1?: FieldSet;
}

/**
 * Keeps of an object's `managedFields` our own entry, and all of it once only: thousands of objects of a kind have the
 * same fields. For that an owner in it is any owner.
 */
export function createManagedFieldsCutter(): (object: KubeObject) => KubeObject {
  const shared = new Map<string, readonly ManagedFields[]>();
  return (object) => {
    const { managedFields, ...metadata } = object.metadata;
    if (managedFields === undefined) return object;
    const mine = entryOf(managedFields);
    if (mine === undefined) return { ...object, metadata };
    const { manager, operation, fieldsV1 } = mine;
    const text = JSON.stringify([{ manager, operation, fieldsV1 }]).replace(uids, '"k:{}"');
    const known = shared.get(text) ?? (JSON.parse(text) as readonly ManagedFields[]);
    // Objects that are alike are many, kinds of them few; should that be wrong, nothing is shared and nothing lost.
    if (shared.size < maxShared) shared.set(text, known);
    return { ...object, metadata: { ...metadata, managedFields: known } };
  };
}

const maxShared = 1000;
/** An owner's path, quoted as JSON: `"k:{\\"uid\\":\\"...\\"}"`. */
const uids = /"k:\{\\"uid\\":\\"[-0-9a-f]{36}\\"\}"/g;

/**
 * Whether all that the operator owns of the object is in `desired`: then, if the object also contains what is desired,
 * applying that would take nothing away and change nothing. False when nobody knows what the operator owns.
 */
export function ownsNothingBeside(observed: KubeObject, desired: KubeObject): boolean {
  const mine = entryOf(observed.metadata['managedFields']);
  return mine?.fieldsV1 !== undefined && isIn(mine.fieldsV1, desired);
}

function entryOf(managedFields: unknown): ManagedFields | undefined {
  if (!Array.isArray(managedFields)) return undefined;
  const [mine, ...others] = (managedFields as readonly ManagedFields[]).filter(
    ({ manager, operation, subresource = '' }) =>
      manager === fieldManager && operation === 'Apply' && subresource === '',
  );
  // There is one for each apiVersion that was applied: of two, nobody can say what an apply would take away.
  return others.length === 0 ? mine : undefined;
}

function isIn(fields: FieldSet, desired: unknown): boolean {
  return Object.entries(fields).every(([path, below]) => {
    if (path === '.') return true;
    const found = step(path, desired);
    return found !== undefined && isIn(below, found);
  });
}

function step(path: string, desired: unknown): unknown {
  const [kind, rest] = [path.slice(0, 2), path.slice(2)];
  if (kind === 'f:') return isRecord(desired) ? desired[rest] : undefined;
  if (!Array.isArray(desired)) return undefined;
  const items = desired as readonly unknown[];
  if (kind === 'v:') return items.find((item) => JSON.stringify(item) === rest);
  if (kind !== 'k:') return undefined;
  const keys = JSON.parse(rest) as Readonly<Record<string, unknown>>;
  // The server fills in keys that have a default, such as the protocol of a port.
  return items.find(
    (item) =>
      isRecord(item) &&
      Object.entries(keys).every(([name, value]) => item[name] === undefined || item[name] === value),
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
