import { describe, expect, test } from 'vitest';
import { images, instanceContent, instanceSpec, owner } from '../testing/resourceCases.ts';
import { podTemplate } from './podTemplate.ts';
import { contentHash, controllerRevision, readControllerRevision, revisionContent } from './revision.ts';

const base = contentHash(instanceContent());
const host = 'todo.example.com';
const additions = (podTemplate: Record<string, unknown>) => ({ postgrest: { podTemplate } });

describe('a new revision is made of', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a parameter', { postgrest: { config: { 'db-max-rows': '10' } } }],
    ['an image that the spec names', { postgrest: { image: images.postgrest } }],
    ['another key of the JWT secret', { postgrest: { jwtSecretRef: { name: 'jwt', key: 'a' } } }],
    ['resources', { postgrest: { resources: { limits: { memory: '64Mi' } } } }],
    ['another path', { expose: { host: 'todo.example.com', path: '/v2' } }],
    ['a pooler', { pooler: {} }],
    ['a route', { expose: { host, routes: [{ path: '/login', to: '/rpc/login' }] } }],
    ['a statement timeout', { expose: { host, timeouts: { statement: '5s' } } }],
    ['another request timeout', { expose: { host, timeouts: { request: '54s' } } }],
    ['a size of bodies', { expose: { host, bodySize: '1Mi' } }],
    ['origins', { expose: { host, cors: { allowOrigins: ['https://a.example'] } } }],
    ['a label of the pods', additions({ labels: { team: 'web' } })],
    ['a toleration', additions({ tolerations: [{ operator: 'Exists' }] })],
    [
      'another database Secret, where pods connect directly',
      { database: { uriSecretRef: { name: 'x', key: 'uri' } } },
    ],
  ])('%s', (_, change) => {
    expect(contentHash(instanceContent(change))).not.toBe(base);
  });

  test('another release, and another name for its schema', () => {
    const spec = instanceSpec();
    const release = { id: '00000000', schema: 'api_00000000' };
    expect(contentHash(revisionContent({ spec, exposedSchema: 'api', release, images }))).not.toBe(base);
    const other = { id: '12ab34cd', schema: 'api_12ab34cd' };
    expect(contentHash(revisionContent({ spec, exposedSchema: 'v1', release: other, images }))).not.toBe(
      base,
    );
  });
});

describe('no new revision is made of', () => {
  test.each<[string, Record<string, unknown>]>([
    ['a replica count', { replicas: 7 }],
    ['rollout steps', { rollout: { steps: [{ weight: 10 }] } }],
    ['another host or annotation', { expose: { host: 'x.example.com', annotations: { a: 'b' } } }],
    ['suspending', { suspend: true }],
    [
      'the default request timeout, however written',
      { expose: { host, timeouts: { request: '0m55000ms' } } },
    ],
    ['no routes', { expose: { host, routes: [] } }],
    ['a pod template without anything', additions({})],
    [
      'what the router alone is told',
      {
        expose: {
          host,
          tls: { secretName: 'tls' },
          rateLimit: { requestsPerSecond: 5 },
          preview: { valueSecretRef: { name: 'preview', key: 'value' } },
        },
      },
    ],
    ['another router', { expose: { host, router: 'GatewayAPI', parentRefs: [{ name: 'web' }] } }],
    [
      'how a rollout is judged and paced',
      { rollout: { analysis: {}, breaking: 'Hold', capacity: 'ByWeight', progressDeadline: '1m' } },
    ],
    ['a network policy', { networkPolicy: {} }],
  ])('%s', (_, change) => {
    expect(contentHash(instanceContent(change))).toBe(base);
  });

  test("other default images: an operator upgrade rolls nobody's pods", () => {
    const upgraded = { postgrest: 'postgrest:99', gate: 'gate:99', pgbouncer: 'pgbouncer:99' };
    const { release, exposedSchema } = instanceContent();
    const content = revisionContent({ spec: instanceSpec(), exposedSchema, release, images: upgraded });
    expect(contentHash(content)).toBe(base);
  });

  test('the size of a pooler or another Secret behind it: pods see neither', () => {
    const pooled = contentHash(instanceContent({ pooler: {} }));
    const change = { pooler: { replicas: 3 }, database: { uriSecretRef: { name: 'x', key: 'uri' } } };
    expect(contentHash(instanceContent(change))).toBe(pooled);
  });

  test('a number without the quotes around it', () => {
    const hashOf = (limit: number | string) =>
      contentHash(instanceContent({ postgrest: { config: { 'db-max-rows': limit } } }));
    expect(hashOf(10)).toBe(hashOf('10'));
    // As it was when all values were texts: existing revisions stay the same.
    expect(hashOf('10')).toBe('3f15e7a22b5c7bd4');
  });

  test('another order of parameters', () => {
    const hashOf = (config: Record<string, string>) =>
      contentHash(instanceContent({ postgrest: { config } }));
    expect(hashOf({ 'db-max-rows': '1', 'db-anon-role': 'a' })).toBe(
      hashOf({ 'db-anon-role': 'a', 'db-max-rows': '1' }),
    );
  });
});

test('a spec without the newer fields has none of them in its content: older revisions are found again', () => {
  const older = ['release', 'exposedSchema', 'path', 'postgrest', 'gate', 'database'];
  expect(Object.keys(instanceContent())).toEqual(older);
});

test('the hash of a content stays what it is in later versions of the operator: another one would roll every pod', () => {
  expect(base).toBe('f404ca47d7f4f18b');
});

test('a ControllerRevision gives back what it was made of', () => {
  const content = instanceContent({ pooler: {} });
  const template = podTemplate(owner.name, 3, content);
  const stored: unknown = JSON.parse(JSON.stringify(controllerRevision(owner, 3, content, template, 2)));
  expect(readControllerRevision(stored as ReturnType<typeof controllerRevision>)).toEqual({
    number: 3,
    hash: contentHash(content),
    content,
    workload: 2,
    podTemplate: template,
  });
});

test.each([{}, { revision: 1 }, { revision: 1, data: {} }, { revision: '1', data: { hash: 'x' } }])(
  'a ControllerRevision of somebody else (%j) is none of ours',
  (fields) => {
    const object = { apiVersion: 'apps/v1', kind: 'ControllerRevision', metadata: { name: 'x' }, ...fields };
    expect(readControllerRevision(object)).toBeUndefined();
  },
);
