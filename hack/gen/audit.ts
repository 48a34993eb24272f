import type { StructuralSchema } from './toStructural.ts';
import { notInRe2 } from './re2.ts';

/**
 * What a structural schema lacks for our purposes, one sentence for each: every property is described, because the
 * description is the documentation (kubectl explain, docs/reference); everything of variable size is bounded, because
 * the API server refuses a CRD whose CEL rules could cost too much and assumes the worst of what has no bound.
 */
export function audit(schema: StructuralSchema, path: string): string[] {
  const problems = [...bounds(schema, path), ...patterns(schema, path)];
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.description === undefined) problems.push(`${path}.${name}: has no description`);
    problems.push(...audit(field, `${path}.${name}`));
  }
  if (schema.items) problems.push(...audit(schema.items, `${path}[]`));
  if (schema.additionalProperties) problems.push(...audit(schema.additionalProperties, `${path}{}`));
  return problems;
}

function bounds(schema: StructuralSchema, path: string): string[] {
  const isBounded = schema.enum !== undefined || schema.format === 'date-time';
  const isText = schema.type === 'string' || schema['x-kubernetes-int-or-string'] === true;
  if (isText && schema.maxLength === undefined && !isBounded) return [`${path}: a string without maxLength`];
  if (schema.type === 'array' && schema.maxItems === undefined) return [`${path}: a list without maxItems`];
  if (schema.additionalProperties && schema.maxProperties === undefined)
    return [`${path}: a map without maxProperties`];
  return [];
}

/** CEL's `matches` takes RE2 as well. */
function patterns(schema: StructuralSchema, path: string): string[] {
  const validations = schema['x-kubernetes-validations'] ?? [];
  const expressions = validations.flatMap(({ rule, messageExpression = '' }) => [rule, messageExpression]);
  return expressions.flatMap((rule) =>
    [...rule.matchAll(/\.matches\('([^']*)'\)/g)].flatMap(([, source = '']) => {
      const found = notInRe2(source);
      return found === undefined ? [] : [`${path}: the rule ${rule} uses ${found}, which RE2 has not`];
    }),
  );
}
