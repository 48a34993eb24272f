import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { anotherCa } from '../testing/certificates.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import type { TlsSettings } from './connectionTarget.ts';
import { withSession } from './withSession.ts';

let db: TestDatabase;
let ca: string;
let plain: { readonly port: string; readonly close: () => Promise<void> };
beforeAll(async () => {
  db = await createTestDatabase();
  ca = readFileSync(process.env['PGRST_TEST_PG_CA'] ?? '', 'utf8');
  plain = await startWithoutTls(new URL(db.uri));
});
afterAll(async () => {
  await plain.close();
  await db.drop();
});

/** The same server as one that knows no TLS: it answers N to an SSLRequest. */
async function startWithoutTls(target: URL): Promise<typeof plain> {
  const server = createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', (first: Buffer) => {
      // https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest
      const isSslRequest = first.length === 8 && first.readInt32BE(4) === 80877103;
      const upstream = connect(Number(target.port), target.hostname);
      upstream.on('error', () => client.destroy());
      client.on('close', () => upstream.destroy());
      if (isSslRequest) client.write('N');
      else upstream.write(first);
      client.pipe(upstream).pipe(client);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: String((server.address() as AddressInfo).port),
    close: async () => {
      server.close();
      await once(server, 'close');
    },
  };
}

/** Whether a session is encrypted, or why there is none. */
async function visit(
  tls: TlsSettings | undefined,
  change: { host?: string; port?: string; sslmode?: string } = {},
): Promise<boolean | string> {
  const uri = new URL(db.uri);
  if (change.host !== undefined) uri.hostname = change.host;
  if (change.port !== undefined) uri.port = change.port;
  if (change.sslmode !== undefined) uri.searchParams.set('sslmode', change.sslmode);
  const context = { signal: new AbortController().signal, progress: () => undefined };
  const who = { uri: uri.href, identity: 'test', ...(tls === undefined ? {} : { tls }) };
  return await withSession(who, context, async (session) => {
    const [row] = await session.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return row?.ssl ?? 'no row';
  }).catch((error: unknown) => String(error instanceof Error ? error.message : error));
}

describe('with the right authority', () => {
  test.each(['127.0.0.1', 'localhost'])('verify-full knows the server as %s', async (host) => {
    expect(await visit({ mode: 'verify-full', ca }, { host })).toBe(true);
  });

  // 0.0.0.0 leads to the same server, and is no name of its certificate.
  test('verify-full refuses another name', async () => {
    expect(await visit({ mode: 'verify-full', ca }, { host: '0.0.0.0' })).toMatch(
      /^SecretInvalid: .*another host name.*0\.0\.0\.0/,
    );
  });

  test('verify-ca takes any name', async () => {
    expect(await visit({ mode: 'verify-ca', ca }, { host: '0.0.0.0' })).toBe(true);
  });

  test('among others', async () => {
    expect(await visit({ mode: 'verify-full', ca: `${anotherCa}\n# ours\n${ca}` })).toBe(true);
  });
});

describe.each(['verify-full', 'verify-ca'] as const)('%s', (mode) => {
  test.each([
    ['another authority', { mode, ca: anotherCa }],
    ['the authorities of Node.js', { mode }],
  ])('refuses a server that is not signed by %s', async (_, tls) => {
    expect(await visit(tls)).toMatch(/^SecretInvalid: .*not signed by an authority.*caSecretRef/);
  });

  test.each([
    ['nothing', '', 'holds no certificate'],
    ['no PEM', 'MIIBszCCAVmg', 'holds no certificate'],
    ['a damaged certificate', anotherCa.replace(/MII/, 'MIX'), 'damaged'],
    ['a truncated certificate', anotherCa.slice(0, 200), 'damaged'],
    ['a damaged one behind a good one', anotherCa + anotherCa.replace(/MII/, 'MIX'), 'damaged'],
    ['a key', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----', 'holds no certificate'],
  ])('refuses an authority that is %s', async (_, pem, says) => {
    const refusal = await visit({ mode, ca: pem });
    expect(refusal).toMatch(/^SecretInvalid: .*spec\.database\.tls\.caSecretRef/);
    expect(refusal).toContain(says);
    expect(refusal).not.toMatch(/MII|c2VjcmV0/);
  });

  test('is no request to go on without TLS', async () => {
    expect(await visit({ mode, ca }, { port: plain.port })).toMatch(
      /^DatabaseUnreachable: .*does not support/,
    );
  });
});

describe('without a question for who the server is', () => {
  test.each([
    ['require', true],
    ['prefer', true],
    ['disable', false],
  ] as const)('%s', async (mode, isEncrypted) => {
    expect(await visit({ mode }, { host: '0.0.0.0' })).toBe(isEncrypted);
  });

  test('prefer falls back where there is no TLS', async () => {
    expect(await visit({ mode: 'prefer' }, { port: plain.port })).toBe(false);
  });

  test('require does not', async () => {
    expect(await visit({ mode: 'require' }, { port: plain.port })).toMatch(
      /^DatabaseUnreachable: .*does not support/,
    );
  });
});

test.each([
  ['disable', { mode: 'require' }, true],
  ['verify-full', { mode: 'disable' }, false],
  ['require', undefined, true],
  ['disable', undefined, false],
] as const)('sslmode=%s in the URI and spec.database.tls %j', async (sslmode, tls, isEncrypted) => {
  expect(await visit(tls, { sslmode })).toBe(isEncrypted);
});
