import { expect, test } from 'vitest';
import { createFakeKube } from '../testing/fakeKube.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { createNginxAnnotationsRouter } from './nginxAnnotations.ts';

const namespace = 'ingress-nginx';
const kube = createFakeKube();
const router = createNginxAnnotationsRouter(kube.client, { namespace, name: 'controller' });
const endpoint = (ip: string, ready?: boolean) => ({
  addresses: [ip],
  conditions: ready === undefined ? {} : { ready },
});
kube.put({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'controller-abc', namespace, labels: { 'kubernetes.io/service-name': 'controller' } },
  ports: [
    { name: 'http', port: 8080 },
    { name: 'https', port: 8443 },
  ],
  endpoints: [endpoint('10.0.0.1', true), endpoint('10.0.0.2', false), endpoint('10.0.0.3')],
});
kube.put({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'other-abc', namespace, labels: { 'kubernetes.io/service-name': 'other' } },
  ports: [{ name: 'http', port: 80 }],
  endpoints: [endpoint('10.0.0.4', true)],
});

test.each([
  ['a host without TLS where the controller speaks plainly', {}, { port: 8080 }],
  ['a host with TLS where it speaks TLS', { tls: { secretName: 'todo-tls' } }, { port: 8443, tls: true }],
])('each ready pod of the controller is asked for %s', async (_, expose, place) => {
  const spec = instanceSpec({ expose: { host: 'todo.example.com', ...expose } });
  expect(await router.dataPlane(spec, new AbortController().signal)).toEqual([
    { ip: '10.0.0.1', ...place },
    { ip: '10.0.0.3', ...place },
  ]);
});

test('the stable Service is asked by a path of its own, the two routes by the cookie, and the weights by neither', () => {
  const spec = instanceSpec({ expose: { host: 'todo.example.com', path: '/todo' } });
  const asked = (kind: 'weights' | 'main' | 'canary' | 'stable') => {
    const { path, headers } = router.probe(owner, spec, kind);
    return [path, headers['Cookie']];
  };
  expect(asked('weights')).toEqual(['/todo', undefined]);
  expect(asked('main')).toEqual(['/todo', 'pgrst-7c3ae1a4=never']);
  expect(asked('canary')).toEqual(['/todo', 'pgrst-7c3ae1a4=always']);
  expect(asked('stable')).toEqual(['/todo/.pgrst-7c3ae1a4', undefined]);
});

test('what is asked stays below the limit that clients have', () => {
  const rateLimit = { requestsPerSecond: 20 };
  const limited = instanceSpec({ expose: { host: 'todo.example.com', rateLimit } });
  expect(router.probe(owner, limited, 'weights').perSecond).toBe(8);
  expect(router.probe(owner, instanceSpec(), 'weights').perSecond).toBeUndefined();
});
