import { randomBytes } from 'node:crypto';
import pg from 'pg';
import startPostgres from '../../hack/test/postgres.ts';
import { sentinelFunction } from '../../operator/resources/gate.ts';
import { categories, items } from './endpoints.ts';

/** A private PostgreSQL server with the API that is measured. */
export interface Database {
  /** Folder of PostgreSQL's programs. */
  readonly bin: string;
  /** URI of PostgREST's authenticator, which may become `anonymousRole` and nothing else. */
  readonly authenticator: string;
  /** URI of a role that may use the API's views itself, as services without row security do. */
  readonly service: string;
  /** Runs one statement as superuser. */
  query(sql: string): Promise<void>;
  stop(): Promise<void>;
}

/** The role of every request. */
export const anonymousRole = 'web_anon';
/** The release that is served. */
export const release = { id: '12ab34cd', schema: 'api_12ab34cd' } as const;

const { schema } = release;
const api = `
create schema data;
create table data.items (
  id int primary key,
  name text not null,
  category int not null,
  price int not null,
  note text not null
) with (fillfactor = 50);
create index on data.items (category);
create table data.events (id bigint generated always as identity primary key, item int not null, note text not null);
insert into data.items
  select n, 'item number ' || n, n % ${String(categories)}, n * 7 % 100, '' from generate_series(1, ${String(items)}) n;
create schema ${schema};
create view ${schema}.items as select * from data.items;
create view ${schema}.events as select * from data.events;
create function ${schema}.items_of(category int) returns setof ${schema}.items language sql stable
  begin atomic select * from ${schema}.items i where i.category = items_of.category order by i.id; end;
-- Waits as for something outside of this database, and takes no CPU.
create function ${schema}.wait() returns int language sql volatile
  begin atomic select 1 from (select pg_sleep(0.05)) nap; end;
create function ${schema}.${sentinelFunction(release.id)}() returns int language sql begin atomic select 1; end;
create role ${anonymousRole} nologin;
grant usage on schema ${schema} to ${anonymousRole}, service;
grant select, insert, update on all tables in schema ${schema} to ${anonymousRole}, service;
grant ${anonymousRole} to authenticator;
`;

/** Starts the server, which does not wait for its disk: nobody's writes shall look alike because of it. */
export async function startDatabase(): Promise<Database> {
  const stop = await startPostgres();
  try {
    const { PGRST_TEST_PG_URL: superuser = '', PGRST_TEST_PG_BIN: bin = '' } = process.env;
    const password = randomBytes(12).toString('hex');
    const query = async (sql: string): Promise<void> => {
      const client = new pg.Client({ connectionString: superuser });
      await client.connect();
      try {
        await client.query(sql);
      } finally {
        await client.end();
      }
    };
    await query(`create role authenticator login noinherit password '${password}'`);
    await query(`create role service login password '${password}'`);
    await query(api);
    await query('vacuum analyze');
    const uriOf = (user: string): string => {
      const uri = new URL(superuser);
      // All connections stay on this machine, and nobody encrypts.
      Object.assign(uri, { username: user, password, search: '?sslmode=disable' });
      return uri.href;
    };
    return { bin, authenticator: uriOf('authenticator'), service: uriOf('service'), query, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
