import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { connectTestApiServer, type TestApiServer } from '../../operator/testing/apiServer.ts';
import { watchObjects, type Watch, type WatchedObject } from './watch.ts';

let server: TestApiServer;
let watch: Watch<WatchedObject> | undefined;
beforeAll(async () => {
  server = await connectTestApiServer();
});
afterEach(() => watch?.stop());
afterAll(() => server.close());

/** The events of the collection so far, and a promise of the one that makes `count`. */
async function watchConfigMaps(
  labelSelector?: string,
): Promise<{ seen: string[]; reached(count: number): Promise<void> }> {
  const seen: string[] = [];
  let check = (): void => undefined;
  watch = watchObjects(
    process.env.PGRST_TEST_KUBECONFIG ?? '',
    {
      path: `/api/v1/namespaces/${server.namespace}/configmaps`,
      ...(labelSelector !== undefined && { labelSelector }),
    },
    ({ type, object }) => {
      seen.push(`${type} ${object.metadata.name}`);
      check();
    },
  );
  await watch.ready;
  return {
    seen,
    reached: (count) =>
      new Promise((resolve) => {
        check = () => {
          if (seen.length >= count) resolve();
        };
        check();
      }),
  };
}

const configMap = (name: string, labels: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: server.namespace, labels },
});

test('what exists comes first, then every change in its order', async () => {
  const signal = AbortSignal.timeout(20_000);
  await server.client.create(configMap('before'), signal);
  const { seen, reached } = await watchConfigMaps();
  expect(seen).toContain('ADDED before');

  const start = seen.length;
  await server.client.create(configMap('later'), signal);
  await server.client.patch(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: server.namespace, name: 'later' },
    { type: 'merge', body: { data: { key: 'value' } } },
    signal,
  );
  await server.client.delete(
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: server.namespace, name: 'later' },
    {},
    signal,
  );
  await reached(start + 3);
  expect(seen.slice(start)).toEqual(['ADDED later', 'MODIFIED later', 'DELETED later']);
  expect([...(watch?.objects.keys() ?? [])]).toContain('before');
  expect([...(watch?.objects.keys() ?? [])]).not.toContain('later');
});

test('a label selector keeps everything else out', async () => {
  const signal = AbortSignal.timeout(20_000);
  const { seen, reached } = await watchConfigMaps('kind=wanted');
  await server.client.create(configMap('unwanted'), signal);
  await server.client.create(configMap('wanted', { kind: 'wanted' }), signal);
  await reached(1);
  expect(seen).toEqual(['ADDED wanted']);
});

test('a collection that does not exist is an error at once', async () => {
  watch = watchObjects(
    process.env.PGRST_TEST_KUBECONFIG ?? '',
    { path: '/apis/example.test/v1/nothings' },
    () => undefined,
  );
  await expect(watch.ready).rejects.toThrow('404');
});
