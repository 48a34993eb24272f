import { expect, test } from 'vitest';
import { notInRe2 } from './re2.ts';

test.each([
  ['^[a-z]([-a-z0-9]*[a-z0-9])?$'],
  ['^(?:[0-9]+|[a-f]{8})$'],
  ['[(?=]'],
  ['\\(?=x'],
  ['^\\d+\\.\\w$'],
  ['(?<name>a)'],
  ['\\bword\\b'],
  ['a{0,1000}'],
  ['[\\]]\\\\1'],
])('%s means the same in RE2', (source) => {
  expect(notInRe2(source)).toBeUndefined();
});

test.each([
  ['^(?=.)a', 'look-around (?='],
  ['(?!a)b', 'look-around (?!'],
  ['(?<=a)b', 'look-around (?<='],
  ['(?<!a)b', 'look-around (?<!'],
  ['(a)\\1', 'the back-reference \\1'],
  ['(?<n>a)\\k<n>', 'the named back-reference \\k'],
  ['[\\1]', 'the octal escape \\1'],
  ['\\u00e4', 'the escape \\u'],
  ['\\cA', 'the escape \\c'],
  ['a\\s', 'the escape \\s, which differs between the two'],
  ['[\\b]', 'the escape \\b in a class'],
  ['a{1001}', 'a repetition of more than 1000'],
  ['[]a]', 'an empty class'],
  ['[^]a', 'an empty class'],
])('%s has %s, which RE2 has not', (source, what) => {
  expect(notInRe2(source)).toBe(what);
});
