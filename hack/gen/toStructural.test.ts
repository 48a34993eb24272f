import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { intOrString } from '../../operator/api/v1alpha1/shared.ts';
import { toJsonSchema } from './schemas.ts';
import { toStructural } from './toStructural.ts';

const convert = (schema: z.ZodType) => toStructural(toJsonSchema(schema), '.spec');
const schemaOf = (schema: z.ZodType) => {
  const { schema: structural, problems } = convert(schema);
  expect(problems).toEqual([]);
  return structural;
};

describe('a structural schema', () => {
  test('keeps type, description, bounds and default, in a fixed order', () => {
    const schema = schemaOf(z.string().min(1).max(9).regex(/^a+$/).default('a').describe('A text.'));
    expect(JSON.stringify(schema)).toBe(
      '{"description":"A text.","type":"string","pattern":"^a+$","minLength":1,"maxLength":9,"default":"a"}',
    );
  });

  test.each([
    ['an integer without bounds', z.int(), { type: 'integer', format: 'int64' }],
    ['one with a lower bound', z.int().min(0), { type: 'integer', format: 'int64', minimum: 0 }],
    [
      'one within 32 bits',
      z.int().min(0).max(100),
      { type: 'integer', format: 'int32', minimum: 0, maximum: 100 },
    ],
    [
      'one beyond 32 bits',
      z
        .int()
        .min(0)
        .max(2 ** 31),
      { type: 'integer', format: 'int64', minimum: 0, maximum: 2 ** 31 },
    ],
    ["a time, whose check is the server's own", z.iso.datetime(), { type: 'string', format: 'date-time' }],
    ['a format that the server ignores', z.string().meta({ format: 'email' }), { type: 'string' }],
    ['a choice', z.enum(['a', 'b']), { type: 'string', enum: ['a', 'b'] }],
    ['something that may be null', z.boolean().nullable(), { type: 'boolean', nullable: true }],
    [
      'a strict object',
      z.strictObject({ a: z.boolean() }),
      { type: 'object', required: ['a'], properties: { a: { type: 'boolean' } } },
    ],
    [
      'a field with a default, which is not required',
      z.object({ a: z.boolean().default(false) }),
      { type: 'object', properties: { a: { type: 'boolean', default: false } } },
    ],
    [
      'a map',
      z.record(z.string(), z.boolean()),
      { type: 'object', additionalProperties: { type: 'boolean' } },
    ],
    [
      'a whole number or a text',
      intOrString(9).describe('Either.'),
      {
        description: 'Either.',
        maxLength: 9,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        'x-kubernetes-int-or-string': true,
      },
    ],
    [
      'a list with its Kubernetes keys',
      z.array(z.boolean()).max(3).meta({ 'x-kubernetes-list-type': 'atomic' }),
      { type: 'array', maxItems: 3, items: { type: 'boolean' }, 'x-kubernetes-list-type': 'atomic' },
    ],
  ])('of %s', (_what, schema, expected) => {
    expect(schemaOf(schema)).toEqual(expected);
  });
});

describe('what a structural schema cannot say is named with its path', () => {
  test.each([
    [
      'a union',
      z.object({ a: z.union([z.int(), z.string()]) }),
      '.spec.a: anyOf cannot be expressed in a structural schema',
    ],
    [
      'a discriminated union',
      z.array(
        z.discriminatedUnion('kind', [
          z.object({ kind: z.literal('a') }),
          z.object({ kind: z.literal('b') }),
        ]),
      ),
      '.spec[]: oneOf cannot be expressed in a structural schema',
    ],
    [
      'two patterns of one string',
      z.string().regex(/a/).regex(/b/),
      '.spec: allOf cannot be expressed in a structural schema',
    ],
    [
      'a pattern with flags',
      z.object({ a: z.string().regex(/a/i) }),
      '.spec.a: patternFlags cannot be expressed in a structural schema',
    ],
    ['anything', z.object({ a: z.unknown() }), '.spec.a: has no single type'],
    ['an open object', z.looseObject({}), '.spec{}: has no single type'],
    [
      'keys of a map that are more than strings',
      z.object({ a: z.record(z.string().max(3), z.boolean()) }),
      '.spec.a: propertyNames cannot be expressed in a structural schema',
    ],
    [
      'look-around',
      z.object({ a: z.object({ b: z.string().regex(/^(?=a)/) }) }),
      '.spec.a.b: the pattern ^(?=a) uses look-around (?=; the API server has RE2, which has not',
    ],
    [
      'a back-reference in the values of a map',
      z.record(z.string(), z.string().regex(/(a)\1/)),
      '.spec{}: the pattern (a)\\1 uses the back-reference \\1; the API server has RE2, which has not',
    ],
  ])('%s', (_what, schema, problem) => {
    expect(convert(schema).problems).toContain(problem);
  });

  test('a date, which JSON does not have, throws', () => {
    expect(() => convert(z.date())).toThrow('Date cannot be represented');
  });
});
