import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { run } from '../../hack/lib/exec.ts';
import startPostgres from '../../hack/test/postgres.ts';

/** A throw-away PostgreSQL server that is as careful with data as a real one. */
export interface Server {
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  /** Creates an empty database; returns the URI of its owner, a role without superuser. */
  createDatabase(): Promise<string>;
  /** What is in `public`, as pg_dump writes it, without the tables whose names begin with one of `ignored`. */
  describe(uri: string, ignored: readonly string[]): Promise<string>;
  dropDatabase(uri: string): Promise<void>;
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
        // Some clients encrypt by default and some do not: none does here.
        Object.assign(uri, {
          username: owner,
          password,
          pathname: `/bench_${count}`,
          search: '?sslmode=disable',
        });
        await query(superuser, [
          `create database bench_${count} template template0 owner ${owner}`,
          // So that none pays for the pages that another one has left dirty.
          'checkpoint',
        ]);
        return uri.href;
      },
      async describe(uri, ignored) {
        const bare = new URL(uri);
        bare.password = '';
        const except = ignored.flatMap((table) => ['-T', `public.${table}*`]);
        const dump = await run(
          join(bin, 'pg_dump'),
          ['--schema-only', '-n', 'public', ...except, '-d', bare.href],
          { env: { PGPASSWORD: password } },
        );
        // Its key is another one each time.
        return dump.replaceAll(/^\\(un)?restrict .*$/gm, '');
      },
      async dropDatabase(uri) {
        await query(superuser, [`drop database ${new URL(uri).pathname.slice(1)} with (force)`]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Runs statements one by one on a connection of their own. */
async function query(uri: string, statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
