import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectTestApiServer, type TestApiServer } from '../testing/apiServer.ts';
import { installWidgets, widget, widgetMappings } from '../testing/widgets.ts';
import { containsDesired } from './contains.ts';
import type { KubeClient } from './kubeClient.ts';
import { isConflict, isGone, isInvalid, isNotFound, KubeError } from './kubeError.ts';
import { refOf, type KubeObject } from './object.ts';

let server: TestApiServer;
let client: KubeClient;
let namespace: string;
const signal = new AbortController().signal;
const manager = { fieldManager: 'postgrest-operator' };

beforeAll(async () => {
  server = await connectTestApiServer(widgetMappings);
  ({ client, namespace } = server);
  await installWidgets(client);
});

afterAll(async () => {
  await server.close();
});

const configMap = (name: string, data: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const newWidget = (name: string, fields: Record<string, unknown> = {}): KubeObject => ({
  ...widget,
  metadata: { name, namespace },
  ...fields,
});
const failure = async (promise: Promise<unknown>): Promise<unknown> =>
  await promise.catch((error: unknown) => error);

/** One of each kind that the server fills with defaults, written the way a builder would write it. */
const builders = (): KubeObject[] => [
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'todo-1', namespace, labels: { app: 'todo' } },
    spec: {
      replicas: 0,
      revisionHistoryLimit: 0,
      selector: { matchLabels: { app: 'todo' } },
      template: {
        metadata: { labels: { app: 'todo' }, annotations: {} },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          hostNetwork: false,
          securityContext: { runAsNonRoot: true },
          containers: [
            {
              name: 'gate',
              image: 'nginx',
              args: [],
              env: [{ name: 'EMPTY', value: '' }],
              ports: [{ name: 'http', containerPort: 8080 }],
              resources: {
                requests: { cpu: '0.1', memory: '1024Ki' },
                limits: { cpu: '1000m', memory: '1073741824' },
              },
              readinessProbe: { httpGet: { path: '/ready', port: 'http' }, initialDelaySeconds: 0 },
              volumeMounts: [
                { name: 'tmp', mountPath: '/a' },
                { name: 'tmp', mountPath: '/b' },
              ],
            },
          ],
          initContainers: [{ name: 'postgrest', image: 'postgrest', restartPolicy: 'Always' }],
          volumes: [{ name: 'tmp', emptyDir: { sizeLimit: '1048576' } }],
        },
      },
    },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'todo', namespace },
    spec: { selector: { app: 'todo' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
  },
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'todo', namespace, annotations: { weight: '10' } },
    spec: {
      ingressClassName: 'nginx',
      rules: [
        {
          host: 'todo.example',
          http: {
            paths: [
              {
                path: '/',
                pathType: 'Prefix',
                backend: { service: { name: 'todo', port: { name: 'http' } } },
              },
            ],
          },
        },
      ],
    },
  },
  {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: { name: 'todo', namespace },
    spec: { maxUnavailable: 1, selector: { matchLabels: { app: 'todo' } } },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'todo', namespace },
    type: 'Opaque',
    stringData: { ini: '[databases]' },
  },
  {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'todo', namespace },
    automountServiceAccountToken: false,
  },
  {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: { name: 'todo-1', namespace },
    revision: 1,
    data: { spec: { any: ['thing'] } },
  },
];

describe('server-side apply', () => {
  test('again without a change bumps no resourceVersion, and what was asked for is contained in what is stored', async () => {
    for (const desired of builders()) {
      const first = await client.apply(desired, manager, signal);
      const second = await client.apply(desired, manager, signal);
      expect(second.metadata.resourceVersion, desired.kind).toBe(first.metadata.resourceVersion);
      const stored = await client.get(refOf(desired), signal);
      expect(stored !== undefined && containsDesired(stored, desired), desired.kind).toBe(true);
    }
  });

  test('removes what it no longer names and leaves what others own', async () => {
    await client.apply(configMap('owned', { a: '1', b: '2' }), manager, signal);
    const ref = refOf(configMap('owned', {}));
    await client.patch(ref, { type: 'merge', body: { data: { theirs: 'x' } } }, signal);
    const after = await client.apply(configMap('owned', { a: '1' }), manager, signal);
    expect(after.data).toEqual({ a: '1', theirs: 'x' });
  });

  test('takes over a field of another manager by force, and is a conflict without it', async () => {
    await client.apply(configMap('contested', { a: '1' }), { fieldManager: 'other' }, signal);
    const mine = configMap('contested', { a: '2' });
    const refused = await failure(client.apply(mine, { ...manager, force: false }, signal));
    expect(isConflict(refused)).toBe(true);
    expect((await client.apply(mine, manager, signal)).data).toEqual({ a: '2' });
  });

  test('a misspelt field is refused and not dropped', async () => {
    const error = await failure(client.apply(newWidget('typo', { spec: { siez: 1 } }), manager, signal));
    expect(error).toBeInstanceOf(KubeError);
    expect(String(error)).toContain('spec.siez');
  });

  test('a dry run stores nothing', async () => {
    await client.apply(configMap('dry', {}), { ...manager, dryRun: true }, signal);
    expect(await client.get(refOf(configMap('dry', {})), signal)).toBeUndefined();
  });

  test('an object that does not validate is Invalid; of a Secret the message repeats no value', async () => {
    const error = await failure(
      client.apply(
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: 'bad', namespace },
          type: 'kubernetes.io/tls',
          stringData: { 'tls.crt': 'hunter2' },
        },
        manager,
        signal,
      ),
    );
    expect(isInvalid(error)).toBe(true);
    expect(String(error)).toMatch(/Invalid \(.*data/);
    expect(String(error)).not.toContain('hunter2');
  });
});

describe('status', () => {
  test('is applied beside the spec, gives up what is no longer named, and rests when nothing changes', async () => {
    const created = await client.apply(newWidget('a', { spec: { size: 1 } }), manager, signal);
    const { uid = '' } = created.metadata;
    const write = (status: unknown) =>
      client.applyStatus(
        { ...widget, metadata: { name: 'a', namespace, uid }, status },
        { fieldManager: 'status' },
        signal,
      );
    await write({ weight: 10, step: 1, conditions: [{ type: 'Ready', status: 'False' }] });
    const second = await write({ weight: 50, conditions: [{ type: 'Ready', status: 'True' }] });
    expect([second.status, second.spec, second.metadata.generation]).toEqual([
      { weight: 50, conditions: [{ type: 'Ready', status: 'True' }] },
      { size: 1 },
      1,
    ]);
    const third = await write({ weight: 50, conditions: [{ type: 'Ready', status: 'True' }] });
    expect(third.metadata.resourceVersion).toBe(second.metadata.resourceVersion);
    const again = await client.apply(newWidget('a', { spec: { size: 1 } }), manager, signal);
    expect(again.status).toEqual(second.status);
  });

  test('does not create, and with a resourceVersion reaches only the object that was read', async () => {
    const write = (name: string, resourceVersion: string | undefined) =>
      client.applyStatus(
        {
          ...widget,
          metadata: { name, namespace, ...(resourceVersion === undefined ? {} : { resourceVersion }) },
          status: { weight: 1 },
        },
        { fieldManager: 'status' },
        signal,
      );
    expect(isNotFound(await failure(write('nobody', undefined)))).toBe(true);
    const { metadata } = await client.create(newWidget('namesake'), signal);
    await client.delete(refOf(newWidget('namesake')), {}, signal);
    expect(isNotFound(await failure(write('namesake', metadata.resourceVersion)))).toBe(true);
    const second = await client.create(newWidget('namesake'), signal);
    expect(isConflict(await failure(write('namesake', metadata.resourceVersion)))).toBe(true);
    expect((await write('namesake', second.metadata.resourceVersion)).status).toEqual({ weight: 1 });
  });
});

describe('preconditions', () => {
  test('a patch with an old resourceVersion is a conflict, finalizers are replaced whole', async () => {
    const ref = refOf(newWidget('meta'));
    const { metadata } = await client.create(newWidget('meta', { spec: { size: 1 } }), signal);
    const patch = (resourceVersion: string | undefined, finalizers: string[]) =>
      client.patch(ref, { type: 'merge', body: { metadata: { resourceVersion, finalizers } } }, signal);
    const patched = await patch(metadata.resourceVersion, ['pgrst.dev/x', 'pgrst.dev/y']);
    expect(isConflict(await failure(patch(metadata.resourceVersion, [])))).toBe(true);
    const last = await patch(patched.metadata.resourceVersion, ['pgrst.dev/y']);
    expect(last.metadata.finalizers).toEqual(['pgrst.dev/y']);
    await patch(last.metadata.resourceVersion, []);
  });

  test('a delete with another uid is a conflict, of what is gone it is nothing', async () => {
    const { metadata } = await client.create(configMap('doomed', {}), signal);
    const ref = refOf(configMap('doomed', {}));
    expect(isConflict(await failure(client.delete({ ...ref, uid: 'other' }, {}, signal)))).toBe(true);
    await client.delete({ ...ref, ...(metadata.uid === undefined ? {} : { uid: metadata.uid }) }, {}, signal);
    await client.delete(ref, {}, signal);
    expect(await client.get(ref, signal)).toBeUndefined();
  });

  test('create of what exists and replace of what has changed are conflicts', async () => {
    const created = await client.create(configMap('twice', { a: '1' }), signal);
    expect(isConflict(await failure(client.create(configMap('twice', {}), signal)))).toBe(true);
    await client.replace({ ...created, data: { a: '2' } }, signal);
    expect(isConflict(await failure(client.replace({ ...created, data: { a: '3' } }, signal)))).toBe(true);
  });
});

describe('lists and watches', () => {
  test('pages are joined, selectors and metadataOnly reach the server', async () => {
    for (const name of ['p1', 'p2', 'p3'])
      await client.apply(
        { ...configMap(name, { a: '1' }), metadata: { name, namespace, labels: { page: 'yes' } } },
        manager,
        signal,
      );
    const selection = { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector: 'page=yes' };
    const full = await client.list({ ...selection, limit: 1 }, signal);
    expect(full.items.map(({ kind, metadata, data }) => [kind, metadata.name, data])).toEqual([
      ['ConfigMap', 'p1', { a: '1' }],
      ['ConfigMap', 'p2', { a: '1' }],
      ['ConfigMap', 'p3', { a: '1' }],
    ]);
    const partial = await client.list({ ...selection, metadataOnly: true }, signal);
    expect(partial.items.map(({ kind, metadata, data }) => [kind, metadata.name, data])).toEqual([
      ['ConfigMap', 'p1', undefined],
      ['ConfigMap', 'p2', undefined],
      ['ConfigMap', 'p3', undefined],
    ]);
  });

  test('a watch goes on from a list, and from a version that is no longer known it is Gone', async () => {
    const selection = { apiVersion: 'v1', kind: 'ConfigMap', namespace, fieldSelector: 'metadata.name=seen' };
    const { resourceVersion } = await client.list(selection, signal);
    await client.create(configMap('seen', { a: '1' }), signal);
    const leave = new AbortController();
    for await (const { type, object } of client.watch(
      { ...selection, resourceVersion, timeoutSeconds: 60 },
      leave.signal,
    )) {
      expect([type, object.kind, object.data]).toEqual(['ADDED', 'ConfigMap', { a: '1' }]);
      leave.abort();
    }
    // The server's memory of widgets begins when their CRD was installed.
    const old = client.watch({ ...widget, namespace, resourceVersion: '1', timeoutSeconds: 60 }, signal);
    const error = await failure(old[Symbol.asyncIterator]().next());
    expect(isGone(error)).toBe(true);
  });
});
