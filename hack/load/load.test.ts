import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { startLoad, type Load, type LoadRequest } from './load.ts';
import { failed, summarise, type Sample } from './sample.ts';

const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp();
});

const get: LoadRequest = { method: 'GET', path: '/tasks?limit=1' };
const post: LoadRequest = { method: 'POST', path: '/rpc/add_task', body: '{"title":"é"}' };

/** Serves on a free port of the loopback device; gives its URL. */
async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  );
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

function start(url: string, over: Partial<Parameters<typeof startLoad>[0]> = {}): Load {
  return startLoad({ url, host: 'tasks.test', requests: [get], ratePerSecond: 200, maxSeconds: 60, ...over });
}

/** A listener that lets the test wait until it has been called `count` times. */
function counting(
  count: number,
  listener: RequestListener,
): { listener: RequestListener; reached: Promise<void> } {
  let seen = 0;
  const { promise: reached, resolve } = Promise.withResolvers<undefined>();
  return {
    reached,
    listener: (request, response) => {
      if (++seen === count) resolve(undefined);
      listener(request, response);
    },
  };
}

/** Sends until the server has seen `count` requests, then stops. */
async function run(
  count: number,
  listener: RequestListener,
  over: Partial<Parameters<typeof startLoad>[0]> = {},
): Promise<readonly Sample[]> {
  const server = counting(count, listener);
  const load = start(await serve(server.listener), over);
  await server.reached;
  return load.stop();
}

test('every response is counted with its revision, over both kinds of connection', async () => {
  const connections = new Map<Socket, number>();
  const samples = await run(
    40,
    (request, response) => {
      connections.set(request.socket, (connections.get(request.socket) ?? 0) + 1);
      response.setHeader('X-Pgrst-Revision', '7').end('[]');
    },
    { requests: [get, post] },
  );
  const summary = summarise(samples);
  expect(summary).toMatchObject({
    failed: 0,
    byRevision: { 7: samples.length },
    byStatus: { 200: samples.length },
  });
  expect(Math.abs(summary.keepAlive - summary.ownConnection)).toBeLessThanOrEqual(2);
  expect(connections.size).toBeGreaterThanOrEqual(summary.ownConnection);
  expect(Math.max(...connections.values())).toBeGreaterThan(1);
});

test('kept-alive requests go over several connections, so that they meet every replica behind a node port', async () => {
  const kept = new Set<Socket>();
  await run(64, (request, response) => {
    if (request.headers.connection === 'keep-alive') kept.add(request.socket);
    response.end();
  });
  expect(kept.size).toBeGreaterThanOrEqual(8);
});

test('a sample says which ingress replica and which pods had it, where the ingress does', async () => {
  const samples = await run(3, (_, response) => {
    response.setHeader('X-Ingress-Replica', 'one').setHeader('X-Ingress-Upstream', '10.0.0.1:3000');
    response.writeHead(502).end();
  });
  expect(samples[0]).toMatchObject({ ingress: 'one', upstream: '10.0.0.1:3000' });
});

test('method, path, host and body arrive as they were asked for', async () => {
  const seen: string[] = [];
  await run(
    4,
    (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        seen.push(
          `${request.method ?? ''} ${request.url ?? ''} ${request.headers.host ?? ''} ${Buffer.concat(chunks).toString()}`,
        );
        response.end();
      });
    },
    { requests: [get, post] },
  );
  expect(seen).toContain('GET /tasks?limit=1 tasks.test ');
  expect(seen).toContain('POST /rpc/add_task tasks.test {"title":"é"}');
});

test('a 500 is a failed request', async () => {
  const samples = await run(3, (_, response) => response.writeHead(500).end());
  expect(samples.every(failed)).toBe(true);
  expect(Object.keys(summarise(samples).byFailure)).toEqual(['GET /tasks: 500']);
});

test('a connection that is reset is a failed request', async () => {
  const samples = await run(3, (request) => request.socket.resetAndDestroy());
  expect(
    samples.every((sample) => failed(sample) && sample.status === 0 && sample.error === 'ECONNRESET'),
  ).toBe(true);
});

test('a 200 whose body breaks off is a failed request', async () => {
  const samples = await run(3, (request, response) => {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => request.socket.destroy());
  });
  expect(samples.every(failed)).toBe(true);
});

test('a request without an answer is cut off at the limit and has failed', async () => {
  const samples = await run(3, () => undefined, { timeoutMs: 50 });
  expect(samples.every((sample) => failed(sample) && sample.error === 'no answer within 50 ms')).toBe(true);
});

test('a refused connection is a failed request', async () => {
  const closed = createTcpServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const { port } = closed.address() as AddressInfo;
  await new Promise<void>((resolve) => {
    closed.close(() => {
      resolve();
    });
  });
  const samples = await start(`http://127.0.0.1:${String(port)}`).stop();
  expect(samples.length).toBeGreaterThan(0);
  expect(samples.every((sample) => failed(sample) && sample.error === 'ECONNREFUSED')).toBe(true);
});

test('a server that answers nothing does not slow the client down', async () => {
  const held = new Set<() => void>();
  let holding = true;
  const server = counting(30, (_, response) => {
    if (holding) held.add(() => response.end());
    else response.end();
  });
  const load = start(await serve(server.listener));
  await server.reached;
  expect(load.inFlight()).toBeGreaterThanOrEqual(30);
  const stopped = load.stop();
  // What is still on its way to the server must be answered too.
  holding = false;
  for (const release of held) release();
  await stopped;
});

test('a load that ran into its bound says so instead of pretending that it measured to the end', async () => {
  const ended = run(2, (_, response) => response.end(), { maxSeconds: 0.02, ratePerSecond: 100 });
  await expect(ended).rejects.toThrow('raise maxSeconds');
});

test.each(['http://192.0.2.1', 'https://127.0.0.1', 'http://example.test'])(
  '%s is refused as a target',
  (url) => {
    expect(() => start(url)).toThrow('loopback');
  },
);
