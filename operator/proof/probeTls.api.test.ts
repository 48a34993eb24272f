// Beside the tests with an API server, because their set-up is what installs openssl where it is missing.
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { probe } from './probe.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const request = { host: 'shop.example.com', path: '/todo', headers: { 'X-Pgrst-Probe': '1' } };
const never = new AbortController().signal;

/** A private key and a certificate that nobody has signed, one after the other. */
function selfSigned(): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', '-'];
  const args = ['req', '-x509', ...key, '-subj', '/CN=unknown', '-out', '-'];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}

test('where a place speaks TLS it is asked over TLS, by the name of the host, whoever signed its certificate', async () => {
  const seen: unknown[] = [];
  const pem = selfSigned();
  const server = createServer({ key: pem, cert: pem }, ({ headers, url }, response) => {
    seen.push({ host: headers.host, url });
    response.writeHead(204, { 'X-Pgrst-Revision': '7' }).end();
  });
  server.on('secureConnection', ({ servername }) => seen.push({ servername }));
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => {
    resolve(undefined);
  });
  await promise;
  closing.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const answer = await probe({ ip: '127.0.0.1', port, tls: true }, request, never);
  expect(answer).toEqual({ status: 204, revision: 7, loaded: false });
  expect(seen).toEqual([{ servername: 'shop.example.com' }, { host: 'shop.example.com', url: '/todo' }]);
});
