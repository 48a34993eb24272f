import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { createKubectl } from '../hack/kube/kubectl.ts';
import { ask } from './support/ask.ts';
import { legacyBackend, startLegacy } from './support/backends.ts';
import { condition, ready } from './support/conditions.ts';
import { exampleRequests, runJourney } from './support/journey.ts';
import type { Manifest, WrittenInstance } from './support/manifests.ts';
import { openTlsWay, selfMade, type TlsWay } from './support/tls.ts';

const cluster = inject('cluster');
const kubectl = createKubectl(cluster);
const preview = randomBytes(8).toString('hex');

const exposed = (spec: WrittenInstance): WrittenInstance => ({
  ...spec,
  expose: {
    ...spec.expose,
    tls: { secretName: 'tasks-tls' },
    routes: [
      { path: '/v1', to: '/' },
      { path: '/v1/todos', to: '/tasks' },
      { path: '/v1/add', to: '/rpc/add_task' },
      { path: '/files', service: legacyBackend },
    ],
    bodySize: '16Ki',
    preview: { valueSecretRef: { name: 'tasks-preview', key: 'value' } },
  },
  // Before the first share somebody may have a look.
  rollout: { steps: [{ pause: {} }, { weight: 50 }] },
});

/** Half of the load goes the old paths. */
const requests = [
  ...exampleRequests,
  { method: 'GET', path: '/v1/todos?order=id.desc&limit=10' },
  { method: 'GET', path: '/v1/open_tasks?limit=5' },
  { method: 'GET', path: '/v1/todos?select=id,title&limit=1' },
  { method: 'POST', path: '/v1/add', body: '{"title":"by an old path"}' },
] as const;

let way: TlsWay;
let certificate: { readonly cert: string; readonly key: string };
beforeAll(async () => {
  certificate = await selfMade('*.example.test');
  way = await openTlsWay(kubectl, cluster.provider);
});
afterAll(() => {
  way.stop();
});

const secrets = (namespace: string): Manifest[] => [
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tasks-tls', namespace },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': certificate.cert, 'tls.key': certificate.key },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tasks-preview', namespace },
    stringData: { value: preview },
  },
];

test('over TLS: old paths, another service, profiles, large bodies, and a preview at 0 %', () =>
  runJourney(
    'routes',
    async (journey) => {
      const { instance, namespace, host } = journey;
      const { url } = way;
      const get = (path: string, headers: Readonly<Record<string, string>> = {}) =>
        ask(url, host, path, { headers });

      // The proofs were made over TLS, too: without it the ingress answers nobody.
      expect((await ask(cluster.ingressUrl, host, '/tasks')).status).toBe(308);
      expect((await way.certificate(host)).subjectaltname).toBe('DNS:*.example.test');
      expect(condition(instance.current() ?? fail(), 'TrafficProved')?.status).toBe('True');

      const add = (description: string) =>
        ask(url, host, '/v1/add', {
          method: 'POST',
          headers: { 'Content-Type': 'application/json' },
          body: JSON.stringify({ title: 'by an old path', description }),
        });

      expect(await add('first')).toMatchObject({ status: 200 });
      const { body } = await get('/v1/todos?select=title&description=eq.first');
      expect(JSON.parse(body)).toEqual([{ title: 'by an old path' }]);
      expect(JSON.parse((await get('/v1')).body)).toMatchObject({ swagger: '2.0' });
      expect((await get('/v1/nothing')).status).toBe(404);
      expect(await get('/tasks?limit=1', { 'Accept-Profile': 'api' })).toMatchObject({
        status: 200,
        headers: { 'content-profile': 'api' },
      });
      expect((await get('/tasks?limit=1', { 'Accept-Profile': 'data' })).status).toBe(406);

      expect((await get('/files/1')).status, 'nobody is there yet').toBe(502);
      await startLegacy(kubectl, namespace, cluster.images.gate);
      await expect
        .poll(() => get('/files/1'), { timeout: 30_000 })
        .toMatchObject({ status: 200, body: 'here\n', headers: { 'x-pgrst-revision': '1' } });

      expect((await add('x'.repeat(15_000))).status).toBe(200);
      expect((await add('x'.repeat(20_000))).status).toBe(413);

      await journey.applySchema('v2');
      const held = await instance.until('the pause before the first share', ({ status }) => {
        return status?.traffic?.revision === 2 && status.pausedSince !== undefined;
      });
      expect(held.status?.traffic).toMatchObject({ revision: 2, weight: 0 });
      const path = '/v1/todos?select=due&limit=1';
      await expect
        .poll(() => get(path, { 'X-Pgrst-Preview': preview }), { timeout: 15_000 })
        .toMatchObject({ status: 200, headers: { 'x-pgrst-revision': '2' } });
      expect(await get(path, { 'X-Pgrst-Preview': 'always' })).toMatchObject({
        status: 400,
        headers: { 'x-pgrst-revision': '1' },
      });
      expect(await journey.answering(200), 'nobody else is led there').toEqual(['1']);

      await journey.action('promote');
      await instance.until('revision 2 is stable and Ready', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
      expect(await journey.answering(200)).toEqual(['2']);
      expect(await get('/tasks?limit=1', { 'X-Pgrst-Preview': preview })).toMatchObject({ status: 200 });
    },
    exposed,
    { url: way.url, requests, beside: secrets },
  ));

function fail(): never {
  throw new Error('there is no ApiInstance');
}
