import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { SpecCase } from '../../testing/specCase.ts';
import { apiInstanceCases, apiSchemaCases } from '../../testing/specCases.ts';
import { zodRefusal } from '../../testing/zodRefusal.ts';
import { apiInstanceSpec } from './apiInstance.ts';
import { apiInstanceStatus } from './apiInstanceStatus.ts';
import { apiSchemaSpec } from './apiSchema.ts';
import { apiSchemaStatus } from './apiSchemaStatus.ts';
import { namedApiInstance, namedApiSchema } from './nameRule.ts';
import { atMost, keyedList, matching, rule } from './rule.ts';

interface Counted {
  readonly path: string;
  /** Refinements, which zod alone knows. */
  readonly refinements: number;
  /** What the CRD says of them: rules, keys of a list, bounds of a map. */
  readonly twins: number;
}

/** Counts both sides at every node of a schema that has either. */
function count(schema: z.core.$ZodType, path: string): Counted[] {
  const { def } = schema._zod;
  const checks = (def.checks ?? []).map((check) => check._zod.def.check);
  const here = meta(schema);
  const validations = (here['x-kubernetes-validations'] ?? []) as { rule: string }[];
  const twins =
    validations.filter((validation) => !validation.rule.includes('oldSelf')).length +
    (here['x-kubernetes-list-type'] === 'map' ? 1 : 0) +
    (here['maxProperties'] === undefined ? 0 : 1);
  const refinements = checks.filter((check) => check === 'custom').length;
  // An overwrite (trim, toLowerCase) would change a value that the API server keeps as it is.
  expect(checks, `${path} overwrites its value`).not.toContain('overwrite');
  const found = refinements + twins > 0 ? [{ path, refinements, twins }] : [];
  return [...found, ...inside(schema).flatMap(([name, inner]) => count(inner, `${path}${name}`))];
}

function meta(schema: z.core.$ZodType): Record<string, unknown> {
  return z.globalRegistry.get(schema) ?? {};
}

function inside(schema: z.core.$ZodType): [string, z.core.$ZodType][] {
  if (schema instanceof z.ZodObject)
    return Object.entries(schema.shape).map(([name, field]) => [`.${name}`, field as z.core.$ZodType]);
  if (schema instanceof z.ZodArray) return [['[]', schema.element]];
  if (schema instanceof z.ZodRecord)
    return [
      ['{key}', schema.keyType],
      ['{}', schema.valueType],
    ];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)
    return [['', schema.unwrap()]];
  if (meta(schema)['x-kubernetes-int-or-string'] === true) return [];
  const leaves = ['string', 'int', 'number', 'boolean', 'enum'];
  if (!leaves.includes(schema._zod.def.type))
    throw new Error(`count() does not know ${schema._zod.def.type}`);
  return [];
}

describe('every refinement has its twin in the CRD, and every rule of the CRD its refinement', () => {
  test.each([
    ['ApiSchema', namedApiSchema, apiSchemaSpec, apiSchemaStatus],
    ['ApiInstance', namedApiInstance, apiInstanceSpec, apiInstanceStatus],
  ])('%s', (_kind, root, spec, status) => {
    const counted = [...count(root, ''), ...count(spec, '.spec'), ...count(status, '.status')];
    expect(counted.filter(({ refinements, twins }) => refinements !== twins)).toEqual([]);
    expect(counted.length).toBeGreaterThan(4);
  });

  test('a refinement without a twin is found', () => {
    const alone = z.object({ name: z.string().refine((name) => name !== '') });
    expect(count(alone, '')).toEqual([{ path: '.name', refinements: 1, twins: 0 }]);
  });

  test('a rule without a refinement is found', () => {
    const alone = z.string().meta({ 'x-kubernetes-validations': [{ rule: 'self != ""', message: '' }] });
    expect(count(alone, '')).toEqual([{ path: '', refinements: 0, twins: 1 }]);
  });
});

const cases: readonly [string, readonly SpecCase[]][] = [
  ['ApiSchema', apiSchemaCases],
  ['ApiInstance', apiInstanceCases],
];
describe.each(cases)('zod, given an %s with', (_kind, rows) => {
  test.each(rows)('$sentence', ({ object, refusal }) => {
    const words = zodRefusal(object);
    // What the server alone refuses, and what it takes, zod takes.
    if (refusal === undefined || 'server' in refusal) expect(words).toBeUndefined();
    else if ('rule' in refusal) expect(words).toContain(refusal.rule);
    else expect(words).toBeDefined();
  });
});

test('no sentence is there twice', () => {
  for (const [, rows] of cases) {
    const sentences = rows.map(({ sentence }) => sentence);
    expect(new Set(sentences).size).toBe(sentences.length);
  }
});

describe('rule', () => {
  const even = { cel: 'self % 2 == 0', js: (n: number) => n % 2 === 0, message: 'must be even' };
  const small = { cel: 'self < 10', js: (n: number) => n < 10, message: 'must be small' };

  test('keeps what the schema said before, and the rules in their order', () => {
    const schema = rule(rule(z.int().describe('A number.'), even), small);
    expect(schema.meta()).toEqual({
      description: 'A number.',
      'x-kubernetes-validations': [
        { rule: even.cel, message: even.message },
        { rule: small.cel, message: small.message },
      ],
    });
    expect(schema.safeParse(11).error?.issues.map(({ message }) => message)).toEqual([
      'must be even',
      'must be small',
    ]);
  });

  test('says in the CRD and in TypeScript which value is wrong', () => {
    const words = { cel: "string(self) + ' is odd'", js: (n: number) => `${n} is odd` };
    const schema = rule(z.int(), { ...even, words });
    expect(schema.meta()).toEqual({
      'x-kubernetes-validations': [{ rule: even.cel, message: even.message, messageExpression: words.cel }],
    });
    expect(schema.safeParse(3).error?.issues.map(({ message }) => message)).toEqual(['3 is odd']);
    expect(schema.safeParse(4).success).toBe(true);
  });

  test('writes a pattern as CEL, and refuses one that CEL would have to escape', () => {
    expect(matching(z.string(), /^[a-z]+$/, 'letters').meta()).toEqual({
      'x-kubernetes-validations': [{ rule: "self.matches('^[a-z]+$')", message: 'letters' }],
    });
    expect(() => matching(z.string(), /\d/, 'digits')).toThrow('quotes and backslashes');
    expect(() => matching(z.string(), /'/, 'quotes')).toThrow('quotes and backslashes');
    expect(() => matching(z.string(), /a/i, 'flags')).toThrow('flags');
  });

  test('bounds a map', () => {
    const map = atMost(z.record(z.string(), z.int()), 1);
    expect(map.safeParse({ a: 1 }).success).toBe(true);
    expect(map.safeParse({ a: 1, b: 2 }).success).toBe(false);
  });

  test('tells the entries of a list apart by their key', () => {
    const list = keyedList(z.array(z.object({ name: z.string() })), 'name');
    expect(list.safeParse([{ name: 'a' }, { name: 'b' }]).success).toBe(true);
    expect(list.safeParse([{ name: 'a' }, { name: 'a' }]).success).toBe(false);
  });
});
