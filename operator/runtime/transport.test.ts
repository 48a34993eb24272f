import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTransport } from './transport.ts';

const noon = Date.UTC(2026, 0, 1, 12);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgrst-transport-'));
  // client-node looks at the wall clock to see whether a token file is due to be read again.
  vi.useFakeTimers({ toFake: ['Date'], now: noon });
});

afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

function kubeConfigOf(cluster: object, user: object): KubeConfig {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromClusterAndUser(
    { name: 'c', server: 'https://api.example:6443', skipTLSVerify: false, ...cluster },
    { name: 'u', ...user },
  );
  return kubeConfig;
}

describe('transport', () => {
  test('a rotated service account token is used, over the same connections', async () => {
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, 'first\n');
    const user = { authProvider: { name: 'tokenFile', config: { tokenFile } } };
    const transport = createTransport(kubeConfigOf({}, user));
    const before = await transport.authenticate();
    await writeFile(tokenFile, 'second\n');
    vi.setSystemTime(noon + 61_000);
    const after = await transport.authenticate();
    expect([before.headers, after.headers]).toEqual([
      { authorization: 'Bearer first' },
      { authorization: 'Bearer second' },
    ]);
    expect(after.dispatcher).toBe(before.dispatcher);
    await transport.close();
  });

  test('new TLS material means new connections, the same means the old ones', async () => {
    const caFile = join(folder, 'ca.crt');
    await writeFile(caFile, 'first');
    const transport = createTransport(kubeConfigOf({ caFile }, { token: 't' }));
    const first = await transport.authenticate();
    expect((await transport.authenticate()).dispatcher).toBe(first.dispatcher);
    await writeFile(caFile, 'second');
    expect((await transport.authenticate()).dispatcher).not.toBe(first.dispatcher);
    await transport.close();
  });

  test('a thousand calls at once share a bounded number of connections', async () => {
    let connections = 0;
    const server = createServer((_, response) => response.end('{}'));
    server.on('connection', () => (connections += 1));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const transport = createTransport(kubeConfigOf({ server: `http://127.0.0.1:${port}` }, {}));
    const { dispatcher } = await transport.authenticate();
    const calls = Array.from({ length: 1000 }, async () => {
      const { body } = await request(transport.server, { dispatcher });
      await body.dump();
    });
    await Promise.all(calls);
    expect(connections).toBeLessThanOrEqual(64);
    await transport.close();
    server.close();
  });

  test('an http server needs no word about TLS', async () => {
    const transport = createTransport(kubeConfigOf({ server: 'http://127.0.0.1:8001/' }, { token: 't' }));
    expect(transport.server).toBe('http://127.0.0.1:8001');
    expect((await transport.authenticate()).headers).toEqual({ authorization: 'Bearer t' });
    await transport.close();
  });

  test('what it cannot do it says at once', () => {
    expect(() => createTransport(new KubeConfig())).toThrow('no cluster');
    expect(() => createTransport(kubeConfigOf({ proxyUrl: 'socks5://proxy' }, {}))).toThrow('SOCKS');
  });
});
