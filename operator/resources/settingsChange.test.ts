import { describe, expect, test } from 'vitest';
import { instanceContent } from '../testing/resourceCases.ts';
import type { RevisionContent } from './revision.ts';
import { changeBetween } from './settingsChange.ts';

const config = (parameters: Record<string, string>) => ({ postgrest: { config: parameters } });
const host = 'todo.example.com';
const nothing = instanceContent();

describe('nothing is to be done', () => {
  test.each<[string, Record<string, string>, Record<string, string>]>([
    ['between equal settings', { 'db-max-rows': '10' }, { 'db-max-rows': '10' }],
    ['between a number and one with noughts before it', { 'db-max-rows': '10' }, { 'db-max-rows': '010' }],
    ['between the default and nothing', { 'db-pool': '10' }, {}],
    ['between an empty text and nothing', { 'jwt-aud': '' }, {}],
    ['between true and another spelling of it', { 'db-plan-enabled': 'true' }, { 'db-plan-enabled': '1' }],
    ['between false and nothing, where that is the default', { 'db-plan-enabled': 'FALSE' }, {}],
    [
      'between lists with and without blanks',
      { 'db-extra-search-path': 'a, b' },
      { 'db-extra-search-path': 'a,b' },
    ],
  ])('%s', (_, from, to) => {
    expect(changeBetween(instanceContent(config(from)), instanceContent(config(to)))).toEqual({
      effect: 'None',
      what: [],
    });
  });

  test('between default images of two operators', () => {
    const { gate, postgrest } = nothing;
    const other: RevisionContent = {
      ...nothing,
      gate: { image: { ...gate.image, name: 'gate:99' } },
      postgrest: { ...postgrest, image: { ...postgrest.image, name: 'postgrest:99' } },
    };
    expect(changeBetween(nothing, other).effect).toBe('None');
  });
});

describe('a reload is enough', () => {
  test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    ['for a limit of rows', { 'db-max-rows': '10' }, { 'db-max-rows': '20' }, ['db-max-rows']],
    ['for one that is new', {}, { 'db-max-rows': '20' }, ['db-max-rows']],
    ['for one that is gone', { 'db-max-rows': '20' }, {}, ['db-max-rows']],
    ['for a setting for SQL', {}, { 'app-settings-tenant': 'a' }, ['app-settings-tenant']],
    [
      'for an empty search path: it is not the default',
      {},
      { 'db-extra-search-path': '' },
      ['db-extra-search-path'],
    ],
    [
      'for several',
      { 'openapi-mode': 'disabled' },
      { 'jwt-aud': 'shop', 'db-anon-role': 'web' },
      ['db-anon-role', 'jwt-aud', 'openapi-mode'],
    ],
  ])('%s', (_, from, to, what) => {
    expect(changeBetween(instanceContent(config(from)), instanceContent(config(to)))).toEqual({
      effect: 'Reload',
      what,
    });
  });

  test('for a release that was built in place', () => {
    const from = { ...nothing, release: { id: '00000001', schema: 'api' } };
    const to = { ...nothing, release: { id: '00000002', schema: 'api' } };
    expect(changeBetween(from, to)).toEqual({ effect: 'Reload', what: ['release'] });
  });
});

describe('new pods are needed', () => {
  test.each<[string, Record<string, unknown>, string[]]>([
    ['for the size of the pool', config({ 'db-pool': '20' }), ['db-pool']],
    [
      'for one parameter that is not read anew among those that are',
      config({ 'db-pool': '20', 'db-max-rows': '5' }),
      ['db-max-rows', 'db-pool'],
    ],
    [
      'for the default of what the operator would choose otherwise',
      config({ 'db-prepared-statements': 'true' }),
      ['db-prepared-statements'],
    ],
    ['for an image', { postgrest: { image: 'postgrest:16' } }, ['image']],
    [
      'for another Secret of the JWT key',
      { postgrest: { jwtSecretRef: { name: 'jwt', key: 'key' } } },
      ['jwtSecretRef'],
    ],
    ['for resources', { postgrest: { resources: { limits: { memory: '64Mi' } } } }, ['resources']],
    ['for labels of pods', { postgrest: { podTemplate: { labels: { team: 'a' } } } }, ['podTemplate']],
    ['for routes', { expose: { host, routes: [{ path: '/login', to: '/rpc/login' }] } }, ['routes']],
    [
      'for what the gate is told',
      { expose: { host, bodySize: '1Mi', cors: { allowOrigins: ['https://a.example'] } } },
      ['bodySize', 'cors'],
    ],
    ['for the way to the database', { pooler: {} }, ['database']],
  ])('%s', (_, change, what) => {
    const to = instanceContent(change);
    expect(changeBetween(nothing, to)).toEqual({ effect: 'NewPods', what });
    expect(changeBetween(to, nothing)).toEqual({ effect: 'NewPods', what });
  });

  test('for a parameter that nobody knows: an older revision may have one', () => {
    const { postgrest } = nothing;
    const older = { ...nothing, postgrest: { ...postgrest, config: { 'db-unheard-of': 'x' } } };
    expect(changeBetween(older, nothing)).toEqual({ effect: 'NewPods', what: ['db-unheard-of'] });
  });

  test('for a release in a schema of its own', () => {
    const to = { ...nothing, release: { id: '00000002', schema: 'api_00000002' } };
    expect(changeBetween(nothing, to)).toEqual({ effect: 'NewPods', what: ['release'] });
  });

  test('behind the pooler, where PostgREST hears nothing, for all', () => {
    const pooled = (parameters: Record<string, string>) =>
      instanceContent({ pooler: {}, ...config(parameters) });
    expect(changeBetween(pooled({}), pooled({ 'db-max-rows': '5' }))).toEqual({
      effect: 'NewPods',
      what: ['db-max-rows'],
    });
  });
});
