import pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { readConnectionLimits, type ConnectionLimits } from './connectionLimits.ts';

let db: TestDatabase;
const open: pg.Client[] = [];
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.end()));
  await db.drop();
});

const read = (uri = db.uri): Promise<ConnectionLimits> =>
  readConnectionLimits(
    { uri, identity: 'limits test' },
    { signal: new AbortController().signal, progress: () => undefined },
  );

async function connect(uri: string, applicationName: string): Promise<void> {
  const client = new pg.Client({ connectionString: uri, application_name: applicationName });
  await client.connect();
  open.push(client);
}

const role = (): string => new URL(db.uri).username;

test('the limits of the server, the database and the role, as an ordinary role sees them', async () => {
  const [server] = await db.query<{ max: string; reserved: string; more: string | null }>(
    `select current_setting('max_connections') as max,
            current_setting('superuser_reserved_connections') as reserved,
            current_setting('reserved_connections', true) as more`,
  );
  const before = await read();
  expect(before.maxConnections).toBe(Number(server?.max));
  expect(before.reserved).toBe(Number(server?.reserved) + Number(server?.more ?? 0));
  expect(before.database).toEqual({ name: role(), limit: undefined });
  expect(before.role).toEqual({ name: role(), limit: undefined });

  await db.query(`alter database ${role()} connection limit 40`);
  const admin = new pg.Client({ connectionString: db.superuserUri });
  await admin.connect();
  await admin.query(`alter role ${role()} connection limit 30`);
  await admin.end();
  const after = await read();
  expect(after.database.limit).toBe(40);
  expect(after.role.limit).toBe(30);
});

test('who is connected: of its own role with the address, of others without, and not the one that asks', async () => {
  await connect(db.uri, 'tasks-r1-08515-abc');
  await connect(db.uri, 'tasks-r1-08515-abc');
  await connect(db.uri, 'psql');
  await connect(db.superuserUri, 'backup');
  const { sessions } = await read();
  const here = sessions.filter(({ isDatabase }) => isDatabase);
  const mine = { address: '127.0.0.1', isRole: true, isDatabase: true };
  expect(here).toHaveLength(3);
  expect(here).toContainEqual({ ...mine, application: 'tasks-r1-08515-abc', count: 2 });
  expect(here).toContainEqual({ ...mine, application: 'psql', count: 1 });
  expect(here).toContainEqual({
    application: 'backup',
    address: undefined,
    isRole: false,
    isDatabase: true,
    count: 1,
  });
});

test('processes of the server are nobody: with no client but this one, nobody is connected', async () => {
  const [background] = await db.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where backend_type is distinct from 'client backend'`,
  );
  expect(background?.count).toBeGreaterThan(0);
  const { sessions } = await read(db.superuserUri);
  const clients = await db.query<{ count: number }>(
    `select count(*)::int from pg_stat_activity where usesysid is not null and datname = current_database()`,
  );
  expect(clients[0]?.count).toBe(1);
  expect(sessions.filter(({ isDatabase }) => isDatabase)).toEqual([]);
});

test('a server that cannot be asked is a failure without the password', async () => {
  const uri = new URL(db.uri);
  uri.password = 'wrong-password';
  const failure = await read(uri.href).catch((error: unknown) => String(error));
  expect(failure).toContain('28P01');
  expect(failure).not.toContain('wrong-password');
});
