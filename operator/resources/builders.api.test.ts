import { afterAll, beforeAll, expect, test } from 'vitest';
import { containsDesired } from '../runtime/contains.ts';
import { connectTestApiServer, type TestApiServer } from '../testing/apiServer.ts';
import { builtObjects, owner } from '../testing/resourceCases.ts';

let server: TestApiServer;
const signal = new AbortController().signal;
const manager = { fieldManager: 'postgrest-operator' };
const kinds = Object.keys(builtObjects());
const built = (name: string) => {
  const object = builtObjects({ ...owner, namespace: server.namespace })[name];
  if (!object) throw new Error(`no builder makes ${name}`);
  return object;
};

beforeAll(async () => {
  server = await connectTestApiServer();
  const body = { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } };
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: server.namespace };
  await server.client.patch(namespace, { type: 'merge', body }, signal);
});

afterAll(async () => {
  await server.close();
});

test.each(kinds)(
  'the API server takes %s, keeps all of it, and has nothing to change the second time',
  async (name) => {
    const first = await server.client.apply(built(name), manager, signal);
    expect(containsDesired(first, built(name))).toBe(true);
    const second = await server.client.apply(built(name), manager, signal);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  },
);

test.each(['deploymentPooled', 'deploymentDirect', 'deploymentWithAdditions', 'poolerDeployment'])(
  'a namespace that enforces Pod Security restricted takes the pods of %s',
  async (name) => {
    await server.client.apply(built('serviceAccount'), manager, signal);
    const { template } = built(name)['spec'] as { template: { metadata: object; spec: object } };
    const metadata = { ...template.metadata, name: name.toLowerCase(), namespace: server.namespace };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec: template.spec };
    await expect(server.client.create(pod, signal)).resolves.toHaveProperty('metadata.uid');
  },
);

test("a kept revision's content and the gate's configuration cannot be changed any more", async () => {
  for (const [name, field] of [
    ['controllerRevision', 'data'],
    ['gateConfigMap', 'data'],
  ] as const) {
    await server.client.apply(built(name), manager, signal);
    const changed = { ...built(name), [field]: { 'nginx.conf': 'other' } };
    await expect(server.client.apply(changed, manager, signal)).rejects.toThrow(/immutable/);
  }
});
