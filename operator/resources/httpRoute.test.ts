import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { containsDesired } from '../runtime/contains.ts';
import type { KubeObject } from '../runtime/object.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { httpRoute, type HttpRoute } from './httpRoute.ts';

const spec = instanceSpec({
  expose: {
    host: 'shop.example.com',
    path: '/todo',
    router: 'GatewayAPI',
    parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
    timeouts: { request: '25s' },
  },
  rollout: { from: { service: { name: 'fastapi', port: 8000 } } },
});
const canary = { revision: 4, weight: 10 };

test.each([
  ['httpRoute', { main: 'stable', canary, preview: 'preview-value' }],
  ['httpRouteFrom', { main: 'from', canary, preview: undefined }],
] as const)('%s is built as its golden file has it', async (name, intent) => {
  const text = stringify(httpRoute(owner, spec, intent), { lineWidth: 0, aliasDuplicateObjects: false });
  await expect(text).toMatchFileSnapshot(`__golden__/${name}.yaml`);
});

test('a backend that somebody added is seen, although backends have names', () => {
  const desired = httpRoute(owner, spec, { main: 'stable', canary, preview: undefined }) as HttpRoute;
  const added = { name: 'elsewhere', port: 80, weight: 5 };
  const rules = (desired.spec?.rules ?? []).map((rule) => ({
    ...rule,
    backendRefs: [...(rule.backendRefs ?? []), added],
  }));
  const observed: KubeObject = { ...desired, spec: { ...desired.spec, rules } };
  expect(containsDesired(desired, desired)).toBe(true);
  expect(containsDesired(observed, desired)).toBe(false);
});

test('nothing leads to a service of somebody else that the spec does not name', () => {
  const without = instanceSpec({ expose: { host: 'shop.example.com' } });
  expect(() => httpRoute(owner, without, { main: 'from', canary: undefined, preview: undefined })).toThrow(
    'spec.rollout.from',
  );
});
