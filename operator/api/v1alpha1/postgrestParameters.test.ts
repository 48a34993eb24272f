import { expect, test } from 'vitest';
import { canonicalConfig, ownedParameters, postgrestConfig } from './postgrestConfig.ts';
import { meaningOf } from './postgrestMeaning.ts';
import { postgrestParameters } from './postgrestParameters.ts';

const names = postgrestParameters.map(({ name }) => name);

test('the parameters are in alphabetical order, and none is there twice', () => {
  expect(names).toEqual([...new Set(names)].sort());
});

test.each(postgrestParameters)('the default of $name is one that may be said', (parameter) => {
  const { name, default: byDefault, owned } = parameter;
  if (byDefault === undefined || owned !== undefined) return;
  expect(postgrestConfig.safeParse({ [name]: byDefault }).error).toBeUndefined();
});

test('the operator sets what it sets itself, and the number of the revision', () => {
  const marked = postgrestParameters.filter(({ owned }) => owned !== undefined).map(({ name }) => name);
  expect(ownedParameters).toEqual([...marked, 'app-settings-revision']);
});

test('a revision keeps texts', () => {
  expect(canonicalConfig({ 'db-max-rows': 10, 'jwt-aud': '010' })).toEqual({
    'db-max-rows': '10',
    'jwt-aud': '010',
  });
});

test.each<[string, string | undefined, string | undefined]>([
  ['db-pool', undefined, '10'],
  ['db-pool', '0010', '10'],
  // The operator chooses another one behind the pooler.
  ['db-pool-max-lifetime', undefined, undefined],
  ['db-plan-enabled', 'TRUE', 'true'],
  ['db-plan-enabled', '0', 'false'],
  ['db-extra-search-path', '', ''],
  ['db-extra-search-path', 'a , b', 'a,b'],
  ['db-anon-role', '', undefined],
  ['app-settings-x', 'a', 'a'],
])('to PostgREST %s=%s means %s', (name, value, meaning) => {
  expect(meaningOf(name, value)).toBe(meaning);
});
