import type { z } from 'zod';

/** One validation in both languages: `cel` runs in the API server at `kubectl apply`, `js` in the operator when it reads. */
export interface Rule<T> {
  /** CEL over `self` (https://kubernetes.io/docs/reference/using-api/cel/); everything it walks must be bounded in size. */
  readonly cel: string;
  /** The same predicate in TypeScript; true means valid. */
  readonly js: (value: T) => boolean;
  /** What is wrong and what to do, as `kubectl apply` prints it. */
  readonly message: string;
  /**
   * The same said of the very value, in both languages: it stands in for `message` then, which remains for the reference
   * and for words that the API server does not take: none, more than 5 kB, or with a line break.
   */
  readonly words?: { readonly cel: string; readonly js: (value: T) => string };
}

const validationsKey = 'x-kubernetes-validations';

/**
 * Adds a refinement together with its CEL twin. zod's `.refine()` alone would vanish from the CRD without a word, so
 * the functions of this file are the only way that the API types may refine (a test counts both sides).
 */
export function rule<S extends z.ZodType>(schema: S, twin: Rule<z.output<S>>): S {
  const meta = schema.meta() ?? {};
  const { words, message } = twin;
  const refined = schema.refine((value) => twin.js(value), {
    error: ({ input }) => taken(words?.js(input as z.output<S>)) ?? message,
  });
  return refined.meta({ ...meta, ...withValidation(meta, twin) });
}

/**
 * Adds a pattern that fails with a sentence instead of with the pattern: for what people write by hand. Wants a regular
 * expression without flags, and without quotes and backslashes, which CEL would have to escape; throws for any other.
 */
export function matching<S extends z.ZodType<string>>(schema: S, pattern: RegExp, message: string): S {
  if (/['\\]/.test(pattern.source) || pattern.flags !== '')
    throw new Error(`flags, quotes and backslashes do not go into CEL: ${String(pattern)}`);
  return rule(schema, {
    cel: `self.matches('${pattern.source}')`,
    js: (value) => pattern.test(value),
    message,
  });
}

/**
 * Adds a rule over `self` and `oldSelf`, which only the API server can check: it alone sees both the old and the new
 * object. Transition rules have no TypeScript twin.
 */
export function transition<S extends z.ZodType>(schema: S, twin: { cel: string; message: string }): S {
  const meta = schema.meta() ?? {};
  return schema.meta({ ...meta, ...withValidation(meta, twin) });
}

/** Bounds a map: `maxProperties` for the API server, which a zod record has no word for. */
export function atMost<S extends z.ZodType<Record<string, unknown>>>(schema: S, maxProperties: number): S {
  const meta = schema.meta() ?? {};
  const message = `Too many: must have at most ${maxProperties} items`;
  return schema
    .refine((value) => Object.keys(value).length <= maxProperties, { message })
    .meta({ ...meta, maxProperties });
}

/** A list that is a map: its entries are told apart by one field, for merging and against duplicates. */
export function keyedList<E extends z.ZodType<Record<string, unknown>>>(
  list: z.ZodArray<E>,
  key: string & keyof z.output<E>,
): z.ZodArray<E> {
  const meta = list.meta() ?? {};
  const message = `Duplicate value: ${key} must be unique in the list`;
  return list
    .refine((entries) => new Set(entries.map((entry) => entry[key])).size === entries.length, { message })
    .meta({ ...meta, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': [key] });
}

/** Words as the API server takes them. */
function taken(words = ''): string | undefined {
  const trimmed = words.trim();
  const isUsable =
    trimmed !== '' && !/[\r\n]/.test(trimmed) && new TextEncoder().encode(trimmed).length <= 5120;
  return isUsable ? trimmed : undefined;
}

function withValidation(
  meta: Record<string, unknown>,
  { cel, message, words }: Pick<Rule<never>, 'cel' | 'message' | 'words'>,
) {
  const earlier = (meta[validationsKey] ?? []) as object[];
  const said = words === undefined ? { message } : { message, messageExpression: words.cel };
  return { [validationsKey]: [...earlier, { rule: cel, ...said }] };
}
