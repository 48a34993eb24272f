import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { claim, type Claimant } from './ledger.ts';
import type { WantedRole } from './rolePlan.ts';
import { ensureRoles, type RoleResult } from './roles.ts';
import { openSession, type Session } from './session.ts';

/** Nobody else is at this database. */
const noLock = () => Promise.resolve();

let db: TestDatabase;
let session: Session;
/** Roles belong to the whole server: every test has names of its own. */
let tag: string;
beforeEach(async () => {
  db = await createTestDatabase();
  tag = randomBytes(4).toString('hex');
  session = await open(db.uri);
  await claim(session, claimant('api'), 0);
  await claim(session, claimant('other'), 0x7fffffff);
});
afterEach(async () => {
  await dropRoles();
  await session.close();
  await db.drop();
});

function claimant(exposedSchema: string): Claimant {
  return { namespace: 'shop', name: exposedSchema, clusterId: 'cluster-1', exposedSchema };
}

async function open(uri: string): Promise<Session> {
  return await openSession({
    uri,
    applicationName: 'postgrest-operator test',
    signal: new AbortController().signal,
    lockTimeoutMs: 1000,
  });
}

const owner = (): string => new URL(db.uri).username;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

async function query<Row extends Record<string, unknown>>(
  sql: string,
  values: unknown[] = [],
): Promise<readonly Row[]> {
  return await session.query<Row>(sql, values);
}

async function dropRoles(): Promise<void> {
  const roles = await query<{ name: string }>('select rolname as name from pg_roles where rolname ~ $1', [
    tag,
  ]);
  if (roles.length > 0) await superuser(`drop role ${roles.map(({ name }) => quoted(name)).join(', ')}`);
}

async function superuser(sql: string): Promise<void> {
  const admin = await open(db.superuserUri);
  await admin.run(sql).finally(() => admin.close());
}

function wanted(name: string, changes: Partial<WantedRole> = {}): WantedRole {
  return { name: `${name}_${tag}`, login: false, memberOf: [], ...changes };
}

async function ensure(...roles: readonly WantedRole[]): Promise<RoleResult> {
  return await ensureRoles(session, 'api', roles, noLock);
}

async function attributes(name: string): Promise<unknown> {
  const [row] = await query(
    `select rolcanlogin as login, rolinherit as inherit,
            rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls as powerful
       from pg_roles where rolname = $1`,
    [name],
  );
  return row;
}

async function members(): Promise<readonly string[]> {
  const rows = await query<{ what: string }>(
    `select format('%s < %s', m.rolname, p.rolname) as what
       from pg_auth_members a join pg_roles m on m.oid = a.member join pg_roles p on p.oid = a.roleid
      where m.rolname ~ $1 order by 1`,
    [tag],
  );
  return rows.map(({ what }) => what.replaceAll(`_${tag}`, ''));
}

/** What the server holds about the tests' roles and what the ledger does. */
async function everything(): Promise<unknown> {
  const [row] = await query(
    `select (select jsonb_agg(to_jsonb(r) order by r.oid) from pg_roles r where rolname ~ $1) as roles,
            (select jsonb_agg(jsonb_build_array(l, l.xmin::text) order by name) from pgrst_ledger.roles l) as ledger`,
    [tag],
  );
  return { row, members: await members() };
}

/** Whether psql, which is libpq, can log in. */
async function canLogIn(name: string, password: string): Promise<boolean> {
  const { hostname, port, pathname } = new URL(db.uri);
  const psql = join(process.env['PGRST_TEST_PG_BIN'] ?? '', 'psql');
  const args = ['-X', '-h', hostname, '-p', port, '-U', name, '-d', pathname.slice(1), '-c', 'select 1'];
  const env = { ...process.env, PGPASSWORD: password, PGSSLMODE: 'disable' };
  return await promisify(execFile)(psql, args, { env }).then(
    () => true,
    () => false,
  );
}

describe('roles that are missing', () => {
  test('are made without any power but LOGIN, and become members', async () => {
    const roles = [
      wanted('authenticator', { login: true, password: 's3cret', memberOf: [`anon_${tag}`, `user_${tag}`] }),
      wanted('anon'),
      wanted('user', { memberOf: [`anon_${tag}`] }),
    ];
    const result = await ensure(...roles);
    expect(result.kind === 'ensured' && result.done.map((what) => what.replaceAll(`_${tag}`, ''))).toEqual([
      'create role authenticator',
      'create role anon',
      'create role user',
      'make role authenticator a member of anon',
      'make role authenticator a member of user',
      'make role user a member of anon',
    ]);
    expect(await attributes(`authenticator_${tag}`)).toEqual({ login: true, inherit: true, powerful: false });
    expect(await attributes(`anon_${tag}`)).toEqual({ login: false, inherit: true, powerful: false });
    expect(await members()).toEqual(['authenticator < anon', 'authenticator < user', 'user < anon']);
    expect(await canLogIn(`authenticator_${tag}`, 's3cret')).toBe(true);
    expect(await canLogIn(`authenticator_${tag}`, 'S3cret')).toBe(false);
  });

  test('are not touched a second time', async () => {
    const roles = [wanted('a', { login: true, password: 's3cret', memberOf: [`b_${tag}`] }), wanted('b')];
    await ensure(...roles);
    const before = await everything();
    expect(await ensure(...roles)).toEqual({ kind: 'ensured', done: [] });
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['quotes', `a"b'c\\`],
    ['a semicolon', 'a; drop schema pgrst_ledger cascade; --'],
    ['upper case and spaces', 'My Role'],
    ['unicode', 'rôle-角色-😀'],
    ['a dollar quote', '$$ $a$'],
    ['what looks like a parameter', '$1 %I %s'],
    ['63 bytes', 'ä'.repeat(27)],
  ])('may have any name: %s', async (_, name) => {
    const parent = wanted(name);
    const child = wanted('m', { memberOf: [parent.name] });
    expect(await ensure(parent, child)).toMatchObject({ kind: 'ensured' });
    expect(await attributes(parent.name)).toEqual({ login: false, inherit: true, powerful: false });
    expect(await ensure(parent, child)).toEqual({ kind: 'ensured', done: [] });
  });

  test.each([
    ['ascii', 'p@ss/w:o$rd%\'"\\'],
    ['composed and not', 'pa\u0308ss\u00aa'],
    ['a no-break space and a soft hyphen', 'a\u00a0b\u00adc'],
    ['younger than Unicode 3.2', '😀\u2168'],
    ['right to left and left to right', '\u05d0a\u00aa'],
    ['that looks like a verifier', 'SCRAM-SHA-256$4096:c2FsdA==$a:b'],
  ])('get a password that libpq can log in with: %s', async (_, password) => {
    await ensure(wanted('l', { login: true, password }));
    expect(await canLogIn(`l_${tag}`, password)).toBe(true);
    expect(await canLogIn(`l_${tag}`, `${password}x`)).toBe(false);
  });
});

describe('roles that are there', () => {
  test('are corrected, and lose nothing', async () => {
    await ensure(wanted('a', { memberOf: [`b_${tag}`] }), wanted('b'), wanted('c'));
    await superuser(`alter role a_${tag} createdb`);
    expect(
      await ensure(wanted('a', { login: true, memberOf: [`c_${tag}`] }), wanted('b'), wanted('c')),
    ).toMatchObject({ kind: 'ensured' });
    expect(await attributes(`a_${tag}`)).toMatchObject({ login: true, powerful: true });
    expect(await members()).toEqual(['a < b', 'a < c']);
    await ensure(wanted('a'));
    expect(await attributes(`a_${tag}`)).toMatchObject({ login: false });
    expect(await members()).toEqual(['a < b', 'a < c']);
  });

  test('are dropped by nobody, and leave the ledger', async () => {
    await ensure(wanted('a'), wanted('b'));
    await ensure(wanted('b'));
    expect(await attributes(`a_${tag}`)).toBeDefined();
    expect(await query('select name from pgrst_ledger.roles')).toEqual([{ name: `b_${tag}` }]);
  });

  test('get another password when the Secret has another', async () => {
    await ensure(wanted('a', { login: true, password: 'first' }));
    expect(await ensure(wanted('a', { login: true, password: 'second' }))).toEqual({
      kind: 'ensured',
      done: [`set the password of role a_${tag}`],
    });
    expect(await canLogIn(`a_${tag}`, 'first')).toBe(false);
    expect(await canLogIn(`a_${tag}`, 'second')).toBe(true);
  });

  test('keep their password when none is declared', async () => {
    await ensure(wanted('a', { login: true, password: 'first' }));
    expect(await ensure(wanted('a', { login: true }))).toEqual({ kind: 'ensured', done: [] });
    expect(await canLogIn(`a_${tag}`, 'first')).toBe(true);
  });

  test('get their password again after somebody dropped and made them anew', async () => {
    const role = wanted('a', { login: true, password: 'first' });
    await ensure(role);
    await superuser(`drop role a_${tag}`);
    await superuser(`create role a_${tag} login; grant a_${tag} to ${owner()} with admin option`);
    await ensure(role);
    expect(await canLogIn(`a_${tag}`, 'first')).toBe(true);
  });

  test('and were made by others are not locked out by a default', async () => {
    await superuser(`create role a_${tag} login`);
    const result = await ensure(wanted('a'));
    expect(result).toMatchObject({ kind: 'refused' });
    expect(result.kind === 'refused' && result.message).toContain('set login: true');
    expect(await attributes(`a_${tag}`)).toMatchObject({ login: true });
  });
});

describe('of two ApiSchemas over one database', () => {
  const first = (): WantedRole => wanted('a', { login: true, password: 'same' });

  test('the same declarations are fine', async () => {
    await ensureRoles(session, 'api', [first()], noLock);
    const before = await everything();
    expect(await ensureRoles(session, 'other', [first()], noLock)).toEqual({ kind: 'ensured', done: [] });
    expect(await ensureRoles(session, 'other', [wanted('a', { login: true })], noLock)).toEqual({
      kind: 'ensured',
      done: [],
    });
    expect(await everything()).toEqual(before);
  });

  test.each([
    ['password', { password: 'another' }],
    ['login', { login: false }],
  ])('the second may not declare another %s', async (_, changes) => {
    await ensureRoles(session, 'api', [first()], noLock);
    const before = await everything();
    const { password: _password, ...rest } = first();
    const result = await ensureRoles(session, 'other', [{ ...rest, ...changes }], noLock);
    expect(result.kind === 'refused' && result.message).toContain('ApiSchema of schema api');
    expect(await everything()).toEqual(before);
  });

  test('the second takes over when the first declares it no more', async () => {
    await ensureRoles(session, 'api', [first()], noLock);
    await ensureRoles(session, 'api', [], noLock);
    await ensureRoles(session, 'other', [{ ...first(), password: 'another' }], noLock);
    expect(await canLogIn(`a_${tag}`, 'another')).toBe(true);
  });

  test('the second adds memberships', async () => {
    await ensureRoles(session, 'api', [wanted('a'), wanted('b')], noLock);
    await ensureRoles(session, 'other', [wanted('a', { memberOf: [`b_${tag}`] })], noLock);
    expect(await members()).toEqual(['a < b']);
  });
});

describe('what cannot be is refused with a sentence, and nothing is written', () => {
  test.each([
    ['pg_monitor', 'PostgreSQL reserves it'],
    ['pg_', 'PostgreSQL reserves it'],
    ['public', 'PostgreSQL reserves it'],
    ['none', 'PostgreSQL reserves it'],
    ['current_user', 'PostgreSQL reserves it'],
    ['session_user', 'PostgreSQL reserves it'],
    ['current_role', 'PostgreSQL reserves it'],
    ['', 'it is empty'],
    ['a\nb', 'control characters'],
    ['a\0b', 'control characters'],
    ['ä'.repeat(32), 'it is 64 bytes long'],
  ])('the name %j', async (name, says) => {
    const before = await everything();
    for (const roles of [
      [wanted('x'), { ...wanted('y'), name }],
      [wanted('x'), wanted('y', { memberOf: [name] })],
    ]) {
      const result = await ensure(...roles);
      expect(result.kind === 'refused' && result.message).toContain(says);
      expect(await everything()).toEqual(before);
    }
  });

  test.each([
    ['the owner itself', () => ({ ...wanted('x'), name: owner() }), 'logs in as'],
    ['membership in the owner', () => wanted('x', { memberOf: [owner()] }), 'every secret'],
    [
      'a parent that is nowhere',
      () => wanted('x', { memberOf: [`nosuch_${tag}`] }),
      'declare it in spec.roles too',
    ],
    ['membership in oneself', () => wanted('x', { memberOf: [`x_${tag}`] }), 'is a member of role'],
    [
      'a superuser as parent',
      () => wanted('x', { memberOf: ['postgres'] }),
      'Let an administrator run: grant "postgres" to',
    ],
  ])('%s', async (_, role, says) => {
    const before = await everything();
    const result = await ensure(role());
    expect(result.kind === 'refused' && result.message).toContain(says);
    expect(await everything()).toEqual(before);
  });

  test('a circle of members', async () => {
    const before = await everything();
    expect(
      await ensure(wanted('a', { memberOf: [`b_${tag}`] }), wanted('b', { memberOf: [`a_${tag}`] })),
    ).toMatchObject({ kind: 'refused' });
    expect(await everything()).toEqual(before);
  });

  test('an owner that may create no roles', async () => {
    await superuser(`alter role ${owner()} nocreaterole`);
    const result = await ensure(wanted('a', { login: true, password: 's3cret' }));
    const message = result.kind === 'refused' ? result.message : '';
    expect(message).toContain(`Let an administrator run: create role "a_${tag}" login password '…'`);
    expect(message).toContain('createrole.');
    expect(message).not.toMatch(/s3cret|SCRAM/);
  });

  test('an owner that may create no roles does not need to when they are there', async () => {
    await ensure(wanted('a'), wanted('b', { memberOf: [`a_${tag}`] }));
    await superuser(`alter role ${owner()} nocreaterole`);
    expect(await ensure(wanted('a'), wanted('b', { memberOf: [`a_${tag}`] }))).toEqual({
      kind: 'ensured',
      done: [],
    });
  });

  // Since PostgreSQL 16 CREATEROLE is not enough for roles that others have made.
  test('a role that somebody else made, where that matters', async () => {
    await superuser(`create role a_${tag}; create role b_${tag}`);
    const [server] = await query<{ version: number }>(
      "select current_setting('server_version_num')::int as version",
    );
    const results = [
      await ensure(wanted('a', { login: true })),
      await ensure(wanted('c', { memberOf: [`b_${tag}`] })),
    ];
    const messages = results.map((result) => (result.kind === 'refused' ? result.message : 'ensured'));
    if ((server?.version ?? 0) < 160_000) {
      expect(messages).toEqual(['ensured', 'ensured']);
      return;
    }
    expect(messages).toEqual([
      expect.stringContaining(`grant "a_${tag}" to "${owner()}" with admin option.`),
      expect.stringContaining(`grant "b_${tag}" to "${owner()}" with admin option.`),
    ]);
    await superuser(`grant a_${tag}, b_${tag} to ${owner()} with admin option`);
    expect(await ensure(wanted('a', { login: true }))).toMatchObject({ kind: 'ensured' });
    expect(await ensure(wanted('c', { memberOf: [`b_${tag}`] }))).toMatchObject({ kind: 'ensured' });
  });

  test('a role of a superuser', async () => {
    await superuser(`create role a_${tag} superuser`);
    const result = await ensure(wanted('a', { login: true }));
    expect(result.kind === 'refused' && result.message).toMatch(
      /refused to set LOGIN of role a_.* \(42501: .*Let an administrator run: alter role "a_/,
    );
  });
});

test('two databases may ensure the same roles at the same time', async () => {
  const other = await createTestDatabase();
  const second = await open(other.uri);
  try {
    await claim(second, claimant('api'), 0);
    const roles = Array.from({ length: 20 }, (_, index) =>
      wanted(`r${String(index)}`, { memberOf: index === 0 ? [] : [`r0_${tag}`] }),
    );
    const results = await Promise.all([
      ensureRoles(session, 'api', roles, noLock),
      ensureRoles(second, 'api', roles, noLock),
    ]);
    expect(results.map(({ kind }) => kind)).toEqual(['ensured', 'ensured']);
  } finally {
    await second.close();
    await dropRoles();
    await other.drop();
  }
});
