import { describe, expect, test } from 'vitest';
import { images, owner, poolerCredentials } from '../../testing/resourceCases.ts';
import { requestSeconds, type Timeouts } from '../timeouts.ts';
import {
  configGeneration,
  poolerCannotUse,
  poolerSecret,
  serverLine,
  type PoolerConfiguration,
} from './configuration.ts';
import { readPoolerCredentials } from './credentials.ts';
import { clientLifetimeSeconds, poolerDeployment, type PoolerPods } from './deployment.ts';
import { poolerShare, startingShare } from './share.ts';

const uri = {
  host: 'db',
  port: 5432,
  database: 'shop',
  user: 'authenticator',
  password: 'pw',
  sslmode: undefined,
  parameters: {},
};
const spec = { replicas: 2, poolSize: 20, maxServerConnections: 80 };
const plain: PoolerConfiguration = { uri, spec, credentials: poolerCredentials, processes: 2 };

function files(changes: Partial<PoolerConfiguration> = {}): Record<string, string> {
  const { data } = poolerSecret(owner, { ...plain, ...changes });
  return Object.fromEntries(
    Object.entries(data as Record<string, string>).map(([name, text]) => [
      name,
      Buffer.from(text, 'base64').toString(),
    ]),
  );
}

function setting(name: string, changes?: Partial<PoolerConfiguration>): string | undefined {
  return new RegExp(`^${name} = (.*)$`, 'm').exec(files(changes)['pgbouncer.ini'] ?? '')?.[1];
}

describe('the share of a process', () => {
  test.each([
    [80, 20, 2, { connections: 40, poolSize: 20 }],
    [40, 20, 2, { connections: 20, poolSize: 10 }],
    [40, 5, 3, { connections: 13, poolSize: 5 }],
    [2, 20, 3, { connections: 1, poolSize: 1 }],
  ])(
    'of %i, with pools of at most %i, over %i processes',
    (maxServerConnections, poolSize, processes, share) => {
      expect(poolerShare({ maxServerConnections, poolSize }, processes)).toEqual(share);
    },
  );

  test('leaves room for two revisions, and the shares together are within the cap', () => {
    for (let cap = 2; cap <= 100; cap += 1)
      for (let processes = 1; processes <= cap / 2; processes += 1) {
        const share = poolerShare({ maxServerConnections: cap, poolSize: 20 }, processes);
        expect(2 * share.poolSize).toBeLessThanOrEqual(share.connections);
        expect(share.connections * processes).toBeLessThanOrEqual(cap);
      }
  });

  test('is in the configuration as if every pod were being replaced: nothing starts with too much', () => {
    expect(startingShare(spec, 2)).toEqual({ connections: 20, poolSize: 10 });
    expect(setting('max_user_connections')).toBe('20');
    expect(setting('default_pool_size')).toBe('10');
    expect(setting('max_user_connections', { processes: 8 })).toBe('10');
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
  expect(setting('server_tls_sslmode', { uri: { ...uri, sslmode } })).toBe(expected);
});

test('certificates of the authority reach PgBouncer, and are a part of its configuration', () => {
  const tls = { mode: 'verify-full', ca: 'PEM' };
  expect(files({ tls })['ca.crt']).toBe('PEM');
  expect(setting('server_tls_sslmode', { tls })).toBe('verify-full');
  expect(setting('server_tls_ca_file', { tls })).toBe('/etc/pgbouncer/ca.crt');
  expect(configGeneration({ ...plain, tls })).not.toBe(
    configGeneration({ ...plain, tls: { ...tls, ca: 'NEW' } }),
  );
  expect(poolerCannotUse({ ...uri, sslmode: 'verify-full' }, tls)).toBeUndefined();
});

describe('credentials', () => {
  test('of the database reach PgBouncer as they are, and PostgREST not at all', () => {
    const odd = files({ uri: { ...uri, database: "od'd db", password: 'p"w\'%/ x', user: 'me@x' } });
    expect(odd['pgbouncer.ini']).toContain(`* = host=db port=5432 dbname='od''d db' user='me@x'\n`);
    expect(odd['userlist.txt']).toMatch(/^"me@x" "p""w'%\/ x"\n/);
    expect(odd['userinfo']).toBe('pgrst_client:client-password');
  });

  test('of the consoles are there as verifiers, and as passwords only where no pod sees them', () => {
    expect(files()['userlist.txt']).toBe(
      '"authenticator" "pw"\n"pgrst_client" "client-password"\n"pgrst_admin" "SCRAM-SHA-256$4096:admin"\n"pgrst_stats" "SCRAM-SHA-256$4096:stats"\n',
    );
    expect(files()['pgbouncer.ini']).not.toContain('admin-password');
    expect(setting('admin_users')).toBe('pgrst_admin');
    expect(setting('stats_users')).toBe('pgrst_stats');
  });

  test('that the Secret holds are read back', () => {
    expect(readPoolerCredentials(poolerSecret(owner, plain))).toEqual(poolerCredentials);
    expect(readPoolerCredentials(undefined)).toBeUndefined();
  });

  test.each([
    [{ user: 'pgrst_admin' }, 'its user pgrst_admin is one that PgBouncer has for the operator'],
    [{ password: '' }, 'it holds no password.'],
    [{ host: '/run/postgresql' }, 'it names a socket of another machine: name a host.'],
    [
      { sslmode: 'verify-full' },
      'PgBouncer needs certificates for sslmode verify-full: name them in spec.database.tls.',
    ],
    [{ parameters: { options: '-c a=b' } }, 'its options do not get through PgBouncer'],
  ])('%j cannot be used', (changes, words) => {
    expect(poolerCannotUse({ ...uri, ...changes })).toContain(words);
    expect(poolerCannotUse(uri)).toBeUndefined();
  });
});

describe('the generation of a configuration', () => {
  const generation = (changes: Partial<PoolerConfiguration> = {}) =>
    configGeneration({ ...plain, ...changes });

  test('stands in it, and is another when anything in it is another', () => {
    expect(setting('syslog_ident')).toBe(generation());
    const others = [
      generation({ uri: { ...uri, password: 'other' } }),
      generation({ spec: { ...spec, parameters: { verbose: '1' } } }),
      generation({ timeouts: { statement: '1s' } }),
    ];
    expect(new Set([generation(), ...others]).size).toBe(4);
  });

  test('tells nothing to somebody who guesses what is in it', () => {
    expect(generation({ credentials: { ...poolerCredentials, seed: 'another' } })).not.toBe(generation());
  });
});

test('parameters of the spec stand in the place of the defaults', () => {
  expect(setting('server_lifetime')).toBe('3600');
  expect(setting('server_lifetime', { spec: { ...spec, parameters: { server_lifetime: '60' } } })).toBe('60');
});

describe('the pods', () => {
  const pods: PoolerPods = { spec, images, credentials: poolerCredentials, server: serverLine({ uri }) };
  const template = (changes: Partial<PoolerPods> = {}) =>
    poolerDeployment(owner, { ...pods, ...changes }).template;

  test.each<[string, Partial<PoolerPods>, boolean]>([
    ['a size', { spec: { ...spec, replicas: 5 } }, false],
    ['a limit', { spec: { ...spec, maxServerConnections: 10, poolSize: 1 } }, false],
    ['a parameter that is reloaded', { spec: { ...spec, parameters: { verbose: '1' } } }, false],
    ['a parameter that is read at the start', { spec: { ...spec, parameters: { pkt_buf: '8192' } } }, true],
    ['an image', { spec: { ...spec, image: 'mine:1' } }, true],
    ['another user of the database', { server: serverLine({ uri: { ...uri, user: 'other' } }) }, true],
    ['another password', { server: serverLine({ uri: { ...uri, password: 'other' } }) }, false],
  ])('%s: replaced is %#', (_, changes, isReplaced) => {
    expect(template(changes) !== template()).toBe(isReplaced);
  });

  test('say nothing of the database user that somebody could try out', () => {
    expect(template({ credentials: { ...poolerCredentials, seed: 'another' } })).not.toBe(template());
    expect(JSON.stringify(poolerDeployment(owner, pods))).not.toContain('"authenticator"');
  });

  test('run the image of the spec rather than the default', () => {
    const { object } = poolerDeployment(owner, { ...pods, spec: { ...spec, image: 'mine:1' } });
    expect(JSON.stringify(object)).toContain('"mine:1"');
  });

  test('outlive every connection that PostgREST still uses, and the request on it', () => {
    const gracePeriod = (timeouts?: Timeouts): number => {
      const { object } = poolerDeployment(owner, { ...pods, ...(timeouts ? { timeouts } : {}) });
      return (object['spec'] as { template: { spec: { terminationGracePeriodSeconds: number } } }).template
        .spec.terminationGracePeriodSeconds;
    };
    expect(gracePeriod()).toBe(5 + clientLifetimeSeconds + requestSeconds(undefined));
    expect(gracePeriod({ request: '2m' })).toBe(5 + clientLifetimeSeconds + 120);
  });
});

describe('time-outs of the spec', () => {
  test('reach each new connection to the database as its statement_timeout', () => {
    expect(files({ timeouts: { statement: '1m500ms' } })['pgbouncer.ini']).toContain(
      " connect_query='set statement_timeout = 60500'\n",
    );
    expect(files()['pgbouncer.ini']).not.toContain('connect_query');
  });

  test('make a query give up its wait before the gate does', () => {
    expect(setting('query_wait_timeout')).toBe('10');
    expect(setting('query_wait_timeout', { timeouts: { request: '1h' } })).toBe('10');
    expect(setting('query_wait_timeout', { timeouts: { request: '4s' } })).toBe('3');
  });
});
