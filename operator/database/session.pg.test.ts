import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { openSession, type Session } from './session.ts';
import { errorKind } from './sqlError.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

async function withOpen<T>(body: (session: Session) => Promise<T>): Promise<T> {
  const session = await openSession({
    uri: db.uri,
    applicationName: 'postgrest-operator session test',
    signal: new AbortController().signal,
    lockTimeoutMs: 2000,
  });
  try {
    return await body(session);
  } finally {
    await session.close();
  }
}

/** The limits of PostgreSQL that the server of this test run knows. */
const limits = async (): Promise<readonly string[]> =>
  (
    await db.query<{ name: string }>(
      `select name from pg_settings where name in
         ('statement_timeout', 'transaction_timeout', 'idle_session_timeout') order by name`,
    )
  ).map(({ name }) => name);

test('limits that the role has for its applications do not end ours, also after SQL of a user has set some', async () => {
  const names = await limits();
  for (const name of names) await db.query(`alter role current_user set ${name} = '50s'`);
  await withOpen(async (session) => {
    const inForce = async () =>
      await session.query('select name, setting from pg_settings where name = any ($1) order by name', [
        names,
      ]);
    const none = names.map((name) => ({ name, setting: '0' }));
    expect(await inForce()).toEqual(none);
    for (const name of names) await session.run(`set ${name} = '40s'`);
    await session.ownSettings();
    expect(await inForce()).toEqual(none);
  });
});

test('a server that ends a transaction by its time limit has ended the connection', async () => {
  await withOpen(async (session) => {
    const isKnown = (await limits()).includes('transaction_timeout');
    // A server before PostgreSQL 17 says it in our words.
    const statements = isKnown
      ? ["set transaction_timeout = '20ms'", 'begin', 'select pg_sleep(60)']
      : ["do $$ begin raise exception using errcode = '25P04'; end $$"];
    const error: unknown = await session.script(statements).then(
      (result) => (result.kind === 'failed' ? result.error : undefined),
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: '25P04' });
    expect(errorKind(error)).toBe('connection');
  });
});
