import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runMigrations, type TestMigration } from '../testing/migrationFixture.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { StatementError, type StatementFailure } from './runStatements.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

const run = (sql: string, more: Partial<TestMigration> = {}): Promise<void> =>
  runMigrations(db.uri, [{ name: 'm', sql, ...more }]);

async function failureOf(running: Promise<void>): Promise<StatementFailure> {
  try {
    await running;
  } catch (error) {
    if (error instanceof StatementError) return error.failure;
    throw error;
  }
  throw new Error('it did not fail');
}

async function ledger(): Promise<unknown> {
  return await db.query(
    'select name, state, statements_done as done, statement_begun as begun from pgrst_ledger.migrations order by position',
  );
}

async function other(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: db.uri, application_name: 'psql' });
  await client.connect();
  return client;
}

describe('a migration in one transaction', () => {
  test('is one message to the server, from BEGIN to COMMIT, and knows how long it took', async () => {
    await run('create table public.t (x int); select pg_sleep(0.05)');
    expect(await ledger()).toEqual([{ name: 'm', state: 'applied', done: 2, begun: null }]);
    const [row] = await db.query<{ ms: number }>('select duration_ms as ms from pgrst_ledger.migrations');
    expect(row?.ms).toBeGreaterThanOrEqual(50);
  });

  test.each([
    { what: 'found by its position', sql: 'select 1;\n\nselect é\n  , "ü", nope', statement: 2, line: 3 },
    { what: 'in a later line', sql: "select 'é😀';\nselect 1,\n  nope", statement: 2, line: 3 },
    { what: 'without a position', sql: 'select 1;\nselect 1\n/0;\nselect 2', statement: 2, line: 2 },
  ])('names the statement that failed: $what', async ({ sql, statement, line }) => {
    expect(await failureOf(run(sql))).toMatchObject({ statement, line });
    expect(await ledger()).toEqual([]);
  });

  test('names the statement that the server cannot even read', async () => {
    await db.query('alter role current_user set standard_conforming_strings = off');
    expect(await failureOf(run("select 1;\nselect\n  u&'a'; select 2"))).toMatchObject({
      statement: 2,
      line: 3,
      sqlstate: '0A000',
    });
    expect(await ledger()).toEqual([]);
  });

  test('a setting changes how the next statement is read', async () => {
    const sql = `set standard_conforming_strings = off; create table public.t as select 'a\\nb'::text as x;
                 select 1/0`;
    expect(await failureOf(run(sql))).toMatchObject({ statement: 3, line: 2 });
    await run(sql.replace('/0', ''));
    expect(await db.query('select x from public.t')).toEqual([{ x: 'a\nb' }]);
  });

  test('may throw away what the session has prepared', async () => {
    await runMigrations(db.uri, [
      { name: 'a', sql: 'select 1' },
      { name: 'b', sql: 'deallocate all' },
      { name: 'c', sql: 'select 1' },
      { name: 'd', sql: 'select 1' },
    ]);
    expect(await ledger()).toHaveLength(4);
  });

  test('a deferred constraint that fails at COMMIT leaves nothing', async () => {
    const sql = `create table public.t (x int unique deferrable initially deferred);
                 insert into public.t values (1), (1)`;
    await expect(run(sql)).rejects.toMatchObject({ code: '23505' });
    expect(await ledger()).toEqual([]);
    expect(await db.query("select to_regclass('public.t') as t")).toEqual([{ t: null }]);
  });

  test('sets what it likes: the next one finds the settings of a fresh session', async () => {
    const settings =
      "select current_user = session_user as own, current_setting('search_path') as path, current_setting('work_mem') as mem";
    await db.query('create schema app');
    await runMigrations(db.uri, [
      { name: 'a', sql: `create table public.a as ${settings}` },
      { name: 'b', sql: "create role x_b; set search_path = app; set work_mem = '7MB'; create table b ()" },
      { name: 'c', sql: `create table public.c as ${settings}` },
    ]);
    expect(await db.query('select * from public.c')).toEqual(await db.query('select * from public.a'));
    expect(await db.query("select to_regclass('app.b')::text as b")).toEqual([{ b: 'app.b' }]);
    await db.query('drop role x_b');
  });
});

test('names and identities of any kind are quoted', async () => {
  const name = `a'b\\c"d\n$1 é`;
  await runMigrations(db.uri, [{ name, sql: 'select 1' }]);
  expect(await db.query('select name from pgrst_ledger.migrations')).toEqual([{ name }]);
});

describe('statementTimeout', () => {
  test.each(['select pg_sleep(60)', "alter type public.e add value 'b'; select pg_sleep(60)"])(
    'ends a statement that takes longer, and says how to change that: %s',
    async (sql) => {
      await db.query("create type public.e as enum ('a')");
      const failure = await failureOf(run(sql, { statementTimeoutMs: 100 }));
      expect(failure.message).toContain('statementTimeout is 100 ms');
      expect(failure.sqlstate).toBe('57014');
    },
  );
});

const mixed = `
  create schema app;
  set search_path = app;
  create table t (id int primary key, x int);
  insert into t select n, n from generate_series(1, 1000) n;
  create index concurrently t_x on t (x);
  alter table t add y int;
  create type mood as enum ('sad');
  alter type mood add value 'happy';
  alter table t add m mood default 'happy';
  drop index concurrently t_x;
  create index concurrently if not exists t_y on t (y);
  reindex table concurrently t;
  vacuum t;
  create table p (id int) partition by range (id);
  create table p1 partition of p for values from (0) to (10);
  alter table p detach partition p1 concurrently;
  insert into p1 values (1);
`;

describe('a migration in pieces', () => {
  test('commits what needs it alone, under the settings that it made, and ends in one row', async () => {
    await run(mixed);
    expect(await ledger()).toEqual([{ name: 'm', state: 'applied', done: 17, begun: null }]);
    expect(
      await db.query(`select indexrelid::regclass::text as i, indisvalid as ok from pg_index
                       where indrelid = 'app.t'::regclass order by 1`),
    ).toEqual([
      { i: 'app.t_pkey', ok: true },
      { i: 'app.t_y', ok: true },
    ]);
    expect(await db.query('select m, count(*)::int as n from app.t group by m')).toEqual([
      { m: 'happy', n: 1000 },
    ]);
  });

  test('a statement that fails keeps what is done; corrected behind that, the rest runs', async () => {
    const start = `create table public.t (x int);
      insert into public.t values (1), (1);
      create index concurrently t_i on public.t (x);\n`;
    const failure = await failureOf(run(`${start}create unique index concurrently t_u on public.t (x)`));
    expect(failure).toMatchObject({ statement: 4, line: 4, sqlstate: '23505', statementsDone: 3 });
    expect(await ledger()).toEqual([{ name: 'm', state: 'running', done: 3, begun: null }]);
    expect(await db.query("select to_regclass('public.t_u') as u")).toEqual([{ u: null }]);

    const changed = await failureOf(run('create table public.t (x bigint); select 1; select 2; select 3'));
    expect(changed.message).toContain('The first 3 statements');
    await run(`${start}create index concurrently t_u on public.t (x)`);
    expect(await ledger()).toEqual([{ name: 'm', state: 'applied', done: 4, begun: null }]);
  });

  test('what is left may turn into a migration without such statements, or into nothing', async () => {
    const start = "create type public.e as enum ('a'); alter type public.e add value 'b';";
    await failureOf(run(`${start} select nope`));
    await run(`${start} create table public.t (x public.e default 'b')`);
    expect(await ledger()).toEqual([{ name: 'm', state: 'applied', done: 3, begun: null }]);
  });

  test('one that fails before anything is done leaves no row', async () => {
    await failureOf(run('create index concurrently i on public.nothing (x); select 1'));
    expect(await ledger()).toEqual([]);
    await failureOf(run("select nope; create index concurrently i on public.nothing (x); select 'x'"));
    expect(await ledger()).toEqual([]);
  });

  test('a DO that commits runs where its author says that it may be repeated', async () => {
    const sql = `create table public.t (x int);
      do $$ begin for i in 1..3 loop insert into public.t values (i); commit; end loop; end $$`;
    expect(await failureOf(run(sql))).toMatchObject({ sqlstate: '2D000', statement: 2 });
    await run(sql, { idempotent: true });
    expect(await db.query('select x from public.t')).toEqual([{ x: 1 }, { x: 2 }, { x: 3 }]);
  });
});

describe('an index that somebody left half built', () => {
  test.each(['', 'if not exists '])(
    'is dropped and built again: create index concurrently %s',
    async (clause) => {
      await db.query('create table public.t (x int); insert into public.t values (1), (1)');
      const client = await other();
      await expect(
        client.query('create unique index concurrently t_x on public.t (x)'),
      ).rejects.toMatchObject({ code: '23505' });
      await client.end();
      await run(`create index concurrently ${clause}t_x on public.t (x)`);
      expect(
        await db.query("select indisvalid as ok from pg_index where indexrelid = 'public.t_x'::regclass"),
      ).toEqual([{ ok: true }]);
    },
  );

  test('is left alone while it is being built', async () => {
    await db.query('create table public.t (x int)');
    const reader = await other();
    await reader.query('begin; lock table public.t in row exclusive mode');
    const builder = await other();
    const building = builder.query('create index concurrently t_x on public.t (x)');
    await untilWaiting('create index concurrently');
    await expect(run('create index concurrently if not exists t_x on public.t (x)')).rejects.toThrow(
      /^LockHeld: Backend \d+ is just building index public.t_x/,
    );
    await reader.query('commit');
    await building;
    await run('create index concurrently if not exists t_x on public.t (x)');
    await reader.end();
    await builder.end();
  });
});

/** Until a statement that begins so waits for a lock. */
async function untilWaiting(start: string): Promise<number> {
  for (;;) {
    const [row] = await db.query<{ pid: number }>(
      `select pid from pg_stat_activity
        where datname = current_database() and starts_with(query, $1) and cardinality(pg_blocking_pids(pid)) > 0`,
      [start],
    );
    if (row !== undefined) return row.pid;
  }
}

describe('who waits says for whom', () => {
  test('while it waits, when it tries again, and when it gives up', async () => {
    await db.query('create table public.t (x int)');
    const blocker = await other();
    const { rows } = await blocker.query<{ pid: number }>('select pg_backend_pid() as pid');
    const pid = rows[0]?.pid ?? 0;
    await blocker.query('begin; lock table public.t');
    const seen: unknown[] = [];
    const causes: string[] = [];
    await expect(
      runMigrations(db.uri, [{ name: 'm', sql: 'alter table public.t add y int' }], {
        patience: { lockTimeoutMs: 600, retryDelaysMs: [10] },
        onObservation: (value) => seen.push(value),
        onRetry: (_, cause) => causes.push(cause),
      }),
    ).rejects.toThrow(new RegExp(`^LockHeld: .*blocked by backend ${String(pid)} \\(application psql\\)`));
    expect(seen[0]).toEqual({ phase: 'blocked', by: [{ pid, applicationName: 'psql' }] });
    expect(causes).toHaveLength(1);
    expect(causes[0]).toContain(`blocked by backend ${String(pid)} (application psql)`);
    await blocker.end();
  });

  test('an index build waits as long as it takes, and tells how far it is', async () => {
    await db.query('create table public.t (x int)');
    const blocker = await other();
    await blocker.query('begin; insert into public.t values (1)');
    const phases = new Set<string>();
    await runMigrations(db.uri, [{ name: 'm', sql: 'create index concurrently t_x on public.t (x)' }], {
      patience: { lockTimeoutMs: 100, retryDelaysMs: [] },
      onObservation: (value) => {
        phases.add(value.phase);
        if (value.phase === 'blocked') void blocker.query('commit');
      },
    });
    expect(phases).toContain('blocked');
    await blocker.end();
  });
});

describe('an order that is withdrawn', () => {
  test.each([
    { what: 'a long statement', sql: 'select pg_sleep(60)', start: 'begin' },
    {
      what: 'an index build that waits for another transaction',
      sql: 'create index concurrently t_x on public.t (x)',
      start: 'create index',
    },
  ])('ends $what in the server at once', async ({ sql, start }) => {
    await db.query('create table public.t (x int)');
    const blocker = await other();
    await blocker.query('begin; insert into public.t values (1)');
    const order = new AbortController();
    const running = runMigrations(db.uri, [{ name: 'm', sql }], { signal: order.signal });
    await untilActive(start);
    order.abort(new Error('suspended'));
    await expect(running).rejects.toThrow('suspended');
    const left = await db.query(
      "select from pg_stat_activity where datname = current_database() and state = 'active' and starts_with(query, $1)",
      [start],
    );
    expect(left).toEqual([]);
    await blocker.query('commit');
    await blocker.end();
    await run('create index concurrently t_x on public.t (x)');
  });
});

async function untilActive(start: string): Promise<void> {
  for (;;) {
    const rows = await db.query(
      `select from pg_stat_activity where datname = current_database() and state = 'active'
          and wait_event_type in ('Lock', 'Timeout') and starts_with(query, $1)`,
      [start],
    );
    if (rows.length > 0) return;
  }
}
