import { describe, expect, test } from 'vitest';
import { instanceContent, owner } from '../testing/resourceCases.ts';
import {
  channelOf,
  readWrittenSettings,
  settingsConfigMap,
  settingsToken,
  type SettingsSource,
} from './settingsFile.ts';

const source = (config: Record<string, string>, more: Partial<SettingsSource> = {}): SettingsSource => ({
  number: 3,
  content: instanceContent({ postgrest: { config } }),
  reloadAt: undefined,
  ...more,
});
const textOf = (from: SettingsSource, mark?: 'profile' | 'traceHeader'): string => {
  const { data } = settingsConfigMap(owner, 2, from, mark, undefined) as unknown as {
    data: Record<string, string>;
  };
  return data['postgrest.conf'] ?? '';
};

describe('the settings file', () => {
  test.each([
    ['a number', 'db-max-rows', '5', 'db-max-rows = "5"'],
    ['quotes and backslashes', 'app-settings-a', 'x"\\', 'app.settings.a = "x\\"\\\\"'],
    ['a dollar, which would begin a variable', 'app-settings-a', '$(HOME)', 'app.settings.a = "$$(HOME)"'],
    ['a line break', 'app-settings-a', 'x\ny', 'app.settings.a = "x\\ny"'],
    ['a name with dashes', 'app-settings-tax-rate', '7', 'app.settings.tax_rate = "7"'],
    ['the exposed schema', 'db-pre-request', 'api.check', 'db-pre-request = "api_12ab34cd.check"'],
  ])('has %s', (_, name, value, line) => {
    expect(textOf(source({ [name]: value })).split('\n')).toContain(line);
  });

  test('leaves out what a pod starts with', () => {
    expect(textOf(source({ 'db-pool': '5' }))).not.toContain('db-pool');
  });

  test('shows itself by a profile only where PostgREST does not mind a schema that is not there', () => {
    const token = settingsToken(source({}));
    expect(textOf(source({}))).toContain('db-schemas = "api_12ab34cd"\n');
    expect(textOf(source({}), 'profile')).toContain(`db-schemas = "api_12ab34cd,pgrst-settings-${token}"\n`);
    expect(textOf(source({}), 'traceHeader')).toContain('db-schemas = "api_12ab34cd"\n');
    expect(textOf(source({}))).toContain(`server-trace-header = "X-Pgrst-Settings-${token}"\n`);
  });
});

test.each([
  ['another value', source({ 'db-max-rows': '6' })],
  ['another revision of the same values', source({ 'db-max-rows': '5' }, { number: 4 })],
  ['a reload that somebody asked for', source({ 'db-max-rows': '5' }, { reloadAt: '2026-11-21T12:00:00Z' })],
])('%s is another token', (_, other) => {
  expect(settingsToken(other)).not.toBe(settingsToken(source({ 'db-max-rows': '5' })));
});

test('the metadata tell whose settings they are and since when', () => {
  const at = Date.parse('2026-11-21T12:00:00.500Z');
  const written = readWrittenSettings(settingsConfigMap(owner, 2, source({}), undefined, at));
  expect(written).toEqual({ revision: 3, token: settingsToken(source({})), writtenAt: at });
  const first = readWrittenSettings(settingsConfigMap(owner, 2, source({}), undefined, undefined));
  expect(first?.writtenAt).toBeUndefined();
});

test.each([
  ['a channel of its own for each pod', {}, 'api_12ab34cd', 'pod-1'],
  ['the channel that the spec names', { 'db-channel': 'mine' }, 'api_12ab34cd', 'mine'],
  ["PostgREST's own where a release takes the place of the one before", {}, 'api', 'pgrst'],
])('%s', (_, config, schema, channel) => {
  const content = instanceContent({ postgrest: { config } });
  expect(channelOf({ ...content, release: { ...content.release, schema } }, 'pod-1')).toBe(channel);
});
