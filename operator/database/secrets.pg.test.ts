import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { claim, type Claimant } from './ledger.ts';
import { ensureSecrets, type SecretResult } from './secrets.ts';
import { openSession, type Session } from './session.ts';

/** Nobody else is at this database. */
const noLock = () => Promise.resolve();

let db: TestDatabase;
let session: Session;
beforeEach(async () => {
  db = await createTestDatabase();
  session = await open(db.uri);
  await claim(session, claimant('api'), 0);
  await claim(session, claimant('other'), Number.MAX_SAFE_INTEGER);
});
afterEach(async () => {
  await session.close();
  await db.drop();
});

function claimant(exposedSchema: string): Claimant {
  return { namespace: 'shop', name: 'todo', clusterId: 'cluster-1', exposedSchema };
}

async function open(uri: string): Promise<Session> {
  return await openSession({
    uri,
    applicationName: 'postgrest-operator test',
    signal: new AbortController().signal,
    lockTimeoutMs: 1000,
  });
}

async function ensure(values: Record<string, string>, schema = 'api'): Promise<SecretResult> {
  const list = Object.entries(values).map(([name, value]) => ({ name, value }));
  return await ensureSecrets(session, schema, list, noLock);
}

async function rows(): Promise<readonly unknown[]> {
  return await db.query(
    'select name, exposed_schema, value, xmin::text from pgrst_ledger.secrets order by name',
  );
}

async function ask(name: string): Promise<string | undefined> {
  const [row] = await db.query<{ secret: string }>('select pgrst_ledger.secret($1)', [name]);
  return row?.secret;
}

async function superuser(sql: string): Promise<void> {
  const admin = await open(db.superuserUri);
  await admin.run(sql).finally(() => admin.close());
}

describe('values', () => {
  test.each([
    ['ascii', 's3cret'],
    ['empty', ''],
    ['quotes and backslashes', `a'b"c\\d\\N\t$1`],
    ['lines', '-----BEGIN KEY-----\r\nabc\n\\.\n'],
    ['unicode', 'ключ-鍵-😀'],
    ['as large as a Secret may be', 'x'.repeat(1024 * 1024)],
  ])('arrive as they are: %s', async (_, value) => {
    expect(await ensure({ key: value })).toEqual({ kind: 'ensured', changed: ['key'] });
    expect(await ask('key')).toBe(value);
  });

  test('that are there are not written again', async () => {
    await ensure({ one: '1', two: '2' });
    const before = await rows();
    expect(await ensure({ one: '1', two: '2' })).toEqual({ kind: 'ensured', changed: [] });
    expect(await rows()).toEqual(before);
  });

  test('that differ are written, the others are left alone, and those of nobody go', async () => {
    await ensure({ one: '1', two: '2', three: '3' });
    const [one] = await rows();
    expect(await ensure({ one: '1', two: 'zwei', four: '4' })).toEqual({
      kind: 'ensured',
      changed: ['two', 'four', 'three'],
    });
    expect((await rows()).find((row) => (row as { name: string }).name === 'one')).toEqual(one);
    expect(await Promise.all(['one', 'two', 'four'].map(ask))).toEqual(['1', 'zwei', '4']);
    await expect(ask('three')).rejects.toThrow("there is no secret 'three'");
  });

  test('that somebody changed in the table are put right', async () => {
    await ensure({ one: '1' });
    await db.query("update pgrst_ledger.secrets set value = 'forged'");
    await ensure({ one: '1' });
    expect(await ask('one')).toBe('1');
  });

  test('of another ApiSchema keep their name', async () => {
    await ensure({ one: '1' });
    const before = await rows();
    const result = await ensure({ two: '2', one: 'mine' }, 'other');
    expect(result.kind === 'nameTaken' && result.message).toContain('ApiSchema of schema api');
    expect(await rows()).toEqual(before);
    expect(await ensure({ two: '2' }, 'other')).toMatchObject({ kind: 'ensured' });
    await ensure({});
    expect(await ensure({ one: 'mine', two: '2' }, 'other')).toMatchObject({ kind: 'ensured' });
  });

  test('with a NUL are refused without being shown', async () => {
    const refusal = ensure({ one: 's3cret\0' });
    await expect(refusal).rejects.toThrow(/^SecretInvalid: .*one.*base64/);
    await expect(refusal).rejects.not.toThrow(/s3cret/);
  });

  test('that the encoding of the database lacks are refused without being shown', async () => {
    const name = `latin_${randomBytes(4).toString('hex')}`;
    await superuser(`create database ${name} template template0 encoding latin1 locale 'C'`);
    const uri = new URL(db.superuserUri);
    uri.pathname = name;
    const latin = await open(uri.href);
    try {
      await claim(latin, claimant('api'), 0);
      const refusal = ensureSecrets(latin, 'api', [{ name: 'one', value: 's3cret鍵' }], noLock);
      await expect(refusal).rejects.toThrow(/^SecretInvalid: .*one/);
      await expect(refusal).rejects.not.toThrow(/s3cret|0x/);
      await ensureSecrets(latin, 'api', [{ name: 'one', value: 'é' }], noLock);
      expect(await ensureSecrets(latin, 'api', [{ name: 'one', value: 'é' }], noLock)).toMatchObject({
        changed: [],
      });
    } finally {
      await latin.close();
      await superuser(`drop database ${name}`);
    }
  });
});

describe('the log of the server', () => {
  const log = (): string => readFileSync(process.env['PGRST_TEST_PG_LOG'] ?? '', 'utf8');

  test('shows no value, however much it shows', async () => {
    const loudest = {
      log_statement: 'all',
      log_min_duration_statement: '0',
      log_parameter_max_length: '-1',
      log_parameter_max_length_on_error: '-1',
      log_min_messages: 'debug1',
      session_preload_libraries: 'auto_explain',
      'auto_explain.log_min_duration': '0',
    };
    for (const [name, value] of Object.entries(loudest))
      await superuser(`alter database ${new URL(db.uri).pathname.slice(1)} set ${name} = '${value}'`);
    const parameter = randomBytes(12).toString('hex');
    const written = randomBytes(12).toString('hex');
    const refused = randomBytes(12).toString('hex');
    await db.query('select $1::text', [parameter]);
    await session.close();
    session = await open(db.uri);
    await ensure({ one: written });
    await ensure({ one: written });
    // A row that is refused while it is copied: its error has the context of the row.
    await db.query(`
      create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
      create trigger refuse before insert on pgrst_ledger.secrets for each row execute function public.refuse()`);
    await expect(ensure({ one: refused })).rejects.toThrow(/^SecretInvalid/);
    // The log is what we think it is: a parameter is in it.
    await expect.poll(() => log().includes(parameter)).toBe(true);
    await expect.poll(() => log().includes('COPY secrets, line 1')).toBe(true);
    expect([written, refused].filter((value) => log().includes(value))).toEqual([]);
  });
});

test('default privileges of the owner open nothing', async () => {
  const other = await createTestDatabase();
  const tag = randomBytes(4).toString('hex');
  try {
    await superuser(`create role "Ev'il ""${tag}"`);
    const evil = `"Ev'il ""${tag}"`;
    await other.query(
      ['schemas', 'tables', 'functions', 'sequences', 'types']
        .map((kind) => `alter default privileges grant all on ${kind} to ${evil};`)
        .join(' '),
    );
    const first = await open(other.uri);
    await claim(first, claimant('api'), 0);
    await first.close();
    const [row] = await other.query<{ any: boolean }>(
      `select has_schema_privilege($1, 'pgrst_ledger', 'usage')
           or has_function_privilege($1, 'pgrst_ledger.secret(text)', 'execute')
           or has_table_privilege($1, 'pgrst_ledger.secrets', 'select, insert, update, delete')
           or has_table_privilege($1, 'pgrst_ledger.roles', 'select, insert, update, delete') as any`,
      [`Ev'il "${tag}`],
    );
    expect(row).toEqual({ any: false });
    await other.query(`drop owned by ${evil}`).catch(() => undefined);
  } finally {
    await other.drop();
    await superuser(`drop role "Ev'il ""${tag}"`);
  }
});
