import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectTestApiServer, testKubeConfig, type TestApiServer } from '../testing/apiServer.ts';
import { quietLog } from '../testing/quietLog.ts';
import { createKubeClient } from './client.ts';
import { systemClock } from './clock.ts';
import { createEventRecorder } from './events.ts';
import { createInformer, type Informer } from './informer.ts';
import { createLeaderElector } from './leader.ts';
import { refOf, type KubeObject } from './object.ts';

let server: TestApiServer;
let namespace: string;
const signal = new AbortController().signal;
const closers: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  server = await connectTestApiServer();
  ({ namespace } = server);
});

afterAll(async () => {
  for (const close of closers) await close();
  await server.close();
});

const configMap = (name: string, data: Record<string, string> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace, labels: { test: 'informer' } },
  data,
});

/** A TCP proxy in front of the API server whose connections can be cut. */
async function startProxy() {
  const kubeConfig = testKubeConfig();
  const cluster = kubeConfig.getCurrentCluster();
  const target = new URL(cluster?.server ?? '');
  const sockets = new Set<Socket>();
  let isUp = true;
  const proxy = createServer((inbound) => {
    if (!isUp) {
      inbound.destroy();
      return;
    }
    const outbound = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const through = new KubeConfig();
  through.loadFromOptions({
    users: kubeConfig.users,
    contexts: kubeConfig.contexts,
    currentContext: kubeConfig.currentContext,
    clusters: [{ ...cluster, server: `https://127.0.0.1:${(proxy.address() as AddressInfo).port}` }],
  });
  const client = createKubeClient(through);
  const cut = (): void => {
    isUp = false;
    for (const socket of sockets) socket.destroy();
  };
  closers.push(async () => {
    await client.close();
    cut();
    proxy.close();
  });
  return {
    client,
    cut,
    restore(): void {
      isUp = true;
    },
  };
}

/** Collects changes and lets a test wait for one of them. */
function follow(informer: Informer) {
  const seen: string[] = [];
  const waiting = new Map<string, () => void>();
  informer.onChange(({ type, object }) => {
    const change = `${type} ${object.metadata.name}`;
    seen.push(change);
    waiting.get(change)?.();
  });
  const until = async (change: string): Promise<void> => {
    if (!seen.includes(change))
      await new Promise<void>((resolve) => {
        waiting.set(change, resolve);
      });
  };
  return { seen, until };
}

test('an informer survives a cut connection and learns what it missed', async () => {
  const { client } = server;
  const proxy = await startProxy();
  await client.create(configMap('kept'), signal);
  await client.create(configMap('recreated'), signal);
  const informer = createInformer({
    client: proxy.client,
    clock: systemClock,
    rng: () => 0.5,
    log: quietLog,
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    labelSelector: 'test=informer',
    metadataOnly: true,
  });
  closers.push(() => {
    informer.stop();
  });
  await informer.ready;
  const { seen, until } = follow(informer);
  expect([...seen].sort()).toEqual(['added kept', 'added recreated']);
  const kept = informer.get(`${namespace}/kept`);
  expect([kept?.kind, kept?.data, kept?.metadata.managedFields]).toEqual(['ConfigMap', undefined, undefined]);

  await client.create(configMap('live'), signal);
  await until('added live');

  proxy.cut();
  await client.delete(refOf(configMap('recreated')), {}, signal);
  await client.create(configMap('recreated'), signal);
  await client.delete(refOf(configMap('live')), {}, signal);
  await client.create(configMap('missed'), signal);
  proxy.restore();
  await until('added missed');
  expect(seen.slice(3)).toEqual(['deleted recreated', 'added recreated', 'deleted live', 'added missed']);
});

test('of two candidates one leads, and the other follows when it leaves', async () => {
  const lease = { namespace, name: 'operator' };
  const elected: string[] = [];
  const candidate = (identity: string) => {
    const promise = Promise.withResolvers<undefined>();
    const elector = createLeaderElector({
      client: server.connect(),
      clock: systemClock,
      rng: () => 0,
      log: quietLog,
      lease,
      identity,
      retryPeriodMs: 100,
      onElected: () => {
        elected.push(identity);
        promise.resolve(undefined);
      },
      onLost: (why) => elected.push(`${identity} lost: ${why}`),
    });
    closers.push(() => elector.stop());
    return { elector, elected: promise.promise };
  };
  const [a, b] = [candidate('a'), candidate('b')];
  await Promise.race([a.elected, b.elected]);
  const [first, second] = a.elector.isLeader() ? [a, b] : [b, a];
  expect(second.elector.isLeader()).toBe(false);
  await first.elector.stop();
  await second.elected;
  expect([...elected].sort()).toEqual(['a', 'b']);
  const stored = await server.client.get(
    { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...lease },
    signal,
  );
  expect(stored?.spec).toMatchObject({
    holderIdentity: elected[1],
    leaseDurationSeconds: 15,
    leaseTransitions: 1,
  });
});

test('the API server takes our Events and their series', async () => {
  const regarding = await server.client.create(configMap('regarded'), signal);
  const recorder = createEventRecorder({
    client: server.client,
    clock: systemClock,
    log: quietLog,
    reportingController: 'pgrst.dev/postgrest-operator',
    reportingInstance: 'operator-0',
  });
  const note = { type: 'Warning', reason: 'ReleaseNotFound', note: 'x'.repeat(2000) } as const;
  for (let i = 0; i < 3; i += 1) recorder.record(regarding, note);
  recorder.record(regarding, { type: 'Normal', reason: 'Promoting', note: 'On it.' });
  await recorder.flush();
  const { items } = await server.client.list(
    { apiVersion: 'events.k8s.io/v1', kind: 'Event', namespace },
    signal,
  );
  const ours = items.filter(
    ({ reportingController }) => reportingController === 'pgrst.dev/postgrest-operator',
  );
  const shown = ours.map(({ reason, series }) => [reason, (series as { count: number } | undefined)?.count]);
  expect(shown.sort()).toEqual([
    ['Promoting', undefined],
    ['ReleaseNotFound', 3],
  ]);
});
