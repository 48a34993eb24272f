import { z } from 'zod';
import { audit } from './audit.ts';
import type { Kind } from './kinds.ts';
import { toStructural, type JsonSchema, type StructuralSchema, type Validation } from './toStructural.ts';

/** The schemas of a kind as its CRD has them. */
export interface KindSchemas {
  readonly spec: StructuralSchema;
  readonly status: StructuralSchema;
  /** Rules over the root of the object. */
  readonly validations: readonly Validation[];
}

/**
 * The structural schemas of a kind. Throws an error that lists everything that a CRD cannot express, that lacks a
 * description, and that has no bound, each with its path.
 */
export function schemasOf(kind: Kind): KindSchemas {
  const spec = structural(kind.spec, '.spec');
  const status = structural(kind.status, '.status');
  const problems = [
    ...spec.problems,
    ...status.problems,
    ...audit(spec.schema, '.spec'),
    ...audit(status.schema, '.status'),
  ];
  if (problems.length > 0) throw new Error(`${kind.kind} cannot be a CRD:\n  ${problems.join('\n  ')}`);
  const root = toJsonSchema(kind.root);
  return {
    spec: spec.schema,
    status: status.schema,
    validations: (root['x-kubernetes-validations'] ?? []) as Validation[],
  };
}

function structural(schema: z.ZodType, path: string) {
  return toStructural(toJsonSchema(schema), path);
}

/**
 * zod's JSON schema of what users write (io `input`: a field with a default is not required). What zod leaves out
 * without a word, checks of a record's keys and flags of a pattern, is put back, so that `toStructural` complains.
 */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: 'input',
    reused: 'inline',
    cycles: 'throw',
    unrepresentable: 'throw',
    override({ zodSchema, jsonSchema }) {
      const { def } = zodSchema._zod;
      const found = jsonSchema as Record<string, unknown>;
      const flags = (def.checks ?? []).map(flagsOf).join('');
      if (flags !== '') found['patternFlags'] = flags;
      if (def.type !== 'record') return;
      const { keyType } = def;
      const isPlain = keyType._zod.def.type === 'string' && (keyType._zod.def.checks ?? []).length === 0;
      if (!isPlain) found['propertyNames'] = {};
    },
  });
}

function flagsOf(check: z.core.$ZodCheck): string {
  const { def } = check._zod;
  return 'pattern' in def && def.pattern instanceof RegExp ? def.pattern.flags : '';
}
