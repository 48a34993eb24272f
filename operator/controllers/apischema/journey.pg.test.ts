import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ApiSchema } from '../../api/v1alpha1/apiSchema.ts';
import { apiVersion } from '../../api/v1alpha1/shared.ts';
import { systemClock as clock } from '../../runtime/clock.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { createEventRecorder } from '../../runtime/events.ts';
import { createQueue } from '../../runtime/queue.ts';
import type { Key } from '../../runtime/reconciler.ts';
import { tools } from '../../testing/applyFixture.ts';
import { createFakeKube, type FakeKube } from '../../testing/fakeKube.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import { quietLog } from '../../testing/quietLog.ts';
import { startSchemaCaches } from '../../testing/schemaCaches.ts';
import { apiSchema } from '../../testing/schemaWorld.ts';
import { createApiSchemaController, createRunWork } from './index.ts';

const ref = { apiVersion, kind: 'ApiSchema', namespace: 'shop', name: 'todo' };
const rng = () => 0;

let db: TestDatabase;
let kube: FakeKube;
let stop: () => Promise<void>;
let reconcileUntil: (reached: (object: ApiSchema | undefined) => boolean) => Promise<ApiSchema | undefined>;

beforeEach(async () => {
  db = await createTestDatabase();
  kube = createFakeKube();
  const { client } = kube;
  const { caches, stop: stopCaches } = startSchemaCaches({ client, clock, rng, log: quietLog });
  const queue = createQueue<Key>({ clock, rng });
  const events = createEventRecorder({
    client,
    clock,
    log: quietLog,
    reportingController: 'test',
    reportingInstance: 'test',
  });
  const { reconciler, tasks } = createApiSchemaController({
    client,
    caches,
    clock,
    rng,
    log: quietLog,
    events,
    queue,
    clusterId: 'cluster-1',
    identity: 'operator-1',
    run: createRunWork({ client, ...tools }),
  });
  const { signal } = new AbortController();
  const read = () => kube.read(ref) as unknown as ApiSchema | undefined;
  reconcileUntil = async (reached) => {
    while (!reached(read())) {
      const held = await queue.take(signal);
      if (held === undefined) break;
      const world = await reconciler.observe(held.key, signal);
      if (world !== undefined) await reconciler.act(reconciler.decide(world), world, signal);
      held.done();
    }
    return read();
  };
  stop = async () => {
    await tasks.stop(5000);
    queue.close();
    stopCaches();
    await events.flush();
  };
  putSecret(db.uri);
});

afterEach(async () => {
  await stop();
  await db.drop();
});

function putSecret(uri: string): void {
  kube.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { namespace: 'shop', name: 'db' },
    data: { uri: Buffer.from(uri).toString('base64') },
  });
}

function putSchema(spec: Parameters<typeof apiSchema>[0]): void {
  const { metadata, ...rest } = apiSchema(spec);
  const current = kube.read(ref)?.metadata ?? { namespace: metadata.namespace, name: metadata.name };
  kube.put({ ...rest, metadata: current });
}

/** Ready of the newest generation is `<status> <reason>`. */
const isReady = (text: string) => (object: ApiSchema | undefined) => {
  const ready = findCondition(object?.status?.conditions, 'Ready');
  return (
    object?.status?.observedGeneration === object?.metadata.generation &&
    `${ready?.status ?? ''} ${ready?.reason ?? ''}` === text
  );
};

test('from the first apply through an edit, a broken migration and its repair to the end', async () => {
  const first = { name: '001', sql: 'create table public.tasks (id int)' };
  const api = { sql: 'create view api.tasks as select id from public.tasks' };
  putSchema({ spec: { migrations: [first], api, deletionPolicy: 'Delete' } });
  const created = (await reconcileUntil(isReady('True Applied')))?.status;
  expect(created).toMatchObject({ migrations: { applied: 1, pending: 0, last: [{ name: '001' }] } });
  expect(await db.query(`select id from ${created?.release?.schema ?? ''}.tasks`)).toEqual([]);

  const broken = { name: '002', sql: 'select 1;\nalter table public.nosuch add x int' };
  putSchema({ spec: { migrations: [first, broken], api, deletionPolicy: 'Delete' } });
  const failed = (await reconcileUntil(isReady('False MigrationFailed')))?.status;
  expect(failed).toMatchObject({
    release: created?.release,
    lastError: { migration: '002', statement: 2, line: 2, sqlstate: '42P01' },
  });

  // The repair comes by way of a ConfigMap, whose edits must wake the object: its generation stays the same.
  const sqlFrom = { configMapKeyRef: { name: 'sql', key: '002' } };
  putSchema({ spec: { migrations: [first, { name: '002', sqlFrom }], api, deletionPolicy: 'Delete' } });
  await reconcileUntil(isReady('False ConfigMapNotFound'));
  const configMap = (sql: string): void => {
    kube.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace: 'shop', name: 'sql' },
      data: { '002': sql },
    });
  };
  configMap('alter tabl x');
  await reconcileUntil(isReady('False MigrationFailed'));
  configMap('alter table public.tasks add title text');
  const repaired = (await reconcileUntil(isReady('True Applied')))?.status;
  expect(repaired?.lastError).toBeUndefined();
  expect(repaired?.migrations).toMatchObject({ applied: 2, pending: 0 });
  expect(repaired?.release).toEqual(created?.release);

  await kube.client.delete(ref, {}, new AbortController().signal);
  expect(await reconcileUntil((object) => object === undefined)).toBeUndefined();
  expect(await db.query("select nspname from pg_namespace where nspname ~ '^(api|pgrst_)'")).toEqual([]);
  expect(await db.query('select id, title from public.tasks')).toEqual([]);
});

test('a database that is not there is tried again, and the Secret that puts it right is noticed', async () => {
  const wrong = new URL(db.uri);
  wrong.port = '1';
  putSecret(wrong.href);
  putSchema({});
  const object = await reconcileUntil(isReady('False DatabaseUnreachable'));
  expect(JSON.stringify(object)).not.toContain(wrong.password);
  putSecret(db.uri);
  await reconcileUntil(isReady('True Applied'));
});
