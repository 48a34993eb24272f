import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of the test file's own on the server of the test run. */
export interface TestDatabase {
  /** URI of its owner, a role without superuser. */
  readonly uri: string;
  /** URI of the server's superuser, in the same database. */
  readonly superuserUri: string;
  /** Runs SQL as the owner on a connection of its own. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** Drops it. Throws when a connection of the operator's was left open. */
  drop(): Promise<void>;
}

/**
 * A fresh database on the server that PGRST_TEST_PG_URL names (set by hack/test/postgres.ts). Its owner may do in it
 * what an application's owner role may do, no more.
 */
export async function createTestDatabase(): Promise<TestDatabase> {
  const server = process.env['PGRST_TEST_PG_URL'];
  if (server === undefined)
    throw new Error('PGRST_TEST_PG_URL is not set: run the tests with npm run test:pg');
  const name = `t_${randomBytes(6).toString('hex')}`;
  const password = `p_${randomBytes(6).toString('hex')}`;
  await withClient(server, async (client) => {
    await client.query(`create role ${name} login createrole password '${password}'`);
    await client.query(`create database ${name} template template0 owner ${name}`);
  });
  const superuserUri = withDatabase(server, name);
  const uri = new URL(superuserUri);
  uri.username = name;
  uri.password = password;
  return {
    uri: uri.href,
    superuserUri,
    query: async <Row extends pg.QueryResultRow>(sql: string, values?: unknown[]) =>
      await withClient(uri.href, async (client) => (await client.query<Row>(sql, values)).rows),
    drop: async () => {
      const leaked = await withClient(server, async (client) => {
        const left = await operatorBackends(client, name);
        await client.query(`drop database ${name} with (force)`);
        await client.query(`drop role ${name}`);
        return left;
      });
      if (leaked.length > 0) throw new Error(`connections left open: ${leaked.join('; ')}`);
    },
  };
}

// A backend needs a moment to notice that its client said goodbye.
async function operatorBackends(client: pg.Client, database: string): Promise<readonly string[]> {
  for (let round = 0; ; round += 1) {
    const { rows } = await client.query<{ what: string }>(
      `select format('%s: %s', application_name, query) as what from pg_stat_activity
        where datname = $1 and application_name like 'postgrest-operator%'`,
      [database],
    );
    if (rows.length === 0 || round === 200) return rows.map(({ what }) => what);
    await client.query('select pg_sleep(0.02)');
  }
}

async function withClient<T>(uri: string, body: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    return await body(client);
  } finally {
    await client.end();
  }
}

function withDatabase(uri: string, database: string): string {
  const url = new URL(uri);
  url.pathname = `/${database}`;
  return url.href;
}
