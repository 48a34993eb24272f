import { describe, expect, test } from 'vitest';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { images, instanceSpec, owner, poolerCredentials } from '../../testing/resourceCases.ts';
import { decidePooler } from './pooler.ts';
import { unsupportedProblem } from './poolerProblem.ts';
import type { PoolerPod, PoolerState, WorkResult, World } from './world.ts';

const spec = (pooler: object = {}): ApiInstanceSpec =>
  instanceSpec({ pooler: { maxServerConnections: 40, ...pooler } });

/** What `decidePooler` looks at; the rest of the world is nobody's business here. */
function worldOf(
  pooler: Partial<PoolerState>,
  work: ReadonlyMap<string, WorkState<WorkResult>> = new Map(),
  given = spec(),
): World {
  const nothing = {
    image: undefined,
    replicas: undefined,
    template: undefined,
    ready: 0,
    pods: [],
    secret: undefined,
  };
  return {
    spec: given,
    databaseUri: { state: 'found', value: 'postgres://authenticator:pw@db/shop' },
    pooler: { ...nothing, credentials: poolerCredentials, ...pooler },
    images,
    work,
  } as Partial<World> as World;
}

function decide(world: World, given = spec()) {
  const decision = decidePooler(world, given, owner);
  if (!decision) throw new Error('there is a pooler');
  const deployment = decision.objects.find(({ kind }) => kind === 'Deployment');
  return { ...decision, size: (deployment?.['spec'] as { replicas: number } | undefined)?.replicas };
}

/** The template that the spec gives. */
const template = ((): string => {
  const { objects } = decide(worldOf({}));
  const deployment = objects.find(({ kind }) => kind === 'Deployment')?.['spec'] as {
    template: { metadata: { annotations: Record<string, string> } };
  };
  return deployment.template.metadata.annotations['pgrst.dev/pooler-template'] ?? '';
})();

const pod = (name: string, more: Partial<PoolerPod> = {}): PoolerPod => ({
  name,
  uid: name,
  ip: '10.0.0.1',
  isReady: true,
  isStopping: false,
  restarts: 0,
  createdAt: 1000,
  image: images.pgbouncer,
  template,
  ...more,
});
const running = { image: images.pgbouncer, template, replicas: 2, ready: 2, pods: [pod('a'), pod('b')] };
const answered = (state: WorkState<WorkResult>) => (ids: readonly { readonly id: string }[]) =>
  new Map(ids.map(({ id }) => [id, state]));
const capped = answered({ state: 'running', progress: { version: '1.24.1', isCapped: true } });
const tooMany = answered({ state: 'running', progress: { version: '1.24.1', isCapped: false } });
const silent = answered({ state: 'running', failure: { message: 'no answer', at: 0 } });

test('at rest each process has its part, and nobody is asked twice', () => {
  const { share, size, orders } = decide(worldOf(running));
  expect({ share, size }).toEqual({ share: { connections: 20, poolSize: 10 }, size: 2 });
  expect(decide(worldOf(running)).orders.map(({ id }) => id)).toEqual(orders.map(({ id }) => id));
});

describe('processes that are to come', () => {
  const five = spec({ replicas: 5 });

  test('wait until every process that runs keeps to the share of all of them', () => {
    const { orders, share, size } = decide(worldOf(running), five);
    expect(share.connections).toBe(8);
    expect(size, 'nobody has answered yet').toBeUndefined();
    expect(decide(worldOf(running, tooMany(orders)), five).size).toBeUndefined();
    expect(decide(worldOf(running, new Map([...capped(orders)].slice(1))), five).size).toBeUndefined();
    expect(decide(worldOf(running, capped(orders)), five).size).toBe(5);
  });

  test('do not wait for a process that cannot be asked, or is not ready', () => {
    const { orders } = decide(worldOf(running), five);
    expect(decide(worldOf(running, silent(orders)), five).size).toBe(5);
    const broken = { ...running, pods: [pod('a', { isReady: false }), pod('b', { template: undefined })] };
    expect(decide(worldOf(broken), five).size).toBe(5);
  });

  test('of another template count beside those that they replace', () => {
    const other = spec({ parameters: { pkt_buf: '8192' } });
    const { orders, share, size } = decide(worldOf(running), other);
    expect({ share: share.connections, size }).toEqual({ share: 10, size: undefined });
    expect(decide(worldOf(running, capped(orders)), other).size).toBe(2);
  });
});

test('processes that are stopping count until they are gone', () => {
  const pods = [...running.pods, pod('c', { isStopping: true }), pod('d', { isStopping: true })];
  const { share, orders, staying } = decide(worldOf({ ...running, pods }));
  expect(share.connections).toBe(10);
  expect(orders).toHaveLength(4);
  expect(staying.map(({ pod: { name } }) => name)).toEqual(['a', 'b']);
});

test('a process of another template keeps to its share, and is not made to load what is not for it', () => {
  const pods = [pod('a'), pod('old', { template: 'other' })];
  const { orders } = decide(worldOf({ ...running, pods }));
  expect(
    orders.map(({ spec: work }) => (work.kind === 'pooler' ? work.generation !== undefined : false)),
  ).toEqual([true, false]);
});

test('a process that is older than a release in place renews its connections, once for each release', () => {
  const builtAt = '1970-01-01T01:00:00Z';
  const schema = (id: string, strategy: 'InPlace' | 'Versioned') =>
    ({ strategy, newest: { id, schema: 'api', builtAt } }) as unknown as World['schema'];
  const pods = [pod('old'), pod('new', { createdAt: Date.parse(builtAt) + 120_000 })];
  const asked = (given: World['schema']) =>
    decide({ ...worldOf({ ...running, pods }), schema: given }).orders.map(({ id, spec: work }) => ({
      id,
      renews: work.kind === 'pooler' && work.renews,
    }));
  expect(asked(schema('00000001', 'Versioned')).map(({ renews }) => renews)).toEqual([false, false]);
  const first = asked(schema('00000001', 'InPlace'));
  expect(first.map(({ renews }) => renews)).toEqual([true, false]);
  const second = asked(schema('00000002', 'InPlace'));
  expect(second[0]?.id).not.toBe(first[0]?.id);
  expect(second[1]?.id).toBe(first[1]?.id);
});

test('a URI that cannot be used leaves everything as it is', () => {
  const world = { ...worldOf(running), databaseUri: { state: 'missing', what: 'gone' } } as World;
  expect(decidePooler(world, spec(), owner)).toBeUndefined();
});

test.each([
  [
    '1.23.1',
    'PgBouncer 1.23.1 runs, and 1.24 or newer is needed. Use an image with such a version: spec.pooler.image.',
  ],
  ['1.24.0', undefined],
])('PgBouncer %s', (version, message) => {
  const { orders } = decide(worldOf(running));
  const work = answered({ state: 'done', result: { version, serverConnections: 0 }, at: 0 })(orders);
  expect(unsupportedProblem(worldOf(running, work))?.message).toBe(message);
  expect(
    unsupportedProblem(worldOf(running, work, spec({ image: 'mine:1.26.1' }))),
    'another image is on its way',
  ).toBeUndefined();
});
