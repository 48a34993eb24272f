import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ensureGateway } from '../hack/cluster/index.ts';
import { gatewayRef, gatewayService } from '../hack/cluster/manifests/traefik.ts';
import { createKubectl } from '../hack/kube/kubectl.ts';
import { apiInstanceSpec, type ApiInstanceSpec } from '../operator/api/v1alpha1/apiInstance.ts';
import { probe } from '../operator/proof/probe.ts';
import { proveTraffic } from '../operator/proof/trafficProof.ts';
import { previewHeader } from '../operator/resources/httpRoute.ts';
import type { Owner } from '../operator/resources/names.ts';
import { stableService } from '../operator/resources/service.ts';
import type { Expectation } from '../operator/rollout/types.ts';
import { createKubeClient } from '../operator/runtime/client.ts';
import { systemClock } from '../operator/runtime/clock.ts';
import { containsDesired } from '../operator/runtime/contains.ts';
import type { KubeClient } from '../operator/runtime/kubeClient.ts';
import { refOf, type KubeObject } from '../operator/runtime/object.ts';
import { createGatewayRouter } from '../operator/traffic/gateway.ts';
import { createNginxAnnotationsRouter } from '../operator/traffic/nginxAnnotations.ts';
import type { Address, TrafficIntent, TrafficRouter } from '../operator/traffic/router.ts';
import { startAsking, type Asking } from './support/asking.ts';
import { createOwner, legacyBackend, startLegacy, startRevisions } from './support/backends.ts';
import './support/context.ts';

const cluster = inject('cluster');
const kubectl = createKubectl(cluster);
const kubeConfig = new KubeConfig();
kubeConfig.loadFromFile(cluster.kubeconfig);
const client = createKubeClient(kubeConfig);
const never = new AbortController().signal;

interface Case {
  readonly name: string;
  readonly expose: object;
  create(client: KubeClient): TrafficRouter;
  /** Brings it up where it is not there; returns the address at which it answers. */
  url(): Promise<string>;
}

const cases: readonly Case[] = [
  {
    name: 'ingress-nginx',
    expose: {},
    create: (kube) =>
      createNginxAnnotationsRouter(kube, { namespace: 'ingress-nginx', name: 'ingress-nginx-controller' }),
    url: () => Promise.resolve(cluster.ingressUrl),
  },
  {
    name: 'Gateway API with Traefik',
    expose: { router: 'GatewayAPI', parentRefs: [gatewayRef] },
    create: (kube) => createGatewayRouter(kube, gatewayService),
    url: () => ensureGateway(cluster),
  },
];

const preview = 'preview-me';
const from = { service: legacyBackend };
const nobody: TrafficIntent = { main: 'stable', canary: undefined, preview: undefined };

// What `routerConformance` shows of objects, shown of what a real data plane makes of them.
describe.each(cases)('$name', ({ expose, create, url: bringUp }) => {
  const namespace = `e2e-router-${randomBytes(2).toString('hex')}`;
  const host = `${namespace}.example.test`;
  const router = create(client);
  let url: string;
  let owner: Owner;
  /** The instance next door, on the same host. */
  let neighbour: Owner;
  let asking: Asking;

  const specOf = (path: string): ApiInstanceSpec =>
    apiInstanceSpec.parse({
      schemaRef: { name: 'x' },
      database: { uriSecretRef: { name: 'x', key: 'uri' } },
      expose: { host, path, ...expose },
      rollout: { from },
    });
  const [todo, notes] = [specOf('/todo'), specOf('/')];

  const apply = async (object: KubeObject): Promise<void> => {
    await client.apply(object, { fieldManager: 'e2e' }, never);
  };
  /** Writes what an intent says, one object after the other, as a reconcile would. */
  const write = async (by: Owner, spec: ApiInstanceSpec, intent: TrafficIntent): Promise<void> => {
    for (const object of router.objects(by, spec, intent)) await apply(object);
  };
  const select = (by: Owner, revision: number): Promise<void> => apply(stableService(by, revision));
  /** The pods of the router; where they cannot be reached from here, the one address behind which they are. */
  const places = (signal: AbortSignal): Promise<readonly Address[]> => {
    const { hostname, port } = new URL(url);
    if (cluster.provider === 'host') return router.dataPlane(todo, signal);
    return Promise.resolve([{ ip: hostname, port: Number(port) }]);
  };
  const prove = (
    expectation: Expectation,
    { by = owner, spec = todo, previousWeight = -1 } = {},
  ): Promise<unknown> =>
    proveTraffic(
      { expectation, previousWeight, isStanding: false, request: router.probe(by, spec, expectation.kind) },
      { dataPlane: places, clock: systemClock, turn: (work) => work() },
      { signal: AbortSignal.timeout(60_000), progress: () => undefined },
    );
  const share = (candidate: number, weight: number): Expectation => ({
    kind: 'weights',
    stable: 1,
    candidate,
    weight,
  });
  /** Who answers a request with these headers at each place. */
  const answering = async (
    headers: Readonly<Record<string, string>>,
  ): Promise<readonly (number | undefined)[]> => {
    const found = await places(never);
    const answers = await Promise.all(
      found.map((place) => probe(place, { host, path: '/todo/x', headers }, never)),
    );
    return answers.map(({ revision }) => revision);
  };

  beforeAll(async () => {
    url = await bringUp();
    await kubectl(['create', 'namespace', namespace]);
    owner = await createOwner(kubectl, namespace, 'todo');
    neighbour = await createOwner(kubectl, namespace, 'notes');
    const { gate } = cluster.images;
    await startRevisions(kubectl, owner, gate, [1, 2, 3]);
    await startRevisions(kubectl, neighbour, gate, [7]);
    await startLegacy(kubectl, namespace, gate);
  });

  afterAll(async () => {
    await kubectl.attempt(['delete', 'namespace', namespace, '--wait=false']);
  });

  test('has places where it listens', async () => {
    const found = await router.dataPlane(todo, never);
    expect(found.length).toBeGreaterThan(0);
  });

  test('leads to the stable Service, beside another instance on the same host', async () => {
    await select(neighbour, 7);
    await write(neighbour, notes, nobody);
    await select(owner, 1);
    await write(owner, todo, nobody);
    await prove(share(1, 0));
    await prove({ kind: 'main', revision: 7 }, { by: neighbour, spec: notes });
    asking = startAsking(url, host, '/todo/x');
  });

  test('the server keeps what was written, and it reads as it was meant', async () => {
    const intent: TrafficIntent = { ...nobody, canary: { revision: 2, weight: 0 } };
    await write(owner, todo, intent);
    const desired = router.objects(owner, todo, intent);
    const stored: KubeObject[] = [];
    for (const object of desired) {
      const found = await client.get(refOf(object), never);
      expect(found && containsDesired(found, object), `${object.kind} ${object.metadata.name}`).toBe(true);
      if (found) stored.push(found);
    }
    expect(router.read(owner.name, todo, stored)).toEqual({ main: 'stable', canary: intent.canary });
  });

  test('shares of 0, 10, 50 and 100 % are what clients see', async () => {
    let previousWeight = -1;
    await prove({ kind: 'canary', revision: 2 });
    for (const weight of [0, 10, 50, 100]) {
      await write(owner, todo, { ...nobody, canary: { revision: 2, weight } });
      await prove(share(2, weight), { previousWeight });
      previousWeight = weight;
    }
  });

  test('at 100 % the main route is known all the same', async () => {
    await prove({ kind: 'main', revision: 1 });
  });

  test('another revision takes over the canary, with a weight of its own, in one write', async () => {
    await write(owner, todo, { ...nobody, canary: { revision: 3, weight: 50 } });
    await prove(share(3, 50), { previousWeight: 100 });
    await prove({ kind: 'canary', revision: 3 });
  });

  test('the preview value leads to a canary without a share, and no other value does', async () => {
    await write(owner, todo, { ...nobody, canary: { revision: 3, weight: 0 }, preview });
    await prove(share(3, 0));
    // The place that learned last decides: the header may have been written there after the weight.
    await expect
      .poll(async () => new Set(await answering({ [previewHeader]: preview })), { timeout: 15_000 })
      .toEqual(new Set([3]));
    expect(new Set(await answering({ [previewHeader]: 'guess' }))).toEqual(new Set([1]));
  });

  test('the stable Service moves while nothing flows through it', async () => {
    await write(owner, todo, { ...nobody, canary: { revision: 3, weight: 100 } });
    await prove(share(3, 100));
    await select(owner, 3);
    await prove({ kind: 'main', revision: 3 });
    await write(owner, todo, { ...nobody, canary: { revision: 3, weight: 0 } });
    await prove({ kind: 'weights', stable: 3, candidate: 3, weight: 0 });
  });

  test('the neighbour has noticed nothing, and no request has failed', async () => {
    await prove({ kind: 'main', revision: 7 }, { by: neighbour, spec: notes });
    await prove({ kind: 'weights', stable: 7, candidate: 7, weight: 0 }, { by: neighbour, spec: notes });
    await asking.stop();
    expect(asking.failures).toEqual([]);
    expect(asking.answered()).toBeGreaterThan(100);
  });

  test('the way away from a service of somebody else loses no request', async () => {
    const away = { ...nobody, main: 'from' } as const;
    const legacy = (weight: number): Expectation => ({ kind: 'weights', stable: 0, candidate: 1, weight });
    const path = '/old';
    const spec = specOf(path);
    const old = await createOwner(kubectl, namespace, 'old');
    const at = { by: old, spec };
    await startRevisions(kubectl, old, cluster.images.gate, [1]);
    await write(old, spec, away);
    const ask = { host, path, headers: {} };
    await expect
      .poll(
        async () =>
          (await Promise.all((await places(never)).map((it) => probe(it, ask, never)))).map(
            ({ status }) => status,
          ),
        { timeout: 15_000 },
      )
      .not.toContain(404);
    const watched = startAsking(url, host, path);
    let previousWeight = 0;
    for (const weight of [10, 100]) {
      await write(old, spec, { ...away, canary: { revision: 1, weight } });
      await prove(legacy(weight), { ...at, previousWeight });
      previousWeight = weight;
    }
    await select(old, 1);
    await prove({ kind: 'stable', revision: 1 }, at);
    await write(old, spec, { ...nobody, canary: { revision: 1, weight: 100 } });
    await prove({ kind: 'main', revision: 1 }, at);
    await write(old, spec, { ...nobody, canary: { revision: 1, weight: 0 } });
    await prove({ kind: 'weights', stable: 1, candidate: 1, weight: 0 }, at);
    await watched.stop();
    expect(watched.failures).toEqual([]);
  });
});
