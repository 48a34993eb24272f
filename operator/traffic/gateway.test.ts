import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HttpRoute } from '../resources/httpRoute.ts';
import { names } from '../resources/names.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject } from '../runtime/object.ts';
import { instanceSpec, owner } from '../testing/resourceCases.ts';
import { createGatewayRouter, refusalOf } from './gateway.ts';
import type { TrafficIntent } from './router.ts';

const parentRefs = [{ name: 'public', namespace: 'gateways' }];
const spec = instanceSpec({
  expose: { host: 'todo.example.com', path: '/todo', router: 'GatewayAPI', parentRefs },
  rollout: { from: { service: { name: 'fastapi', port: 8000 } } },
});
const { stableService, revision, ingress } = names('todo');

/** A client whose only EndpointSlice has one port of this name. */
function sliceClient(portName: string): KubeClient {
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'gateway-1' },
    ports: [{ name: portName, port: 8000 }],
    endpoints: [
      { addresses: ['10.0.0.1'], conditions: { ready: true } },
      { addresses: ['10.0.0.2'], conditions: { ready: false } },
    ],
  };
  return { list: () => Promise.resolve({ items: [slice], resourceVersion: '1' }) } as unknown as KubeClient;
}

const router = createGatewayRouter(sliceClient('web'), { namespace: 'traefik', name: 'traefik' });
const plain: TrafficIntent = { main: 'stable', canary: undefined, preview: undefined };

function routeOf(intent: Partial<TrafficIntent>): HttpRoute {
  const [route] = router.objects(owner, spec, { ...plain, ...intent });
  if (route === undefined) throw new Error('there is no route');
  return route;
}

/** Who gets a request with these headers, with the weights, as Gateway API has it: the first rule among those with most headers. */
function backendsFor(route: HttpRoute, headers: Readonly<Record<string, string>>): [string, number][] {
  const fitting = (route.spec?.rules ?? []).filter((rule) =>
    (rule.matches ?? []).some((match) =>
      (match.headers ?? []).every(({ name, value }) => headers[name] === value),
    ),
  );
  const counted = fitting.map((rule) => ({ rule, count: rule.matches?.[0]?.headers?.length ?? 0 }));
  const best = counted.sort((a, b) => b.count - a.count)[0]?.rule;
  return (best?.backendRefs ?? []).map(({ name, weight = 1 }) => [name, weight]);
}

const probing = (kind: Parameters<typeof router.probe>[2]): Record<string, string> => ({
  ...router.probe(owner, spec, kind).headers,
});

describe('one route says who gets what', () => {
  test('without a canary everything leads to the stable Service', () => {
    const route = routeOf({});
    expect(backendsFor(route, {})).toEqual([[stableService, 100]]);
    expect(backendsFor(route, probing('main'))).toEqual([[stableService, 1]]);
    expect(route.metadata.name).toBe(ingress);
    expect(route.spec?.hostnames).toEqual(['todo.example.com']);
  });

  test.each([0, 10, 50, 100])(
    'with a canary at %i, each backend has its share and can be asked',
    (weight) => {
      const route = routeOf({ canary: { revision: 4, weight } });
      expect(backendsFor(route, probing('weights'))).toEqual([
        [stableService, 100 - weight],
        [revision(4), weight],
      ]);
      expect(backendsFor(route, probing('main'))).toEqual([[stableService, 1]]);
      expect(backendsFor(route, probing('canary'))).toEqual([[revision(4), 1]]);
    },
  );

  test('while main is a Service of somebody else, the stable Service can be asked too', () => {
    const route = routeOf({ main: 'from', canary: { revision: 1, weight: 10 } });
    expect(backendsFor(route, {})[0]).toEqual(['fastapi', 90]);
    expect(backendsFor(route, probing('main'))).toEqual([['fastapi', 1]]);
    expect(backendsFor(route, probing('stable'))).toEqual([[stableService, 1]]);
  });

  test('the preview value leads to the canary, and to nobody without one', () => {
    const preview = { 'X-Pgrst-Preview': 'blue moon' };
    const canary = { revision: 4, weight: 0 };
    expect(backendsFor(routeOf({ canary, preview: 'blue moon' }), preview)).toEqual([[revision(4), 1]]);
    expect(backendsFor(routeOf({ canary, preview: 'other' }), preview)[0]).toEqual([stableService, 100]);
    expect(backendsFor(routeOf({ preview: 'blue moon' }), preview)).toEqual([[stableService, 100]]);
  });

  test("another instance's steering value steers nothing here", () => {
    const other = router.probe({ ...owner, uid: 'ffffffff-0000' }, spec, 'canary').headers;
    const route = routeOf({ canary: { revision: 4, weight: 0 } });
    expect(backendsFor(route, { ...other })).toEqual(backendsFor(route, {}));
  });

  test('what the user leaves at its default is left to the Gateway', () => {
    const withTimeout = (request: string) =>
      router.objects(
        owner,
        instanceSpec({
          expose: { host: 'todo.example.com', router: 'GatewayAPI', parentRefs, timeouts: { request } },
        }),
        plain,
      ) as HttpRoute[];
    expect(withTimeout('55s')[0]?.spec?.rules?.[0]?.timeouts).toBeUndefined();
    expect(withTimeout('25s')[0]?.spec?.rules?.map(({ timeouts }) => timeouts)).toEqual([
      { request: '30s' },
      { request: '30s' },
    ]);
    expect(withTimeout('1h')[0]?.spec?.rules?.[0]?.timeouts).toEqual({ request: '3605s' });
  });
});

describe('what was written is read back', () => {
  test('whatever it was', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('stable' as const, 'from' as const),
        fc.option(fc.record({ revision: fc.integer({ min: 1, max: 9999 }), weight: fc.nat(100) }), {
          nil: undefined,
        }),
        fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
        (main, canary, preview) => {
          expect(router.read('todo', spec, [routeOf({ main, canary, preview })])).toEqual({ main, canary });
        },
      ),
    );
  });

  test('of an instance whose route is gone, nothing is known', () => {
    expect(router.read('todo', spec, [])).toEqual({ main: undefined, canary: undefined });
  });
});

describe('a route that was edited by hand', () => {
  const edited = (backendRefs: readonly object[]): KubeObject => {
    const route = routeOf({ canary: { revision: 4, weight: 50 } });
    const rules = (route.spec?.rules ?? []).map((rule) =>
      rule.matches?.[0]?.headers === undefined ? { ...rule, backendRefs } : rule,
    );
    return { ...route, spec: { ...route.spec, rules } };
  };
  const read = (backendRefs: readonly object[]) => router.read('todo', spec, [edited(backendRefs)]);

  test.each([
    ['with shares that are no percents', [{ name: 'todo' }, { name: revision(4), weight: 2 }], 67],
    ['with a tiny share', [{ name: 'todo', weight: 100_000 }, { name: revision(4) }], 1],
    ['with nearly everything', [{ name: 'todo' }, { name: revision(4), weight: 100_000 }], 99],
    ['without a weight at all', [{ name: 'todo' }, { name: revision(4) }], 50],
    ['without the candidate', [{ name: 'todo', weight: 100 }], 0],
    ['with nobody behind it', [], 0],
  ])('%s has a share all the same', (_, backendRefs, weight) => {
    expect(read(backendRefs).canary).toEqual({ revision: 4, weight });
  });

  test('that leads to nobody whom we know has no main', () => {
    expect(read([{ name: 'elsewhere' }]).main).toBeUndefined();
    expect(router.read('todo', spec, [{ ...routeOf({}), spec: {} }])).toEqual({
      main: undefined,
      canary: undefined,
    });
  });

  test("does not take another instance's revision for its own", () => {
    expect(read([{ name: 'todo' }, { name: names('other').revision(4) }]).canary?.weight).toBe(0);
  });
});

describe('another route for the same host and path', () => {
  const theirs = (more: object = {}, metadata: object = {}): KubeObject => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name: 'theirs', namespace: 'gateways', ...metadata },
    spec: {
      parentRefs: [{ name: 'public' }],
      hostnames: ['www.example.com', 'todo.example.com'],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/todo/' } }] }],
      ...more,
    },
  });
  const rivalOf = (other: KubeObject, ours = spec) => router.rival(owner, ours, [routeOf({}), other]);

  test('is a rival', () => {
    expect(rivalOf(theirs())?.metadata.name).toBe('theirs');
  });

  test.each([
    ['of another host', { hostnames: ['www.example.com'] }],
    ['of any host, which ours comes before', { hostnames: undefined }],
    ['of another path', { rules: [{ matches: [{ path: { type: 'PathPrefix', value: '/todo/x' } }] }] }],
    ['of an exact path', { rules: [{ matches: [{ path: { type: 'Exact', value: '/todo' } }] }] }],
    [
      'of requests with a header',
      {
        rules: [{ matches: [{ path: { value: '/todo' }, headers: [{ name: 'X-Beta', value: '1' }] }] }],
      },
    ],
    ['of another Gateway', { parentRefs: [{ name: 'public', namespace: 'shop' }] }],
  ])('%s is none', (_, more) => {
    expect(rivalOf(theirs(more))).toBeUndefined();
  });

  test('without a match claims the whole host', () => {
    const atRoot = instanceSpec({ expose: { host: 'todo.example.com', router: 'GatewayAPI', parentRefs } });
    expect(rivalOf(theirs({ rules: [{}] }), atRoot)?.metadata.name).toBe('theirs');
    expect(rivalOf(theirs({ rules: [{}] }))).toBeUndefined();
  });

  test.each([
    ['the same listener', 'https', 'theirs'],
    ['another listener', 'http', undefined],
    ['all listeners', undefined, 'theirs'],
  ])('at %s of the same Gateway is told apart', (_, sectionName, rival) => {
    const atListener = instanceSpec({
      expose: {
        host: 'todo.example.com',
        path: '/todo',
        router: 'GatewayAPI',
        parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
      },
    });
    const other = theirs({ parentRefs: [{ name: 'public', ...(sectionName ? { sectionName } : {}) }] });
    expect(rivalOf(other, atListener)?.metadata.name).toBe(rival);
  });

  describe('that leads to the service that we move away from', () => {
    const rule = (port = 8000) => ({
      matches: [{ path: { type: 'PathPrefix', value: '/todo' } }],
      backendRefs: [{ name: 'fastapi', port }],
    });
    const old = (more: object = { rules: [rule()] }) =>
      theirs({ parentRefs, ...more }, { name: 'old', namespace: 'shop' });
    const beside = (intent: Partial<TrafficIntent>, other = old()) =>
      router.rival(owner, spec, [routeOf(intent), other])?.metadata.name;

    test('is none as long as ours leads there too, for everybody', () => {
      expect(router.rival(owner, spec, [old()])).toBeUndefined();
      expect(beside({ main: 'from' })).toBeUndefined();
      expect(beside({ main: 'from', canary: { revision: 1, weight: 0 } })).toBeUndefined();
    });

    test('is one from the first share on: it would take none of it', () => {
      expect(beside({ main: 'from', canary: { revision: 1, weight: 10 } })).toBe('old');
      expect(beside({})).toBe('old');
    });

    test('is one when it leads anywhere else', () => {
      expect(beside({ main: 'from' }, old({ rules: [rule(9000)] }))).toBe('old');
      expect(beside({ main: 'from' }, old({ rules: [{ ...rule(), backendRefs: [] }] }))).toBe('old');
      expect(beside({ main: 'from' }, theirs({ parentRefs, rules: [rule()] }))).toBe('theirs');
    });
  });

  test('is none once it is ours, or on its way out', () => {
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ApiInstance', name: 'todo', uid: owner.uid }];
    expect(rivalOf(theirs({}, { ownerReferences }))).toBeUndefined();
    expect(rivalOf(theirs({}, { deletionTimestamp: '2026-01-01T00:00:00Z' }))).toBeUndefined();
  });
});

describe('what a Gateway says of the route', () => {
  const judged = (intent: Partial<TrafficIntent>, ...conditions: readonly object[]): KubeObject => {
    const route = routeOf(intent);
    const parents = [{ parentRef: parentRefs[0], conditions }];
    return { ...route, metadata: { ...route.metadata, generation: 3 }, status: { parents } };
  };
  const accepted = { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 3 };
  const refused = {
    type: 'Accepted',
    status: 'False',
    reason: 'NotAllowedByListeners',
    message: '',
    observedGeneration: 3,
  };
  const missing = {
    type: 'ResolvedRefs',
    status: 'False',
    reason: 'BackendNotFound',
    message: 'getting service: not found',
    observedGeneration: 3,
  };

  test('nothing to tell when it serves it', () => {
    expect(refusalOf(judged({}, accepted, { ...accepted, type: 'ResolvedRefs' }))).toBeUndefined();
  });

  test('who refuses, and why', () => {
    expect(refusalOf(judged({}, refused))).toBe(
      'Gateway gateways/public does not serve HTTPRoute todo (Accepted is False): NotAllowedByListeners',
    );
    expect(refusalOf(judged({}, accepted, missing))).toContain('BackendNotFound: getting service: not found');
  });

  test('what was said of an older spec says nothing of this one', () => {
    expect(refusalOf(judged({}, { ...refused, observedGeneration: 2 }))).toBeUndefined();
  });

  test('the stable Service may be missing as long as main leads elsewhere', () => {
    expect(refusalOf(judged({ main: 'from' }, accepted, missing))).toBeUndefined();
  });

  test('nobody has taken it up', () => {
    expect(refusalOf(routeOf({}))).toContain('no Gateway has taken up HTTPRoute todo');
    expect(refusalOf(routeOf({}))).toContain('gateways/public');
  });
});

describe('where the Gateway listens', () => {
  const signal = AbortSignal.timeout(60_000);
  const at = (portName: string) =>
    createGatewayRouter(sliceClient(portName), { namespace: 'traefik', name: 'traefik' }).dataPlane(
      spec,
      signal,
    );

  test.each(['web', 'http'])('at the ready pods, by the port named %s', async (portName) => {
    await expect(at(portName)).resolves.toEqual([{ ip: '10.0.0.1', port: 8000 }]);
  });

  test('nowhere without such a port', async () => {
    await expect(at('https')).resolves.toEqual([]);
  });
});
