import { z } from 'zod';

/** One validation in both languages: `cel` runs in the API server at `kubectl apply`, `js` in the operator when it reads. */
export interface Rule<T> {
  /** CEL over `self` (https://kubernetes.io/docs/reference/using-api/cel/); everything it walks must be bounded in size. */
  readonly cel: string;
  /** The same predicate in TypeScript; true means valid. */
  readonly js: (value: T) => boolean;
  /** What is wrong and what to do, as `kubectl apply` prints it. */
  readonly message: string;
}

const validationsKey = 'x-kubernetes-validations';

/**
 * Adds a refinement together with its CEL twin. zod's `.refine()` alone would vanish from the CRD without a word, so
 * this is the only way that the API types may refine (a test counts both sides).
 */
export function rule<S extends z.ZodType>(schema: S, twin: Rule<z.output<S>>): S {
  const meta = schema.meta() ?? {};
  const earlier = (meta[validationsKey] ?? []) as { rule: string; message: string }[];
  const refined = schema.refine((value) => twin.js(value), { message: twin.message });
  return refined.meta({
    ...meta,
    [validationsKey]: [...earlier, { rule: twin.cel, message: twin.message }],
  });
}

/**
 * Adds a rule over `self` and `oldSelf`, which only the API server can check: it alone sees both the old and the new
 * object. Transition rules have no TypeScript twin.
 */
export function transition<S extends z.ZodType>(schema: S, twin: { cel: string; message: string }): S {
  const meta = schema.meta() ?? {};
  const earlier = (meta[validationsKey] ?? []) as { rule: string; message: string }[];
  return schema.meta({ ...meta, [validationsKey]: [...earlier, { rule: twin.cel, message: twin.message }] });
}
