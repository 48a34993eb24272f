import { afterEach, describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { startLoopbackServer, type Handler, type LoopbackServer } from '../testing/loopback.ts';
import { probePod, type PodProbesOrder, type PodProbesResult } from './podProbes.ts';

let server: LoopbackServer | undefined;
afterEach(() => server?.close());

/** Answers take as long as a test says, and whoever waits between two tries need not. */
const clock = {
  ...createFakeClock(),
  after: (_: number, callback: () => void) => {
    const immediate = setImmediate(callback);
    return () => {
      clearImmediate(immediate);
    };
  },
};

async function start(handle: Handler): Promise<LoopbackServer> {
  server = await startLoopbackServer(handle);
  return server;
}

function run(port: number, probes: PodProbesOrder['probes'], prefix = ''): Promise<PodProbesResult> {
  const { signal } = new AbortController();
  const order = { ip: '127.0.0.1', port, host: 'tasks.example.test', prefix, probes };
  return probePod(order, clock, { signal, progress: () => undefined });
}

describe('probing a pod', () => {
  test('asks for every path below the prefix, by GET and under the host', async () => {
    const hosts = new Set<string | undefined>();
    const { port, requests } = await start((request, response) => {
      hosts.add(request.headers.host);
      response.writeHead(request.url === '/todo/rpc/secret' ? 401 : 200).end('[]');
    });
    const probes = [
      { path: '/tasks?limit=1', status: 200 },
      { path: '/rpc/secret', status: 401 },
    ];
    expect(await run(port, probes, '/todo')).toEqual({ passed: true });
    expect(requests).toEqual(['127.0.0.1 GET /todo/tasks?limit=1', '127.0.0.1 GET /todo/rpc/secret']);
    expect([...hosts]).toEqual(['tasks.example.test']);
  });

  test('forgives two failed tries', async () => {
    let asked = 0;
    const { port } = await start((_, response) => {
      asked += 1;
      if (asked === 1) response.destroy();
      else response.writeHead(asked === 2 ? 503 : 200).end();
    });
    expect(await run(port, [{ path: '/tasks', status: 200 }])).toEqual({ passed: true });
    expect(asked).toBe(3);
  });

  test('ends with the first probe that fails three times', async () => {
    const { port, requests } = await start((_, response) => response.writeHead(500).end('secret'));
    const result = await run(port, [
      { path: '/tasks', status: 200 },
      { path: '/people', status: 200 },
    ]);
    expect(result).toEqual({
      passed: false,
      failure: 'probe /tasks of the pod at 127.0.0.1 answered 500 instead of 200, in the last of 3 tries',
    });
    expect(requests).toHaveLength(3);
  });

  test('says how long an answer took', async () => {
    const { port } = await start((_, response) => {
      void clock.advance(812).then(() => response.end());
    });
    expect(await run(port, [{ path: '/tasks', status: 200, maxLatency: '500ms' }])).toEqual({
      passed: false,
      failure: 'probe /tasks of the pod at 127.0.0.1 took 812 ms (at most 500 ms), in the last of 3 tries',
    });
    expect(await run(port, [{ path: '/tasks', status: 200, maxLatency: '1s' }])).toEqual({ passed: true });
  });

  test('says why there was no answer', async () => {
    const { port, close } = await start(() => undefined);
    await close();
    const result = await run(port, [{ path: '/tasks', status: 200 }]);
    expect(result).toEqual({
      passed: false,
      failure: `probe /tasks of the pod at 127.0.0.1 failed: connect ECONNREFUSED 127.0.0.1:${port} (expected 200 within 5000 ms), in the last of 3 tries`,
    });
  });
});
