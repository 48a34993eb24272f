import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf, testPatience } from '../testing/applyFixture.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { dropReleases, type DropResult } from './dropReleases.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

/** Everything in the database that a run could have written. */
async function contents(): Promise<unknown> {
  return await db.query(
    `select (select jsonb_agg(nspname::text order by nspname) from pg_namespace where nspname !~ '^pg_(toast|temp)') as schemas,
            (select jsonb_agg(c order by exposed_schema) from pgrst_ledger.claims c) as claims,
            (select jsonb_agg(m) from pgrst_ledger.meta m) as meta,
            (select jsonb_agg(m order by exposed_schema, position) from pgrst_ledger.migrations m) as migrations,
            (select jsonb_agg(r order by exposed_schema, id) from pgrst_ledger.releases r) as releases`,
  );
}

async function drop(changes: Parameters<typeof applyRequest>[1] = {}): Promise<DropResult> {
  return await dropReleases(applyRequest(db.uri, changes), {
    signal: new AbortController().signal,
    progress: () => undefined,
    patience: testPatience,
  });
}

describe('a database that somebody else manages is not written to', () => {
  test.each([
    {
      what: 'another ApiSchema of the cluster',
      changes: { name: 'other' },
      reason: 'SchemaClaimed',
      says: 'belongs to ApiSchema shop/todo',
    },
    {
      what: 'a namesake in another namespace',
      changes: { namespace: 'other' },
      reason: 'SchemaClaimed',
      says: 'belongs to ApiSchema shop/todo',
    },
    {
      what: 'another cluster',
      changes: { clusterId: 'cluster-2' },
      reason: 'SchemaClaimed',
      says: 'another Kubernetes cluster',
    },
    {
      what: 'another server (a copy)',
      sql: "update pgrst_ledger.meta set system_identifier = '1'",
      reason: 'SchemaClaimed',
      says: 'is a copy',
    },
    {
      what: 'a newer operator',
      sql: 'update pgrst_ledger.meta set version = 999',
      reason: 'LedgerNewer',
      says: 'upgrade the operator',
    },
  ])('by $what', async ({ changes = {}, sql = 'select 1', reason, says }) => {
    await apply(applyRequest(db.uri));
    await db.query(sql);
    const before = await contents();
    const result = await apply(
      applyRequest(db.uri, { ...changes, apiSql: 'create view api.x as select 1 as x' }),
    );
    expect(result).toMatchObject({ kind: 'blocked', reason });
    expect(result.kind === 'blocked' && result.message).toContain(says);
    expect(await contents()).toEqual(before);
  });

  test.each([
    { what: 'another claim', changes: { name: 'other' } },
    { what: 'another cluster', changes: { clusterId: 'cluster-2' } },
  ])('until a person runs what the message says: $what', async ({ changes }) => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    const refused = await apply(applyRequest(db.uri, changes));
    const [, sql] =
      /run(?:ning)? in the database: (update .*)\. Nothing was changed\.$/.exec(
        refused.kind === 'blocked' ? refused.message : '',
      ) ?? [];
    await db.query(sql ?? 'the message holds no SQL');
    expect(releaseOf(await apply(applyRequest(db.uri, changes)))).toBe(first);
  });
});

describe('migrations that were changed after they ran', () => {
  const { migrations } = applyRequest('');
  const [first, second] = migrations as [(typeof migrations)[0], (typeof migrations)[0]];
  test.each([
    { reason: 'MigrationChanged', migrations: [{ ...first, sql: 'select 1' }, second] },
    { reason: 'MigrationMissing', migrations: [second] },
    { reason: 'MigrationOrderChanged', migrations: [second, first] },
  ])('block with $reason, and nothing is written', async ({ reason, migrations: changed }) => {
    await apply(applyRequest(db.uri));
    const before = await contents();
    expect(await apply(applyRequest(db.uri, { migrations: changed, apiSql: 'select 2' }))).toMatchObject({
      kind: 'blocked',
      reason,
    });
    expect(await contents()).toEqual(before);
  });
});

describe('a migration that fails', () => {
  const failing = (sql: string) =>
    applyRequest(db.uri, { migrations: [...applyRequest('').migrations, { name: '003-bad', sql }] });

  test.each([
    {
      what: 'a statement',
      sql: 'select 1;\nalter table public.nosuch add x int',
      error: { statement: 2, line: 2, sqlstate: '42P01' },
    },
    {
      what: 'a syntax error',
      sql: 'select 1;\n\nalter tabl x',
      error: { statement: 2, line: 3, sqlstate: '42601' },
    },
    {
      what: 'a hint',
      sql: 'select titel from public.tasks',
      error: { sqlstate: '42703', hint: 'Perhaps you meant to reference the column "tasks.title".' },
    },
    {
      what: 'a deferred constraint',
      sql: 'create table public.d (x int unique deferrable initially deferred); insert into public.d values (1), (1)',
      error: { sqlstate: '23505' },
    },
    {
      what: 'a line of a raise',
      sql: "do $$ begin raise exception 'no' using hint = 'yes'; end $$",
      error: { sqlstate: 'P0001', message: 'no', hint: 'yes' },
    },
  ])('is rolled back, says where, and is not in the ledger: $what', async ({ sql, error }) => {
    await apply(applyRequest(db.uri));
    const before = await contents();
    expect(await apply(failing(sql))).toMatchObject({
      kind: 'blocked',
      reason: 'MigrationFailed',
      error: { migration: '003-bad', ...error },
      summary: { migrations: { applied: 2, pending: 1 } },
    });
    expect(await contents()).toEqual(before);
  });

  test('does not give away the values of rows', async () => {
    await apply(applyRequest(db.uri));
    const result = await apply(failing("insert into public.tasks values (1, 's3cret')"));
    expect(result).toMatchObject({ error: { sqlstate: '23505' } });
    expect(JSON.stringify(result)).not.toMatch(/s3cret|\(id\)=/);
  });

  test.each([
    ['create index concurrently on public.tasks (title)', 'MigrationFailed'],
    ['create database other', 'MigrationNeedsIdempotent'],
  ])('because it cannot be resumed is refused before anything runs: %s', async (sql, reason) => {
    const result = await apply(failing(sql));
    expect(result).toMatchObject({ reason, error: { migration: '003-bad', line: 1 } });
    expect(await db.query("select to_regclass('public.tasks') as tasks")).toEqual([{ tasks: null }]);
  });
});

test("what a migration sets for its session is not there for the next one, and the user's search_path is psql's", async () => {
  await db.query('alter role current_user set search_path = public, pg_temp');
  const migrations = [
    {
      name: 'a',
      sql: `create table seen (what text); set search_path = pg_catalog; set lock_timeout = 0; set role pg_monitor;`,
    },
    {
      name: 'b',
      sql: `insert into seen select current_setting('search_path') union all select current_user::text`,
    },
  ];
  await db.query('select 1');
  const granted = migrations.map((each) => ({ ...each, sql: each.sql.replace('set role pg_monitor;', '') }));
  releaseOf(await apply(applyRequest(db.uri, { migrations: granted, apiSql: 'select 1' })));
  expect(await db.query('select what from public.seen order by 1')).toEqual(
    [{ what: 'public, pg_temp' }, { what: new URL(db.uri).username }].sort((x, y) =>
      x.what < y.what ? -1 : 1,
    ),
  );
});

test('dates are what they are, whatever style the role prints them in', async () => {
  await apply(applyRequest(db.uri));
  await db.query("alter role current_user set datestyle = 'German'");
  const result = await apply(applyRequest(db.uri));
  if (result.kind !== 'applied') throw new Error(JSON.stringify(result));
  const [row] = await db.query<{ ms: number }>(
    'select floor(extract(epoch from built_at))::float8 * 1000 as ms from pgrst_ledger.releases',
  );
  expect(result.summary.releases.map(({ builtAt }) => new Date(builtAt).getTime())).toEqual([row?.ms]);
});

test('at rest a run only reads: no lock is taken, and no transaction id is used', async () => {
  await apply(applyRequest(db.uri));
  const before = await contents();
  const [first] = await db.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  const holder = await holdLock();
  releaseOf(await apply(applyRequest(db.uri)));
  await holder();
  const [last] = await db.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
  expect(Number(last?.xid)).toBe(Number(first?.xid) + 1);
  expect(await contents()).toEqual(before);
});

async function holdLock(): Promise<() => Promise<void>> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: db.uri });
  await client.connect();
  await client.query('select pg_advisory_lock(482771891060)');
  return () => client.end();
}

describe('dropping the releases', () => {
  test('leaves tables and data, and the other claims', async () => {
    await apply(applyRequest(db.uri));
    const apiSql = 'create view api.tasks as select id from public.tasks';
    await apply(applyRequest(db.uri, { apiSql }));
    const other = {
      name: 'other',
      exposedSchema: 'v2',
      migrations: [],
      apiSql: 'create view v2.x as select 1 as x',
    };
    const kept = releaseOf(await apply(applyRequest(db.uri, other)));
    expect(await drop()).toEqual({ kind: 'dropped' });
    expect(await db.query("select nspname as name from pg_namespace where nspname ~ '^(api|v2)'")).toEqual([
      { name: `v2_${kept}` },
    ]);
    expect(await db.query('select id from public.tasks order by id')).toEqual([{ id: 1 }, { id: 2 }]);
    expect(await db.query('select name from pgrst_ledger.claims')).toEqual([{ name: 'other' }]);
    expect(await drop()).toEqual({ kind: 'dropped' });
    expect(await drop(other)).toEqual({ kind: 'dropped' });
    expect(await db.query("select to_regnamespace('pgrst_ledger') as ledger")).toEqual([{ ledger: null }]);
    expect(await drop(other)).toEqual({ kind: 'dropped' });
  });

  test.each([
    [
      'a view',
      (release: string) => `create view public.mine as select * from ${release}.tasks`,
      'public.mine',
    ],
    [
      'a default',
      (release: string) => `alter table public.tasks add n int default ${release}.n()`,
      'public.tasks',
    ],
    ['a column', (release: string) => `alter table public.tasks add s ${release}.state`, 'public.tasks'],
  ])('is refused while %s outside depends on them', async (_what, sql, says) => {
    const apiSql = `create view api.tasks as select id from public.tasks;
      create function api.n() returns int language sql return 1; create type api.state as enum ('a');`;
    const id = releaseOf(await apply(applyRequest(db.uri, { apiSql })));
    await db.query(sql(`api_${id}`));
    const before = await contents();
    const result = await drop();
    expect(result).toMatchObject({ kind: 'blocked', reason: 'InUse' });
    expect(result.kind === 'blocked' && result.message).toContain(says);
    expect(await contents()).toEqual(before);
  });

  test.each([
    ['view public.k', "create view public.k as select pgrst_ledger.secret('jwt')"],
    [
      'function public.k()',
      "create function public.k() returns text language sql begin atomic; select pgrst_ledger.secret('jwt'); end",
    ],
  ])('is refused while %s outside uses the ledger', async (what, sql) => {
    await apply(applyRequest(db.uri));
    await db.query(sql);
    const before = await contents();
    const result = await drop();
    expect(result).toMatchObject({ kind: 'blocked', reason: 'InUse' });
    expect(result.kind === 'blocked' && result.message).toMatch(
      new RegExp(`^These depend on the ledger, .* as well: ${what.replace('()', '\\(\\)')}\\.`),
    );
    expect(await contents()).toEqual(before);
  });

  test('of a schema that another ApiSchema claims does nothing', async () => {
    await apply(applyRequest(db.uri));
    const before = await contents();
    expect(await drop({ name: 'other' })).toEqual({ kind: 'dropped' });
    expect(await contents()).toEqual(before);
  });
});

describe('dropping the releases of a ledger that is not as this operator writes it', () => {
  // What the last step of the ledger added is taken away again.
  const older = `drop table pgrst_ledger.refreshes_due;
    alter table pgrst_ledger.releases drop column snapshot_major;
    update pgrst_ledger.meta set version = 6`;

  test('brings an older one up to date first', async () => {
    const id = releaseOf(await apply(applyRequest(db.uri)));
    await db.query(older);
    expect(await drop()).toEqual({ kind: 'dropped' });
    expect(
      await db.query(
        `select to_regnamespace('api_${id}') as release, to_regnamespace('pgrst_ledger') as ledger`,
      ),
    ).toEqual([{ release: null, ledger: null }]);
  });

  test('leaves an older one alone where we have no claim', async () => {
    await apply(applyRequest(db.uri));
    await db.query(older);
    expect(await drop({ name: 'other', exposedSchema: 'v2' })).toEqual({ kind: 'dropped' });
    expect(await db.query('select version from pgrst_ledger.meta')).toEqual([{ version: 6 }]);
    expect(await db.query('select name from pgrst_ledger.claims')).toEqual([{ name: 'todo' }]);
  });

  test.each([
    ['a copy', "update pgrst_ledger.meta set system_identifier = '1'", {}, /is a copy/],
    ['of another cluster', 'select 1', { clusterId: 'cluster-2' }, /another Kubernetes cluster/],
  ])('asks a person when it is %s', async (_what, sql, changes, says) => {
    await apply(applyRequest(db.uri));
    await db.query(sql);
    const before = await contents();
    const result = await drop(changes);
    expect(result).toMatchObject({ kind: 'blocked', reason: 'SchemaClaimed' });
    expect(result.kind === 'blocked' && result.message).toMatch(says);
    expect(await contents()).toEqual(before);
  });
});

describe('a database that cannot be used', () => {
  test.each([
    {
      what: 'a wrong password',
      change: (uri: URL) => (uri.password = 'wr0ng'),
      says: /^SecretInvalid: .*28P01/,
    },
    {
      what: 'a database that is not there',
      change: (uri: URL) => (uri.pathname = '/nosuch'),
      says: /^SecretInvalid: .*3D000/,
    },
    {
      what: 'a server that is not there',
      change: (uri: URL) => (uri.port = '1'),
      says: /^DatabaseUnreachable: .*ECONNREFUSED/,
    },
  ])('is reported with its reason, without the password: $what', async ({ change, says }) => {
    const uri = new URL(db.uri);
    change(uri);
    const failure = await apply(applyRequest(uri.href)).then(
      () => 'no failure',
      (error: unknown) => String(error instanceof Error ? error.message : error),
    );
    expect(failure).toMatch(says);
    expect(failure).not.toContain('wr0ng');
  });

  test('a role that may not create the ledger is told what to grant', async () => {
    await db.query(`create role poor_${new URL(db.uri).username} login password 'poor'`);
    const uri = new URL(db.uri);
    uri.username = `poor_${uri.username}`;
    uri.password = 'poor';
    await expect(apply(applyRequest(uri.href))).rejects.toThrow(/^SecretInvalid: .*CREATE on the database/);
    await db.query(`drop role ${uri.username}`);
  });
});
