import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeSchema } from '../../database/description.ts';
import { StatementError } from '../../database/runStatements.ts';
import { openSession, type Session } from '../../database/session.ts';
import { sentinelName } from '../../migration/checksum.ts';
import { apiArbitrary, apiTables, type GeneratedApi } from '../../testing/apiGrammar.ts';
import { build, publishedId } from '../../testing/buildFixture.ts';
import { readScenario, scenarios } from '../../testing/scenarios.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';

// What psql would have built in a schema of that name is what the operator builds as a release: the same description, the
// same answers, the same privileges. PGRST_EQUIVALENCE_CASES sets how many APIs are tried.
const cases = Number(process.env['PGRST_EQUIVALENCE_CASES'] ?? '60');
const seed = Number(process.env['PGRST_EQUIVALENCE_SEED'] ?? '20261');

let database: TestDatabase;
/** Where the operator builds, and a database of the same owner in which plain SQL makes the same. */
let operated: Place;
let verbatim: Place;
let reader: string;
let writer: string;

/** Two connections to one database: as a client has it, and as the operator has it. */
interface Place {
  readonly client: pg.Client;
  readonly session: Session;
}

/** A schema to look at: its name and the function in it that is not the user's. */
interface Built {
  readonly place: Place;
  readonly schema: string;
  readonly except: string | undefined;
}

beforeAll(async () => {
  database = await createTestDatabase();
  const owner = new URL(database.uri).username;
  reader = `r_${owner}`;
  writer = `w_${owner}`;
  await database.query(`create role ${reader} nologin; create role ${writer} nologin;
                        grant ${reader}, ${writer} to ${owner}`);
  await asSuperuser(`create database ${owner}_v template template0 owner ${owner}`);
  const other = new URL(database.uri);
  other.pathname = `/${owner}_v`;
  operated = await placeAt(database.uri);
  verbatim = await placeAt(other.href);
});
afterAll(async () => {
  for (const { client, session } of [operated, verbatim]) {
    await session.close();
    await client.end();
  }
  const owner = new URL(database.uri).username;
  await asSuperuser(`drop database ${owner}_v with (force)`);
  // Since PostgreSQL 16 whoever granted a role cannot be dropped before.
  await asSuperuser(`drop owned by ${reader}, ${writer}; drop role ${reader}, ${writer}`);
  await database.drop();
});

describe('a release is what psql would have built in a schema of that name', () => {
  test(`for ${String(cases)} generated APIs`, { timeout: 20_000 + cases * 2000 }, async () => {
    let published = 0;
    await fc.assert(
      fc.asyncProperty(apiArbitrary(reader, writer), async (generated) => {
        if (await agree({ ...generated, roles: [reader, writer] })) published += 1;
      }),
      { numRuns: cases, seed, endOnFailure: false },
    );
    // The property says nothing of APIs that PostgreSQL refuses.
    expect(published).toBeGreaterThan(cases / 2);
  });

  test.each([
    [
      'a function with the name of the schema',
      `create function api.api(n int) returns int language sql return n;
       create function api.f() returns int language plpgsql as $$ begin return api.api(2); end $$;`,
      ['select {schema}.f()'],
    ],
    [
      'a name in quotes that needs none, and one that does',
      `create view api."tasks" as select id as "Id" from public.tasks; create view "api"."ta.sks" as select * from "api"."tasks";
       create function "api"."f"() returns setof "api"."ta.sks" language sql set search_path from current
         as 'select * from "api" . "ta.sks" -- "api".x';`,
      ['select * from {schema}.f()'],
    ],
  ])('for %s', async (_what, sql, probes) => {
    expect(await agree({ sql, probes, roles: [reader] })).toBe(true);
  });

  test('or it is refused: api.id may be a column of the view api or a relation of the schema', async () => {
    const apiSql = `create view api.api as select id from public.tasks;
      create function api.f() returns bigint language sql as 'select sum(api.id) from api.api';`;
    expect(await build(database.uri, { apiSql })).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining('In function api.f(), line 1 of its body') as string,
    });
  });

  test.each(scenarios)('for the system %s, whose pgTAP tests pass in both', async (name) => {
    const { roles, roleNames, migration, api, tests, probes } = readScenario(
      name,
      `${new URL(database.uri).username}_${name}`,
    );
    await database.query(`${roles}; grant ${roleNames.join(', ')} to current_user`);
    for (const { client } of [operated, verbatim]) {
      await client.query('create extension if not exists pgtap');
      await client.query(migration);
    }
    expect(await agree({ sql: api, probes, roles: roleNames, tests })).toBe(true);
  });
});

/** An API, and who asks it. */
interface Api extends GeneratedApi {
  readonly roles: readonly string[];
  /** pgTAP, which must pass in both. */
  readonly tests?: string;
}

/** Builds both, compares them, removes both. Whether there was something to compare. */
async function agree({ sql, probes, tests, roles }: Api): Promise<boolean> {
  try {
    const refusal = await runVerbatim(sql);
    const built = await build(database.uri, { apiSql: sql, ...(tests === undefined ? {} : { tests }) }).catch(
      (error: unknown) => {
        if (error instanceof StatementError) return error.failure;
        throw error;
      },
    );
    if (refusal !== undefined) {
      expect(built).toMatchObject(refusal);
      return false;
    }
    if (!('kind' in built)) throw new Error(`psql takes it, the operator does not: ${built.message}`);
    const id = publishedId(built);
    const release = `api_${id}`;
    const [ours, plain] = [
      { place: operated, schema: release, except: sentinelName(id) },
      { place: verbatim, schema: 'api', except: undefined },
    ];
    expect(await descriptionOf(ours)).toEqual(await descriptionOf(plain));
    expect(await privilegesOf(ours, roles)).toEqual(await privilegesOf(plain, roles));
    for (const probe of probes)
      for (const role of [undefined, ...roles])
        expect({ probe, role, answer: await answerOf(ours, probe, role) }).toEqual({
          probe,
          role,
          answer: await answerOf(plain, probe, role),
        });
    return true;
  } finally {
    await reset();
  }
}

async function descriptionOf({ place, schema, except }: Built): Promise<readonly string[]> {
  const facts = await describeSchema(place.session, { schema, as: 'api', except });
  const lines = facts.map(
    ({ kind, within, object, aspect, value }) => `${kind} ${within} ${object} ${aspect}: ${value}`,
  );
  expect(new Set(lines.map((line) => line.slice(0, line.indexOf(': ')))).size).toBe(lines.length);
  return lines.sort();
}

async function privilegesOf(
  { place, schema, except }: Built,
  roles: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await place.client.query<{ line: string }>(
    `with role (name) as (select unnest($2::text[]) union all select current_user),
          ns as (select oid from pg_namespace where nspname = $1)
     select format('%s schema %s %s', name, p, has_schema_privilege(name, ns.oid, p)) as line
       from role, ns, unnest(array['USAGE', 'CREATE']) p
     union all
     select format('%s %s %s %s %s', name, relname, p, has_table_privilege(name, c.oid, p), has_any_column_privilege(name, c.oid, p))
       from role, ns, pg_class c, unnest(array['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) p where c.relnamespace = ns.oid
     union all
     select format('%s %s.%s %s %s', name, relname, attname, p, has_column_privilege(name, c.oid, attnum, p))
       from role, ns, pg_class c join pg_attribute a on attrelid = c.oid and attnum > 0, unnest(array['SELECT', 'INSERT']) p
      where c.relnamespace = ns.oid
     union all
     select format('%s %s(%s) %s', name, proname, pronargs, has_function_privilege(name, p.oid, 'EXECUTE'))
       from role, ns, pg_proc p where p.pronamespace = ns.oid and proname is distinct from $3
     union all
     select format('%s %s %s', name, typname, has_type_privilege(name, t.oid, 'USAGE'))
       from role, ns, pg_type t where t.typnamespace = ns.oid
     order by 1`,
    [schema, roles, except ?? null],
  );
  return rows.map(({ line }) => line);
}

/** What a client of PostgREST would get: rows in no order, or the error. Nothing of it stays. */
async function answerOf(
  { place: { client }, schema }: Built,
  probe: string,
  role: string | undefined,
): Promise<readonly string[]> {
  const as = role === undefined ? '' : `set local role ${role};`;
  // No rollback takes a sequence back: identities are to count alike in both databases.
  await client.query(
    `select setval(oid::regclass, 100) from pg_class where relkind = 'S';
     begin; ${as} set local search_path = ${schema}, public`,
  );
  try {
    const { rows } = await client.query<Record<string, unknown>>(probe.replaceAll('{schema}', schema));
    return rows.map((row) => JSON.stringify(row)).sort();
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return [`${String(error.code)} ${error.message.replaceAll(schema, 'api')}`];
  } finally {
    await client.query('rollback');
  }
}

async function runVerbatim(sql: string): Promise<{ readonly sqlstate: string } | undefined> {
  try {
    await verbatim.client.query('create schema api');
    await verbatim.client.query(sql);
    return undefined;
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    return { sqlstate: String(error.code) };
  }
}

async function reset(): Promise<void> {
  await verbatim.client.query('drop schema api cascade');
  const { rows } = await operated.client.query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname ~ '^api_[0-9a-f]{8}$'",
  );
  for (const { name } of rows) await operated.client.query(`drop schema ${name} cascade`);
  await operated.client.query(
    'update pgrst_ledger.claims set current_release = null; delete from pgrst_ledger.releases',
  );
}

async function placeAt(uri: string): Promise<Place> {
  const client = new pg.Client({ connectionString: uri });
  await client.connect();
  await client.query(apiTables(reader, writer));
  const session = await openSession({
    uri,
    applicationName: 'postgrest-operator equivalence test',
    signal: new AbortController().signal,
    lockTimeoutMs: 2000,
  });
  return { client, session };
}

async function asSuperuser(sql: string): Promise<void> {
  const superuser = new pg.Client({ connectionString: database.superuserUri });
  await superuser.connect();
  await superuser.query(sql);
  await superuser.end();
}
