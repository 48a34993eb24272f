import { expect, test } from 'vitest';
import { audit } from './audit.ts';
import type { StructuralSchema } from './toStructural.ts';

const flag: StructuralSchema = { type: 'boolean', description: 'A flag.' };

test('what is described and bounded passes', () => {
  const schema: StructuralSchema = {
    type: 'object',
    properties: {
      flag,
      text: { type: 'string', description: 'A text.', maxLength: 3 },
      choice: { type: 'string', description: 'A choice.', enum: ['a'] },
      time: { type: 'string', description: 'A time.', format: 'date-time' },
      list: { type: 'array', description: 'A list.', maxItems: 3, items: { type: 'string', maxLength: 3 } },
      map: { type: 'object', description: 'A map.', maxProperties: 3, additionalProperties: flag },
    },
  };
  expect(audit(schema, '.spec')).toEqual([]);
});

test.each<[string, StructuralSchema, string]>([
  [
    'a property without a description',
    { type: 'object', properties: { a: { type: 'boolean' } } },
    '.spec.a: has no description',
  ],
  ['a string without a bound', { type: 'string' }, '.spec: a string without maxLength'],
  [
    'a number or text without a bound',
    { 'x-kubernetes-int-or-string': true },
    '.spec: a string without maxLength',
  ],
  ['a list without a bound', { type: 'array', items: flag }, '.spec: a list without maxItems'],
  [
    'a map without a bound',
    { type: 'object', additionalProperties: flag },
    '.spec: a map without maxProperties',
  ],
  [
    'a string in a list',
    { type: 'array', maxItems: 1, items: { type: 'string' } },
    '.spec[]: a string without maxLength',
  ],
  [
    'a string in a map',
    { type: 'object', maxProperties: 1, additionalProperties: { type: 'string' } },
    '.spec{}: a string without maxLength',
  ],
  [
    'a description deep below',
    {
      type: 'array',
      maxItems: 1,
      items: {
        type: 'object',
        properties: { a: { ...flag, type: 'object', properties: { b: { type: 'boolean' } } } },
      },
    },
    '.spec[].a.b: has no description',
  ],
  [
    'a rule with a pattern that RE2 has not',
    { ...flag, 'x-kubernetes-validations': [{ rule: "self.matches('(?=a)')", message: '' }] },
    ".spec: the rule self.matches('(?=a)') uses look-around (?=, which RE2 has not",
  ],
  [
    'words of a rule with such a pattern',
    {
      ...flag,
      'x-kubernetes-validations': [
        { rule: 'self', message: '', messageExpression: "self.matches('(?=a)') ? 'a' : 'b'" },
      ],
    },
    ".spec: the rule self.matches('(?=a)') ? 'a' : 'b' uses look-around (?=, which RE2 has not",
  ],
])('%s is named with its path', (_what, schema, problem) => {
  expect(audit(schema, '.spec')).toEqual([problem]);
});
