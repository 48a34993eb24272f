import type { KubeObject } from './object.ts';

/** JSON with sorted keys and without undefined: equal values give equal texts. For what JSON can hold only. */
export function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => stableJson(item ?? null)).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(value ?? null);
  const fields = Object.keys(value)
    .sort()
    .flatMap((name) =>
      value[name] === undefined ? [] : `${JSON.stringify(name)}:${stableJson(value[name])}`,
    );
  return `{${fields.join(',')}}`;
}

/** Whether two values are the same JSON: the order of keys and fields that are undefined do not count. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => sameJson(item, b[index]));
  if (!isRecord(a) || !isRecord(b)) return false;
  return (
    Object.keys(a).every((name) => sameJson(a[name], b[name])) &&
    Object.keys(b).every((name) => b[name] === undefined || a[name] !== undefined)
  );
}

/**
 * Whether `observed` still holds all that `desired` asks for: a subset compare, because the server fills in defaults
 * and others own fields of their own. Tolerates what the server rewrites (`cpu: 1000m` becomes `"1"`) and what it leaves
 * out (empty maps and lists, false, 0, ''). A false "no" costs an apply that changes nothing; there is no false "yes"
 * for a field that somebody else changed.
 */
export function containsDesired(observed: KubeObject, desired: KubeObject): boolean {
  if (desired.kind === 'HTTPRoute' && !hasSameLists(observed['spec'], desired['spec'])) return false;
  return contains(observed, desired.kind === 'Secret' ? withData(desired) : desired, '');
}

/**
 * Whether each list in `desired` is as long in `observed`. Backends and header matches of an HTTPRoute have names, but
 * its rules are one atomic list: one that somebody added is not another manager's to keep.
 */
function hasSameLists(observed: unknown, desired: unknown): boolean {
  if (Array.isArray(desired))
    return (
      Array.isArray(observed) &&
      observed.length === desired.length &&
      desired.every((item, index) => hasSameLists(observed[index], item))
    );
  return (
    !isRecord(desired) ||
    Object.entries(desired).every(([name, value]) =>
      hasSameLists(isRecord(observed) ? observed[name] : undefined, value),
    )
  );
}

function contains(observed: unknown, desired: unknown, field: string): boolean {
  if (desired === undefined) return true;
  if (observed === undefined || observed === null) return isEmpty(desired);
  if (Array.isArray(desired)) return Array.isArray(observed) && containsList(observed, desired);
  if (isRecord(desired))
    return (
      isRecord(observed) &&
      Object.entries(desired).every(([name, value]) =>
        contains(observed[name], value, isQuantityMap(field) ? 'quantity' : name),
      )
    );
  if (observed === desired) return true;
  return (field === 'quantity' || field === 'sizeLimit') && quantity(observed) === quantity(desired);
}

/** The maps and fields whose values are resource.Quantity. */
function isQuantityMap(field: string): boolean {
  return field === 'limits' || field === 'requests';
}

/**
 * Server-side apply merges lists of named things (containers, env, volumes) by name and keeps what others added; so
 * each of ours has to be found by its name. All other lists have to be of the same length, item by item.
 */
function containsList(observed: readonly unknown[], desired: readonly unknown[]): boolean {
  for (const identity of ['name', 'uid'])
    if (haveUnique(desired, identity) && haveUnique(observed, identity))
      return desired.every((item) =>
        observed.some(
          (other) => valueOf(other, identity) === valueOf(item, identity) && contains(other, item, ''),
        ),
      );
  return (
    observed.length === desired.length && desired.every((item, index) => contains(observed[index], item, ''))
  );
}

function haveUnique(items: readonly unknown[], identity: string): boolean {
  const values = items.map((item) => valueOf(item, identity));
  return values.every((value) => typeof value === 'string') && new Set(values).size === values.length;
}

function valueOf(item: unknown, field: string): unknown {
  return isRecord(item) ? item[field] : undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false || value === 0 || value === '') return true;
  if (Array.isArray(value)) return value.length === 0;
  return isRecord(value) && Object.values(value).every((each) => each === undefined || isEmpty(each));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const factors: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The value of a Kubernetes quantity rounded to nine digits; what is none comes back as it is. */
function quantity(value: unknown): unknown {
  const match = /^([+-]?[0-9.]+)([eE][+-]?[0-9]+)?([numkMGTPE]?|[KMGTPE]i)$/.exec(String(value));
  const factor = factors[match?.[3] ?? ''];
  if (match === null || factor === undefined) return value;
  return (Number(`${match[1] ?? ''}${match[2] ?? ''}`) * factor).toPrecision(9);
}

/** `stringData` is write-only: what the server shows is `data`. */
function withData(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret;
  if (!isRecord(stringData)) return secret;
  const encoded = Object.entries(stringData).map(([name, value]) => [
    name,
    Buffer.from(String(value)).toString('base64'),
  ]);
  return {
    ...rest,
    data: { ...(isRecord(rest.data) ? rest.data : {}), ...(Object.fromEntries(encoded) as object) },
  };
}
