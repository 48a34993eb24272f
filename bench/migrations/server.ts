import { randomBytes } from 'node:crypto';
import pg from 'pg';
import startPostgres from '../../hack/test/postgres.ts';

/** A throw-away PostgreSQL server that is as careful with data as a real one. */
export interface Server {
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  /** Creates an empty database; returns the URI of its owner, a role without superuser. */
  createDatabase(): Promise<string>;
  /** Drops it, after looking what is in `public`: a text that is equal for equal tables, columns and indexes. */
  dropDatabase(uri: string): Promise<string>;
  stop(): Promise<void>;
}

const owner = 'bench';

/** Starts the server. */
export async function startServer(): Promise<Server> {
  const stop = await startPostgres();
  try {
    const { PGRST_TEST_PG_URL: superuser = '', PGRST_TEST_PG_BIN: bin = '' } = process.env;
    const password = randomBytes(12).toString('hex');
    // The tests' server does not wait for its disk; migrations in real life do, at each COMMIT.
    await query(superuser, [
      'alter system set fsync = on',
      'alter system set full_page_writes = on',
      'alter system set synchronous_commit = on',
      'select pg_reload_conf()',
      `create role ${owner} login password '${password}'`,
    ]);
    let count = 0;
    return {
      bin,
      async createDatabase() {
        count += 1;
        const uri = new URL(superuser);
        Object.assign(uri, { username: owner, password, pathname: `/bench_${count}` });
        await query(superuser, [
          `create database bench_${count} template template0 owner ${owner}`,
          // So that none pays for the pages that another one has left dirty.
          'checkpoint',
        ]);
        return uri.href;
      },
      async dropDatabase(uri) {
        const [row] = await query<{ tables: string }>(uri, [tablesQuery]);
        await query(superuser, [`drop database ${new URL(uri).pathname.slice(1)} with (force)`]);
        return row?.tables ?? '';
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const tablesQuery = `
select count(distinct c.oid) || ' relations, columns ' || coalesce(md5(string_agg(
         format('%s %s %s', c.relname, a.attname, a.atttypid::regtype), e'\\n' order by c.relname, a.attnum)), '') as tables
  from pg_class c join pg_attribute a on a.attrelid = c.oid
 where c.relnamespace = 'public'::regnamespace and a.attnum > 0`;

/** Runs statements one by one on a connection of their own; returns the rows of the last one. */
async function query<Row extends pg.QueryResultRow>(
  uri: string,
  statements: readonly string[],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    let rows: Row[] = [];
    for (const statement of statements) rows = (await client.query<Row>(statement)).rows;
    return rows;
  } finally {
    await client.end();
  }
}
