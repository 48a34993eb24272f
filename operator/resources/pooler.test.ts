import { describe, expect, test } from 'vitest';
import { images, owner } from '../testing/resourceCases.ts';
import type { Timeouts } from './timeouts.ts';
import { clientLifetimeSeconds, poolerDeployment, poolerSecret } from './pooler.ts';

const uri = {
  host: 'db',
  port: 5432,
  database: 'shop',
  user: 'authenticator',
  password: 'pw',
  sslmode: undefined,
};
const spec = { replicas: 1, poolSize: 20, maxServerConnections: 40 };

function files(changes: { uri?: object; spec?: object; timeouts?: Timeouts } = {}): Record<string, string> {
  const { data } = poolerSecret(
    owner,
    { ...uri, ...changes.uri },
    { ...spec, ...changes.spec },
    changes.timeouts,
  );
  return Object.fromEntries(
    Object.entries(data as Record<string, string>).map(([name, text]) => [
      name,
      Buffer.from(text, 'base64').toString(),
    ]),
  );
}

function setting(name: string, changes: Parameters<typeof files>[0] = {}): string | undefined {
  return new RegExp(`^${name} = (.*)$`, 'm').exec(files(changes)['pgbouncer.ini'] ?? '')?.[1];
}

describe('the cap on server connections', () => {
  test.each([
    [40, 1, '40'],
    [40, 3, '13'],
    [2, 3, '1'],
  ])('of %i over %i replicas is %s for each', (maxServerConnections, replicas, share) => {
    expect(setting('max_user_connections', { spec: { maxServerConnections, replicas } })).toBe(share);
  });

  test('bounds the pool of a revision', () => {
    expect(setting('default_pool_size')).toBe('20');
    expect(setting('default_pool_size', { spec: { maxServerConnections: 8 } })).toBe('8');
  });
});

test('prepared statements are tracked: without that PostgREST exits with 42P05', () => {
  expect(Number(setting('max_prepared_statements'))).toBeGreaterThan(0);
  expect(setting('pool_mode')).toBe('transaction');
});

test.each([
  ['require', 'require'],
  ['verify-full', 'verify-full'],
  [undefined, 'prefer'],
])('sslmode %s of the URI becomes %s of the connections to the database', (sslmode, expected) => {
  expect(setting('server_tls_sslmode', { uri: { sslmode } })).toBe(expected);
});

test('names and passwords with quotes reach PgBouncer as they are', () => {
  const odd = files({ uri: { database: "od'd db", password: 'p"w\'%/', user: 'me@x' } });
  expect(odd['pgbouncer.ini']).toContain("* = host=db port=5432 dbname='od''d db'\n");
  expect(odd['userlist.txt']).toBe(`"me@x" "p""w'%/"\n`);
  expect(odd['userinfo']).toBe("me%40x:p%22w'%25%2F");
});

test('the pods follow their Secret by its version, which tells nothing of its content', () => {
  const template = (version: string) =>
    JSON.stringify(poolerDeployment(owner, spec, images, version)['spec']);
  expect(template('1')).not.toBe(template('2'));
});

function gracePeriod(timeouts?: Timeouts): number {
  const { template } = poolerDeployment(owner, spec, images, '1', timeouts)['spec'] as {
    template: { spec: { terminationGracePeriodSeconds: number } };
  };
  return template.spec.terminationGracePeriodSeconds;
}

test('a PgBouncer that stops outlives every connection that PostgREST still uses, and the request on it', () => {
  expect(gracePeriod()).toBe(5 + clientLifetimeSeconds + 55);
  expect(gracePeriod({ request: '2m' })).toBe(5 + clientLifetimeSeconds + 120);
});

describe('time-outs of the spec', () => {
  test('reach each new connection to the database as its statement_timeout', () => {
    const timeouts = { statement: '1m500ms' };
    expect(files({ timeouts })['pgbouncer.ini']).toContain(
      "* = host=db port=5432 dbname=shop connect_query='set statement_timeout = 60500'\n",
    );
    expect(files()['pgbouncer.ini']).not.toContain('connect_query');
  });

  test('make a query give up its wait before the gate does', () => {
    expect(setting('query_wait_timeout')).toBe('10');
    expect(setting('query_wait_timeout', { timeouts: { request: '1h' } })).toBe('10');
    expect(setting('query_wait_timeout', { timeouts: { request: '4s' } })).toBe('3');
  });
});

test('the image of the spec beats the default', () => {
  expect(JSON.stringify(poolerDeployment(owner, { ...spec, image: 'mine:1' }, images, '1'))).toContain(
    '"mine:1"',
  );
});
