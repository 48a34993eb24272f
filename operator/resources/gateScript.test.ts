import { beforeEach, describe, expect, test, vi } from 'vitest';
import { gateScript } from './gateScript.ts';

/** A request as njs shows it, as far as gate.js looks. */
interface Request {
  method: string;
  args: Record<string, string>;
  variables: Record<string, string>;
  headersOut: Record<string, string>;
  return: (status: number, body: string) => void;
  internalRedirect: (location: string) => void;
}
interface Gate {
  observe: (r: Request) => string;
  isRestarting: () => string;
  refused: (r: Request) => Promise<void>;
  ready: (r: Request) => Promise<void>;
  sentinel: (r: Request) => Promise<void>;
  metrics: (r: Request) => void;
}

const module = `data:text/javascript,${encodeURIComponent(gateScript)}`;
const { default: gate } = (await import(/* @vite-ignore */ module)) as { default: Gate };

/** njs's shared dictionary of numbers. */
function dictionary() {
  const map = new Map<string, number>();
  return {
    get: (key: string) => map.get(key),
    set: (key: string, value: number) => map.set(key, value),
    incr: (key: string, by: number, from: number) => map.set(key, (map.get(key) ?? from) + by),
    keys: () => [...map.keys()],
  };
}

/** What PostgREST answers: the sentinel, and its admin server's /ready. 0: it refuses. */
let postgrest: { sentinel: number; ready: number };
/** The settings that it has loaded: the token that it shows, and how. */
let loadedSettings: { token: string; by: 'profile' | 'traceHeader' } | undefined;
let asked: string[];
let answer: { status: number; body: string } | undefined;
let redirect: string | undefined;

function answerOf(status: number, headers: Record<string, string> = {}) {
  return {
    status,
    headers: new Headers({ Server: 'postgrest/12.0.2', ...headers }),
    text: async () => `body of ${status}`,
  };
}

beforeEach(() => {
  loadedSettings = undefined;
  postgrest = { sentinel: 200, ready: 200 };
  asked = [];
  answer = undefined;
  redirect = undefined;
  vi.useFakeTimers();
  vi.stubGlobal('ngx', {
    shared: { metrics: dictionary(), state: dictionary() },
    fetch: async (url: string, { headers = {} }: { headers?: Record<string, string> }) => {
      asked.push(url);
      if (url !== 'sentinel' && url !== 'ready') return answerOf(url.endsWith('0badcafe') ? 200 : 404);
      const status = postgrest[url];
      if (status === 0) throw new Error('connection refused');
      const profile = headers['Accept-Profile'];
      const { token, by } = loadedSettings ?? {};
      if (profile !== undefined && (by !== 'profile' || profile !== `pgrst-settings-${token ?? ''}`))
        return answerOf(406);
      const name = `X-Pgrst-Settings-${token ?? ''}`;
      return answerOf(status, by === 'traceHeader' ? { [name]: headers[name] ?? '' } : {});
    },
  });
  return () => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  };
});

function request(variables: Record<string, string> = {}, method = 'GET'): Request {
  return {
    method,
    args: {},
    variables: {
      sentinel_url: 'sentinel',
      ready_url: 'ready',
      held_since: '',
      holds: '0',
      revision: '3',
      release: 'ab',
      ...variables,
    },
    headersOut: {},
    return: (status, body) => {
      answer = { status, body };
    },
    internalRedirect: (location) => {
      redirect = location;
    },
  };
}

async function readiness(): Promise<number | undefined> {
  await gate.ready(request());
  return answer?.status;
}

describe('a pod is ready', () => {
  test.each([
    [200, 200, 'once the sentinel is in the cache'],
    [404, 503, 'not while the cache is of another release'],
    [503, 503, 'not while there is no cache'],
    [0, 503, 'not while PostgREST is away'],
  ])('sentinel %i: %i, %s', async (sentinel, expected) => {
    postgrest = { sentinel, ready: 200 };
    expect(await readiness()).toBe(expected);
  });

  test('while another release takes the place of the one before, under the same pods', async () => {
    postgrest.sentinel = 404;
    await gate.ready(request({ in_place: '1' }));
    expect(answer?.status).toBe(200);
  });

  test('where every request needs a token, once the admin server says so; it is not asked again', async () => {
    postgrest = { sentinel: 401, ready: 503 };
    expect(await readiness()).toBe(503);
    postgrest.ready = 200;
    expect(await readiness()).toBe(200);
    // An overload: /ready would now wait for a connection to the database.
    postgrest.ready = 503;
    expect(await readiness()).toBe(200);
    expect(asked.filter((url) => url === 'ready')).toHaveLength(2);
  });

  test('where every request needs a token, only after the admin server said so again when PostgREST was away', async () => {
    postgrest = { sentinel: 401, ready: 200 };
    await readiness();
    postgrest.sentinel = 0;
    await readiness();
    postgrest = { sentinel: 401, ready: 503 };
    expect(await readiness()).toBe(503);
  });
});

test("a connection that a client's request was refused makes the admin server count again", async () => {
  postgrest = { sentinel: 401, ready: 200 };
  await readiness();
  const done = gate.refused(request({ upstream_connect_time: '-' }));
  postgrest.ready = 503;
  await vi.advanceTimersByTimeAsync(4900);
  await done;
  expect(await readiness()).toBe(503);
});

describe('the sentinel is passed on as PostgREST answers it', () => {
  test.each([
    [200, 'true'],
    [404, 'true'],
    [401, 'true'],
    [503, 'false'],
  ])('%i, loaded %s', async (status, loaded) => {
    postgrest.sentinel = status;
    const r = request();
    await gate.sentinel(r);
    expect(answer).toEqual({ status, body: `body of ${status}` });
    expect(r.headersOut).toEqual({ 'X-Pgrst-Loaded': loaded, 'X-Pgrst-Version': '12.0.2' });
  });

  test('another release is looked for where somebody asks for it', async () => {
    const r = {
      ...request({ sentinel_url: 'http://x/rpc/pgrst_sentinel_00000001' }),
      args: { release: '0badcafe' },
    };
    await gate.sentinel(r);
    expect(asked).toEqual(['http://x/rpc/pgrst_sentinel_00000001', 'http://x/rpc/pgrst_sentinel_0badcafe']);
    expect(answer?.status).toBe(200);
  });

  test.each(['profile', 'traceHeader'] as const)(
    'settings are shown by the %s, once they are loaded',
    async (by) => {
      const settings = '0123456789ab';
      const ask = async () => {
        const r = { ...request(), args: { settings, by } };
        await gate.sentinel(r);
        return r.headersOut['X-Pgrst-Settings'];
      };
      expect(await ask()).toBeUndefined();
      loadedSettings = { token: 'ba9876543210', by };
      expect(await ask()).toBeUndefined();
      loadedSettings = { token: settings, by };
      expect(await ask()).toBe(settings);
    },
  );

  test('502 when PostgREST is away', async () => {
    postgrest.sentinel = 0;
    await gate.sentinel(request());
    expect(answer?.status).toBe(502);
  });
});

describe('a request that got no answer', () => {
  test.each(['0.000', '-, 0.001', '- : 0.000'])(
    'is not repeated when it was sent (connect time %s)',
    async (time) => {
      await gate.refused(request({ upstream_connect_time: time }, 'POST'));
      expect(answer?.status).toBe(502);
      expect(redirect).toBeUndefined();
    },
  );

  test('is held while PostgREST is away and sent once its cache is loaded, whatever its method', async () => {
    postgrest.sentinel = 0;
    const done = gate.refused(request({ upstream_connect_time: '-' }, 'POST'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(redirect).toBeUndefined();
    expect(gate.isRestarting()).toBe('1');
    postgrest.sentinel = 503;
    await vi.advanceTimersByTimeAsync(800);
    expect(redirect).toBeUndefined();
    postgrest.sentinel = 200;
    await vi.advanceTimersByTimeAsync(800);
    await done;
    expect(redirect).toBe('@forward');
    expect(gate.isRestarting()).toBe('');
  });

  test('is held for less than 5 s in all, then told that nobody answers', async () => {
    postgrest.sentinel = 0;
    const r = request({ upstream_connect_time: '-' });
    const done = gate.refused(r);
    await vi.advanceTimersByTimeAsync(4900);
    await done;
    expect(redirect).toBe('@forward');
    await gate.refused(r);
    expect(answer?.status).toBe(502);
  });
});

describe('metrics', () => {
  function metrics(): string {
    gate.metrics(request());
    return answer?.body ?? '';
  }

  test('count each request under its method and status, and in all buckets from its time on', () => {
    for (const seconds of ['0.005', '0.3', '20'])
      gate.observe(request({ status: '200', request_time: seconds }));
    const text = metrics();
    expect(text).toContain(
      'pgrst_gate_requests_total{revision="3",release="ab",method="GET",code="200"} 3\n',
    );
    const buckets = [...text.matchAll(/_bucket\{[^}]*le="([^"]*)"\} (\d+)/g)].map(
      ([, bound, count]) => `${bound ?? ''}:${count ?? ''}`,
    );
    expect(buckets).toEqual([
      ...[
        '0.005:1',
        '0.01:1',
        '0.025:1',
        '0.05:1',
        '0.1:1',
        '0.25:1',
        '0.5:2',
        '1:2',
        '2.5:2',
        '5:2',
        '10:2',
        '+Inf:3',
      ],
    ]);
    expect(text).toMatch(/_seconds_count\{[^}]*\} 3\n/);
    expect(text).toMatch(/_seconds_sum\{[^}]*\} 20.305\n/);
  });

  test('have no label value that a client can invent', () => {
    gate.observe(request({ status: '405', request_time: '0' }, 'BREW'));
    expect(metrics()).toContain('method="OTHER",code="405"');
    expect(metrics()).not.toContain('BREW');
  });
});
