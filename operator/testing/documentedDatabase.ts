import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** A database in which nothing is PUBLIC's, and its owner role has the rights of docs/how-to/database-role.md, no more. */
export interface DocumentedDatabase {
  /** The roles of the page; only the owner is there from the beginning, and `tag` is its password. */
  readonly names: Readonly<Record<'app' | 'app_owner' | 'authenticator' | 'web_anon', string>>;
  readonly tag: string;
  /** The URI for a role whose password is `tag`; without a role that of the server's superuser. */
  uri(role?: string): string;
  /** Runs SQL as a role; without one as the server's superuser. */
  query<Row extends pg.QueryResultRow>(sql: string, role?: string): Promise<readonly Row[]>;
  /** Runs one of the page's blocks of SQL, by the name behind ```sql, with the names of this database. */
  runDocumented(block: string): Promise<void>;
  /** Drops it, and every role whose name ends with the tag. */
  drop(): Promise<void>;
}

const page = 'docs/how-to/database-role.md';

/** Creates one on the server that PGRST_TEST_PG_URL names. */
export async function createDocumentedDatabase(): Promise<DocumentedDatabase> {
  const server = process.env['PGRST_TEST_PG_URL'] ?? '';
  const tag = randomBytes(4).toString('hex');
  const names = {
    app: `app_${tag}`,
    app_owner: `owner_${tag}`,
    authenticator: `authenticator_${tag}`,
    web_anon: `anon_${tag}`,
  };
  const uri = (role?: string): string => {
    const url = new URL(server);
    url.pathname = names.app;
    if (role !== undefined) {
      url.username = role;
      url.password = tag;
    }
    return url.href;
  };
  const blocks = readBlocks();
  const database: DocumentedDatabase = {
    names,
    tag,
    uri,
    query: async (sql, role) => await run(uri(role), sql),
    runDocumented: async (block) => {
      const sql = blocks.get(block);
      if (sql === undefined) throw new Error(`${page} has no block of SQL named ${block}`);
      const renamed = Object.entries(names).reduce(
        (text, [from, to]) => text.replace(new RegExp(`\\b${from}\\b`, 'g'), to),
        sql,
      );
      await run(uri(), renamed);
    },
    drop: async () => {
      await run(server, `drop database ${names.app} with (force)`);
      const roles = await run<{ name: string }>(
        server,
        `select rolname as name from pg_roles where rolname ~ '_${tag}$'`,
      );
      await run(server, `drop role ${roles.map(({ name }) => name).join(', ')}`);
    },
  };
  await run(server, `create database ${names.app} template template0`);
  await run(
    uri(),
    `revoke all on database ${names.app} from public; revoke all on schema public from public`,
  );
  await database.runDocumented('owner');
  await run(uri(), `alter role ${names.app_owner} password '${tag}'`);
  return database;
}

function readBlocks(): ReadonlyMap<string, string> {
  const text = readFileSync(join(import.meta.dirname, '../..', page), 'utf8');
  return new Map(
    [...text.matchAll(/^```sql (\w+)\n(.*?)^```$/gms)].map(([, name = '', sql = '']) => [name, sql]),
  );
}

async function run<Row extends pg.QueryResultRow>(uri: string, sql: string): Promise<readonly Row[]> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}
