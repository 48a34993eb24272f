import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { createKubeClient, type ConnectedKubeClient, type KubeClientOptions } from './client.ts';
import { isGone, isNotFound } from './kubeError.ts';
import type { KubeObject } from './object.ts';

const never = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}
type Answer = (request: Received, response: ServerResponse) => void;

/** An http server that answers each request with the next of `answers`, the last one again and again. */
async function serve(answers: readonly Answer[], options: KubeClientOptions = {}, user: object = {}) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
      received.push(one);
      answers[Math.min(received.length, answers.length) - 1]?.(one, response);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: `http://127.0.0.1:${port}/`, skipTLSVerify: false },
    { name: 'u', ...user },
  );
  const client: ConnectedKubeClient = createKubeClient(kubeConfig, options);
  closers.push(async () => {
    await client.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { client, received, server };
}

const json =
  (status: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const pod: KubeObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'a', namespace: 'shop' },
  spec: { x: 1 },
};
const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'a' };
const status = (code: number, reason: string, message: string) => ({ kind: 'Status', code, reason, message });

describe('calls', () => {
  test('get gives the object as it is, and undefined when there is none', async () => {
    const { client, received } = await serve([json(200, pod), json(404, status(404, 'NotFound', 'no'))]);
    expect(await client.get(ref, never)).toEqual(pod);
    expect(await client.get(ref, never)).toBeUndefined();
    expect(received[0]).toMatchObject({ method: 'GET', url: '/api/v1/namespaces/shop/pods/a' });
  });

  test('list joins pages and fills in what items lack', async () => {
    const item = { metadata: { name: 'a' } };
    const { client, received } = await serve([
      json(200, { metadata: { resourceVersion: '7', continue: 'next page' }, items: [item] }),
      json(200, { metadata: { resourceVersion: '7' }, items: [item] }),
    ]);
    const list = await client.list({ apiVersion: 'v1', kind: 'Pod', labelSelector: 'a=b', limit: 1 }, never);
    expect(list).toEqual({
      items: [
        { ...item, apiVersion: 'v1', kind: 'Pod' },
        { ...item, apiVersion: 'v1', kind: 'Pod' },
      ],
      resourceVersion: '7',
    });
    expect(received.map(({ url }) => url)).toEqual([
      '/api/v1/pods?labelSelector=a%3Db&limit=1',
      '/api/v1/pods?labelSelector=a%3Db&limit=1&continue=next+page',
    ]);
  });

  test('a page token that has expired makes it one list without pages', async () => {
    const { client, received } = await serve([
      json(200, {
        metadata: { resourceVersion: '7', continue: 'x' },
        items: [{ metadata: { name: 'old' } }],
      }),
      json(410, status(410, 'Expired', 'too old')),
      json(200, { metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'new' } }] }),
    ]);
    const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod' }, never);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['new']);
    expect(received[2]?.url).toBe('/api/v1/pods');
  });

  test('apply is a forced, strict server-side apply', async () => {
    const { client, received } = await serve([json(200, pod)]);
    await client.apply(pod, { fieldManager: 'me' }, never);
    await client.applyStatus(pod, { fieldManager: 'me', force: false, dryRun: true }, never);
    expect(received).toMatchObject([
      {
        method: 'PATCH',
        url: '/api/v1/namespaces/shop/pods/a?fieldManager=me&force=true&fieldValidation=Strict',
        body: pod,
        headers: { 'content-type': 'application/apply-patch+yaml' },
      },
      {
        url: '/api/v1/namespaces/shop/pods/a/status?fieldManager=me&force=false&fieldValidation=Strict&dryRun=All',
      },
    ]);
  });

  test('create posts to the collection, replace and patch go to the object', async () => {
    const { client, received } = await serve([json(200, pod)]);
    await client.create(pod, never);
    await client.replace(pod, never);
    await client.patch(ref, { type: 'merge', body: { a: 1 } }, never);
    await client.patch(ref, { type: 'json', body: [], subresource: 'status' }, never);
    expect(received.map(({ method, url, headers }) => [method, url, headers['content-type']])).toEqual([
      ['POST', '/api/v1/namespaces/shop/pods', 'application/json'],
      ['PUT', '/api/v1/namespaces/shop/pods/a', 'application/json'],
      ['PATCH', '/api/v1/namespaces/shop/pods/a', 'application/merge-patch+json'],
      ['PATCH', '/api/v1/namespaces/shop/pods/a/status', 'application/json-patch+json'],
    ]);
  });

  test('delete carries the uid as a precondition and takes it lightly when there is nothing', async () => {
    const { client, received } = await serve([
      json(404, status(404, 'NotFound', 'no')),
      json(409, status(409, 'Conflict', 'uid')),
    ]);
    await client.delete({ ...ref, uid: 'u1' }, {}, never);
    expect(received[0]?.body).toEqual({ propagationPolicy: 'Background', preconditions: { uid: 'u1' } });
    await expect(client.delete(ref, { propagation: 'Orphan' }, never)).rejects.toMatchObject({ status: 409 });
  });
});

describe('errors', () => {
  test("carry status, reason and the server's words", async () => {
    const { client } = await serve([json(422, status(422, 'Invalid', 'spec.x: not so'))]);
    await expect(client.apply(pod, { fieldManager: 'me' }, never)).rejects.toMatchObject({
      status: 422,
      reason: 'Invalid',
      message: 'PATCH /api/v1/namespaces/shop/pods/a: spec.x: not so',
    });
  });

  test('of a Secret repeat no values, only which fields', async () => {
    const { client } = await serve([
      json(422, {
        ...status(422, 'Invalid', 'data[password]: Invalid value: "hunter2"'),
        details: { causes: [{ field: 'data[password]', message: 'Invalid value: "hunter2"' }] },
      }),
    ]);
    const secret = { ...pod, kind: 'Secret' };
    const error: unknown = await client
      .apply(secret, { fieldManager: 'me' }, never)
      .catch((each: unknown) => each);
    expect(String(error)).toContain('Invalid (data[password])');
    expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
  });

  test('an answer that is not JSON is an error of its own, with its HTTP status', async () => {
    const html: Answer = (_, response) => response.writeHead(502).end('<html>');
    const { client } = await serve([html, (_, response) => response.writeHead(200).end('<html>')]);
    await expect(client.get(ref, never)).rejects.toMatchObject({ status: 502, reason: 'HTTP502' });
    await expect(client.get(ref, never)).rejects.toMatchObject({ status: 0, reason: 'BadResponse' });
  });

  test('429 with Retry-After is tried once more, then thrown', async () => {
    const busy = json(429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '0' });
    const first = await serve([busy, json(200, pod)]);
    expect(await first.client.get(ref, never)).toEqual(pod);
    const second = await serve([busy]);
    await expect(second.client.get(ref, never)).rejects.toMatchObject({ status: 429, retryAfterSeconds: 0 });
    expect(second.received).toHaveLength(2);
  });

  test('429 without Retry-After, or with a long one, is thrown at once', async () => {
    for (const headers of [{}, { 'retry-after': '3600' }] as Record<string, string>[]) {
      const { client, received } = await serve([json(429, status(429, 'TooManyRequests', 'no'), headers)]);
      await expect(client.get(ref, never)).rejects.toMatchObject({ status: 429 });
      expect(received).toHaveLength(1);
    }
  });

  test('a server that is not there is Unreachable, one that does not answer is a Timeout', async () => {
    const clock = createFakeClock();
    const arrived = Promise.withResolvers<undefined>();
    const { client, server } = await serve(
      [
        () => {
          arrived.resolve(undefined);
        },
      ],
      { clock },
    );
    const hanging = expect(client.get(ref, never)).rejects.toMatchObject({ status: 0, reason: 'Timeout' });
    await arrived.promise;
    await clock.advance(30_000);
    await hanging;
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(client.get(ref, never)).rejects.toMatchObject({ status: 0, reason: 'Unreachable' });
  });

  test("the caller's abort comes back as it is", async () => {
    const abort = new AbortController();
    const { client } = await serve([
      () => {
        abort.abort(new Error('enough'));
      },
    ]);
    await expect(client.get(ref, abort.signal)).rejects.toThrow('enough');
    await expect(client.get(ref, abort.signal)).rejects.toThrow('enough');
  });

  test('every call is counted with its status', async () => {
    const seen: string[] = [];
    const { client } = await serve([json(200, pod), json(404, {})], {
      onRequest: ({ method, status: code }) => seen.push(`${method} ${code}`),
    });
    await client.get(ref, never);
    await client.get(ref, never);
    expect(seen).toEqual(['GET 200', 'GET 404']);
  });
});

describe('credentials', () => {
  test('bearer tokens and basic auth are sent; connections are used again', async () => {
    const sockets = new Set<unknown>();
    const first = await serve([json(200, pod)], {}, { token: 't0ken' });
    first.server.on('connection', (socket) => sockets.add(socket));
    for (let i = 0; i < 20; i += 1) await first.client.get(ref, never);
    expect(first.received[0]?.headers.authorization).toBe('Bearer t0ken');
    // A socket is free again a moment after its answer has been read, so it may take two.
    expect(sockets.size).toBeLessThanOrEqual(2);
    const second = await serve([json(200, pod)], {}, { username: 'me', password: 'pw' });
    await second.client.get(ref, never);
    expect(second.received[0]?.headers.authorization).toBe(`Basic ${btoa('me:pw')}`);
  });
});

describe('watch', () => {
  const event = (type: string, object: unknown): string => `${JSON.stringify({ type, object })}\n`;
  const at = (version: string) => ({ ...pod, metadata: { ...pod.metadata, resourceVersion: version } });
  const options = { apiVersion: 'v1', kind: 'Pod', resourceVersion: '5', timeoutSeconds: 300 };
  const collect = async (iterable: AsyncIterable<{ type: string }>): Promise<string[]> => {
    const types: string[] = [];
    for await (const { type } of iterable) types.push(type);
    return types;
  };

  test('gives events, asks for bookmarks, and ends when the server does', async () => {
    const { client, received } = await serve([
      (_, response) => response.end(event('ADDED', at('6')) + event('BOOKMARK', at('7'))),
    ]);
    const events = [];
    for await (const each of client.watch(options, never)) events.push(each);
    expect(events).toEqual([
      { type: 'ADDED', object: at('6') },
      { type: 'BOOKMARK', object: at('7') },
    ]);
    expect(received[0]?.url).toBe(
      '/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=300',
    );
  });

  test('410 is Gone, as a status and as an event', async () => {
    const expired = status(410, 'Expired', 'too old');
    const { client } = await serve([
      json(410, expired),
      (_, response) => response.end(event('ERROR', expired)),
    ]);
    for (let i = 0; i < 2; i += 1) {
      const error: unknown = await collect(client.watch(options, never)).catch((each: unknown) => each);
      expect([isGone(error), isNotFound(error)]).toEqual([true, false]);
    }
  });

  test('silence is a Timeout, though the connection seems to be open', async () => {
    const clock = createFakeClock();
    const { client } = await serve([(_, response) => response.write(event('ADDED', at('6')))], { clock });
    const events = client.watch(options, never)[Symbol.asyncIterator]();
    await events.next();
    const silent = expect(events.next()).rejects.toMatchObject({ reason: 'Timeout' });
    await clock.advance(120_000);
    await silent;
  });

  test('a connection that breaks is an error and not an end', async () => {
    const { client } = await serve([
      (_, response) => {
        response.write(event('ADDED', at('6')), () => response.destroy());
      },
    ]);
    await expect(collect(client.watch(options, never))).rejects.toMatchObject({ reason: 'Unreachable' });
  });

  test('outlives the timeout of calls', async () => {
    const clock = createFakeClock();
    const responses: ServerResponse[] = [];
    const { client } = await serve(
      [
        (_, response) => {
          responses.push(response);
          response.write(event('ADDED', at('6')));
        },
      ],
      { clock },
    );
    const events = client.watch(options, never)[Symbol.asyncIterator]();
    await events.next();
    await clock.advance(60_000);
    responses[0]?.end(event('DELETED', at('7')));
    expect(await events.next()).toMatchObject({ value: { type: 'DELETED' } });
    expect(await events.next()).toMatchObject({ done: true });
  });

  test('abort and leaving early close the connection', async () => {
    const closed: Promise<unknown>[] = [];
    const { client } = await serve([
      (_, response) => {
        closed.push(new Promise((resolve) => response.on('close', resolve)));
        response.write(event('ADDED', at('6')));
      },
    ]);
    const abort = new AbortController();
    const types: string[] = [];
    for await (const { type } of client.watch(options, abort.signal)) {
      types.push(type);
      abort.abort();
    }
    for await (const { type } of client.watch(options, never)) {
      types.push(type);
      break;
    }
    await Promise.all(closed);
    expect(types).toEqual(['ADDED', 'ADDED']);
  });
});
