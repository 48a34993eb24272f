import { describe, expect, test } from 'vitest';
import { behaviourOf, postgrestBehaviours, versionOf } from './postgrestVersions.ts';

describe('the version in the Server header', () => {
  test.each<[string | undefined, string | undefined]>([
    ['postgrest/12.0.2', '12.0.2'],
    ['postgrest/12.2.12 (a1b2c3d)', '12.2.12'],
    ['postgrest/14.18', '14.18'],
    ['postgrest/16.4 (0123abc)', '16.4'],
    ['postgrest/17-devel', undefined],
    ['postgrest/16.4-rc1', undefined],
    ['postgrest/1.2.3.4', undefined],
    ['nginx/1.26.3', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%s is %s', (server, version) => {
    expect(versionOf(server)).toBe(version);
  });
});

describe('the behaviour of a version is that of the row', () => {
  test.each<[string, string | undefined]>([
    ['11.2.2', undefined],
    ['12.0.0', '12.0.0'],
    ['12.0.2', '12.0.0'],
    ['12.2.0', '12.2.0'],
    ['12.2.2', '12.2.2'],
    ['12.2.12', '12.2.2'],
    ['13.0.8', '12.2.2'],
    ['14.0', '14.0.0'],
    ['14.9', '14.0.0'],
    ['14.17', '14.0.0'],
    ['14.18', '14.18.0'],
    ['16.0', '16.0.0'],
    ['16.2', '16.0.0'],
    ['16.3', '16.3.0'],
    ['16.10', '16.3.0'],
    ['99.1', '16.3.0'],
  ])('%s: %s', (version, from) => {
    expect(behaviourOf(version)?.from).toBe(from);
  });

  test('none, when nobody knows the version', () => {
    expect(behaviourOf(undefined)).toBeUndefined();
  });
});

describe('what versions do', () => {
  test.each([
    ['cuts requests short when it stops', 'shutdown', ['cut', 'cut', 'cut', 'cut', 'drained']],
    [
      'loses its cache when a reload fails',
      'failedReload',
      ['clears', 'clears', 'clears', 'clears', 'keeps'],
    ],
    ['shows its configuration', 'settingsMark', ['profile', ...Array<string>(4).fill('traceHeader')]],
    ['has metrics', 'metrics', [false, true, true, true, true]],
    ['has a clock that was mended', 'tokenClockMendedIn', [undefined, undefined, undefined, '14.18', '16.3']],
  ] as const)('%s', (_, field, expected) => {
    const versions = ['12.0.2', '12.2.12', '13.0.8', '14.17', '16.2'];
    expect(versions.map((version) => behaviourOf(version)?.[field])).toEqual(expected);
  });
});

test('the rows are in order, and each differs from the one before', () => {
  const rows = postgrestBehaviours.map(({ from }) => from.split('.').map(Number));
  const ordered = [...rows].sort((a, b) => a.reduce((sign, part, at) => sign || part - (b[at] ?? 0), 0));
  expect(rows).toEqual(ordered);
  const contents = postgrestBehaviours.map(({ from: _, ...rest }) => JSON.stringify(rest));
  contents.forEach((content, at) => {
    expect(content).not.toBe(contents[at - 1]);
  });
});
