import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpRoute, type RouteIntent } from '../../operator/resources/httpRoute.ts';
import type { Owner } from '../../operator/resources/names.ts';
import { createKubeClient, type ConnectedKubeClient } from '../../operator/runtime/client.ts';
import { sameJson } from '../../operator/runtime/contains.ts';
import { instanceSpec } from '../../operator/testing/resourceCases.ts';
import { createLog } from '../lib/log.ts';
import { applyGatewayApi } from './gateway.ts';
import { kubectlFor, type Kubectl } from './kubectl.ts';
import { traefikManifests } from './manifests/traefik.ts';

const namespace = `gateway-${randomBytes(4).toString('hex')}`;
const owner: Owner = {
  apiVersion: 'pgrst.dev/v1alpha1',
  kind: 'ApiInstance',
  name: 'todo',
  namespace,
  uid: '7c3ae1a4-51a1-4c4c-9d36-0a4f6a2f4b11',
};
const signal = new AbortController().signal;
let kubectl: Kubectl;
let client: ConnectedKubeClient;

beforeAll(async () => {
  const { PGRST_TEST_KUBECONFIG: kubeconfig, PGRST_TEST_KUBECTL: program } = process.env;
  if (kubeconfig === undefined || program === undefined)
    throw new Error('run these tests with `npm run test:api`');
  kubectl = kubectlFor(program, kubeconfig);
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  client = createKubeClient(config);
  await applyGatewayApi(kubectl, createLog());
  await kubectl(['create', 'namespace', namespace]);
});

afterAll(async () => {
  await kubectl(['delete', 'namespace', namespace, '--wait=false']);
  await client.close();
});

test('what serves the Gateway is taken as it is', async () => {
  const objects = traefikManifests({ image: 'traefik:test', nodePort: 30_081 }) as { kind: string }[];
  // Nothing can be put into a namespace that a dry run has made.
  const documents = objects
    .filter(({ kind }) => kind !== 'Namespace')
    .map((object) => JSON.stringify(object));
  const list = `{"apiVersion":"v1","kind":"List","items":[${documents.join(',')}]}`;
  const here = list.replaceAll('"namespace":"traefik"', `"namespace":"${namespace}"`);
  const dryRun = ['--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
  await expect(kubectl(['apply', ...dryRun], here)).resolves.toContain('public serverside-applied');
});

const intents: readonly RouteIntent[] = [
  { main: 'stable', canary: undefined, preview: undefined },
  { main: 'stable', canary: { revision: 2, weight: 0 }, preview: 'a value with spaces; and more' },
  { main: 'from', canary: { revision: 2, weight: 100 }, preview: undefined },
];

test.each(intents)('a route is stored as it was built: %o', async (intent) => {
  const spec = instanceSpec({
    expose: {
      host: 'todo.example.com',
      path: '/v1.0/todo',
      router: 'GatewayAPI',
      parentRefs: [{ name: 'public', namespace: 'gateways' }],
      timeouts: { request: '25s' },
    },
    rollout: { from: { service: { name: 'fastapi', port: 8000 } } },
  });
  const route = httpRoute(owner, spec, intent);
  const stored = await client.apply(route, { fieldManager: 'test' }, signal);
  // Nothing is added to it, so that comparing it with what was built never asks for a write.
  expect(sameJson(stored['spec'], route['spec']), JSON.stringify(stored['spec'])).toBe(true);
});
