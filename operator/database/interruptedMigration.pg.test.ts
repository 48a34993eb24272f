import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runMigrations } from '../testing/migrationFixture.ts';
import { isWatchersQuery, startPgProxy, type ProxyVerdict } from '../testing/pgProxy.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(async () => {
  await db.drop();
});

/** Every kind of statement; what is done twice, or not, shows in `app.effects`. */
const migrations = [
  {
    name: '1',
    sql: "create schema app; create table app.effects (what text); insert into app.effects values ('1')",
  },
  {
    name: '2',
    sql: `set search_path = app;
          create table t (id int primary key, x int);
          insert into effects values ('2a');
          create index concurrently t_x on t (x);
          create type mood as enum ('sad');
          alter type mood add value 'happy';
          alter table t add m mood default 'happy';
          insert into effects values ('2b');
          drop index concurrently t_x;
          create unique index concurrently if not exists t_m on t (id, m);
          reindex table concurrently t;
          vacuum t;
          create table p (id int) partition by range (id);
          create table p1 partition of p for values from (0) to (10);
          alter table p detach partition p1 concurrently;
          insert into effects values ('2c');`,
  },
  {
    name: '3',
    idempotent: true,
    sql: `do $$ begin delete from app.effects where what = '3'; commit; insert into app.effects values ('3'); end $$;
          insert into app.effects values ('3b')`,
  },
  { name: '4', sql: "insert into app.effects values ('4')" },
];

/** All that the migrations leave, and what the ledger says of it. */
async function contents(): Promise<unknown> {
  const [row] = await db.query(
    `select (select jsonb_agg(what order by what) from app.effects) as effects,
            (select jsonb_agg(format('%s %s %s', c.relname, c.relkind, i.indisvalid) order by c.relname)
               from pg_class c left join pg_index i on i.indexrelid = c.oid
              where c.relnamespace = 'app'::regnamespace) as relations,
            (select jsonb_agg(format('%s %s', attrelid::regclass, attname) order by attrelid::regclass::text, attname)
               from pg_attribute a join pg_class c on c.oid = attrelid and c.relkind in ('r', 'p')
              where c.relnamespace = 'app'::regnamespace and attnum > 0) as columns,
            (select jsonb_agg(enumlabel order by enumsortorder) from pg_enum) as labels,
            (select jsonb_agg(inhrelid::regclass) from pg_inherits where inhparent = to_regclass('app.p')) as partitions,
            (select jsonb_agg(format('%s %s %s %s %s', position, name, state, statements_done, statement_begun) order by position)
               from pgrst_ledger.migrations) as ledger`,
  );
  return row;
}

async function reset(): Promise<void> {
  await db.query('drop schema if exists app cascade; drop schema if exists pgrst_ledger cascade');
}

/** What an undisturbed run leaves. */
let undisturbed: unknown;
beforeAll(async () => {
  await runMigrations(db.uri, migrations);
  undisturbed = await contents();
  await reset();
});

async function untilBackendsAreGone(): Promise<void> {
  for (;;) {
    const rows = await db.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'postgrest-operator%'",
    );
    if (rows.length === 0) return;
  }
}

/** Runs with the connection cut at the n-th message; false when there were fewer. */
async function isCutAt(n: number, verdict: ProxyVerdict): Promise<boolean> {
  let count = 0;
  const proxy = await startPgProxy(db.uri, (sql) => {
    if (isWatchersQuery(sql)) return 'pass';
    count += 1;
    return count === n ? verdict : 'pass';
  });
  const running = runMigrations(proxy.uri, migrations);
  const error = await running.catch((thrown: unknown) => thrown);
  await proxy.close();
  await untilBackendsAreGone();
  if (count >= n) expect(String(error), `message ${n}`).toMatch(/connection/i);
  return count >= n;
}

describe('a runner that dies leaves what the next one completes, each statement once', () => {
  // Every fifth message, other ones for each verdict: `npm run bench -- kill` has more.
  test.each([
    { verdict: 'cutBefore', first: 2 },
    { verdict: 'cutAfter', first: 4 },
  ] as const)('$verdict from message $first on', { timeout: 120_000 }, async ({ verdict, first }) => {
    for (let n = first; await isCutAt(n, verdict); n += 5) {
      await runMigrations(db.uri, migrations);
      expect(await contents(), `message ${n}`).toEqual(undisturbed);
      await reset();
    }
    await reset();
  });

  test('again and again', { timeout: 120_000 }, async () => {
    for (let n = 15; await isCutAt(n, n % 2 === 0 ? 'cutAfter' : 'cutBefore'); n += 1);
    expect(await contents()).toEqual(undisturbed);
    await reset();
  });
});

describe('two runners', () => {
  test('at once do it once', async () => {
    await Promise.all([1, 2, 3].map(() => runMigrations(db.uri, migrations)));
    expect(await contents()).toEqual(undisturbed);
    await reset();
  });

  test('do it once even when the SQL of the first one gives up the lock', async () => {
    const blocker = new pg.Client({ connectionString: db.uri });
    await blocker.connect();
    await blocker.query('create table public.t (x int)');
    await blocker.query('begin; insert into public.t values (1)');
    const sql = `select pg_advisory_unlock_all(); create index concurrently t_x on public.t (x)`;
    const unlocking = [{ name: 'm', sql }];
    let other: Promise<void> | undefined;
    const first = runMigrations(db.uri, unlocking, {
      onObservation: () => {
        other ??= runMigrations(db.uri, unlocking).finally(() => blocker.query('commit'));
        other.catch(() => undefined);
      },
    });
    await first;
    await expect(other).rejects.toThrow(/^LockHeld: Backend \d+ still runs migration m/);
    await blocker.end();
    expect(await db.query('select name, state from pgrst_ledger.migrations')).toEqual([
      { name: 'm', state: 'applied' },
    ]);
    await db.query('drop table public.t');
    await reset();
  });
});

test('an index build whose operator died is waited for, cleaned up and done again', async () => {
  const blocker = new pg.Client({ connectionString: db.uri });
  await blocker.connect();
  await blocker.query('create table public.t (x int)');
  await blocker.query('begin; insert into public.t values (1)');
  const build = [{ name: 'm', sql: 'create index concurrently t_x on public.t (x)' }];
  const proxy = await startPgProxy(db.uri, (sql) => (sql.startsWith('create index') ? 'cutAfter' : 'pass'));
  await expect(runMigrations(proxy.uri, build)).rejects.toThrow(/connection/i);
  await proxy.close();
  const again = runMigrations(db.uri, build);
  await untilBackendsAre(1);
  await blocker.query('commit');
  await again;
  expect(
    await db.query("select indisvalid as ok from pg_index where indrelid = 'public.t'::regclass"),
  ).toEqual([{ ok: true }]);
  await blocker.end();
});

async function untilBackendsAre(count: number): Promise<void> {
  for (;;) {
    const rows = await db.query(
      "select from pg_stat_activity where datname = current_database() and application_name = 'postgrest-operator test'",
    );
    if (rows.length === count) return;
  }
}
