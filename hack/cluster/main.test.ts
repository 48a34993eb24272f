import { expect, it } from 'vitest';
import { parse } from './main.ts';

it('reads commands and options', () => {
  expect(parse(['up', '--provider', 'kind', '--yes'])).toEqual({
    command: 'up',
    provider: 'kind',
    ingressUrl: undefined,
    yes: true,
  });
  expect(parse(['status', '-h'])).toBe('help');
});

it.each([
  [[], /Which command/],
  [['start'], /no command "start"/],
  [['up', 'now'], /"now" makes no sense/],
  [['up', '--force'], /--force/],
])('refuses %j', (args, message) => {
  expect(() => parse(args)).toThrow(message);
});
