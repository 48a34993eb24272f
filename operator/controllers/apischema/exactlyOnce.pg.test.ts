import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf } from '../../testing/applyFixture.ts';
import { isWatchersQuery, startPgProxy, type ProxyVerdict } from '../../testing/pgProxy.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import type { ApplyProgress, ApplyRequest } from './applyRequest.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

/** The migrations ran once each, the ledger says so, and one release is there. */
async function expectAppliedOnce(releases = 1): Promise<void> {
  expect(await db.query('select what from public.effects order by 1')).toEqual([
    { what: '001-tasks' },
    { what: '002-due' },
  ]);
  expect(await db.query('select name from pgrst_ledger.migrations order by position')).toEqual([
    { name: '001-tasks' },
    { name: '002-due' },
  ]);
  const [served] = await db.query<{ id: string }>('select current_release as id from pgrst_ledger.claims');
  expect(await db.query(`select id from api_${served?.id ?? ''}.tasks order by id`)).toEqual([
    { id: 1 },
    { id: 2 },
  ]);
  const schemas = await db.query<{ name: string }>(
    "select nspname as name from pg_namespace where nspname like 'api%'",
  );
  expect(schemas).toHaveLength(releases);
}

/** An empty database again; creating another one would take a second. */
async function reset(): Promise<void> {
  await db.query(`do $$
    declare name text;
    begin
      for name in select nspname from pg_namespace where nspname like 'api%' or nspname = 'pgrst_ledger' loop
        execute format('drop schema %I cascade', name);
      end loop;
      drop table public.tasks, public.effects;
    end $$`);
}

/** About how many queries one whole apply makes. */
let total = 0;
beforeAll(async () => {
  const other = await createTestDatabase();
  const proxy = await startPgProxy(other.uri, (sql) => {
    if (!isWatchersQuery(sql)) total += 1;
    return 'pass';
  });
  await apply(applyRequest(proxy.uri));
  await proxy.close();
  await other.drop();
});

/**
 * Runs the apply in a process that is killed with SIGKILL at its n-th query, before or after the server has got it; false
 * when it made fewer.
 */
async function isKilledAt(n: number, verdict: ProxyVerdict): Promise<boolean> {
  let count = 0;
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../../testing/applyChild.ts', import.meta.url))],
    {
      stdio: ['pipe', 'ignore', 'ignore'],
    },
  );
  const proxy = await startPgProxy(db.uri, (sql) => {
    if (!isWatchersQuery(sql)) count += 1;
    if (count !== n || isWatchersQuery(sql)) return 'pass';
    child.kill('SIGKILL');
    return verdict;
  });
  child.stdin.end(JSON.stringify(applyRequest(proxy.uri, { identity: 'killed' })));
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  await proxy.close();
  expect(signal).toBe(count < n ? null : 'SIGKILL');
  return count >= n;
}

describe('an operator that is killed', () => {
  // Each kill costs a process: a seeded sample of the queries, other ones in each half.
  const seed = 7;
  test.each(['cutBefore', 'cutAfter'] as const)(
    'at any query (%s) leaves what the next run completes',
    { timeout: 120_000 },
    async (verdict) => {
      const step = Math.ceil(total / 5);
      const first = 1 + (seed % step) + (verdict === 'cutAfter' ? 1 : 0);
      for (let n = first; await isKilledAt(n, verdict); n += step) {
        releaseOf(await apply(applyRequest(db.uri)));
        await expectAppliedOnce();
        await reset();
      }
      await reset();
    },
  );

  test('leaves a backend that is waited for, and named meanwhile', async () => {
    const dead = new pg.Client({ connectionString: db.uri, application_name: 'postgrest-operator dead' });
    await dead.connect();
    await dead.query('select pg_advisory_lock(482771891060)');
    const progress: ApplyProgress[] = [];
    const result = apply(applyRequest(db.uri), {
      onProgress: (value) => {
        progress.push(value);
        if (value.phase === 'waitingForLock') void dead.end();
      },
    });
    releaseOf(await result);
    expect(progress[0]).toEqual({
      phase: 'waitingForLock',
      holder: expect.stringMatching(/^postgrest-operator dead \(backend \d+\)$/) as string,
    });
    await expectAppliedOnce();
  });
});

describe('a connection that is lost', () => {
  test.each(['cutBefore', 'cutAfter'] as const)(
    'at any query (%s) leaves what the next run completes',
    { timeout: 120_000 },
    async (verdict) => {
      for (let n = verdict === 'cutBefore' ? 1 : 2; ; n += 7) {
        let count = 0;
        const proxy = await startPgProxy(db.uri, (sql) => {
          if (isWatchersQuery(sql)) return 'pass';
          count += 1;
          return count === n ? verdict : 'pass';
        });
        const error = await apply(applyRequest(proxy.uri)).catch((thrown: unknown) => thrown);
        await proxy.close();
        if (count < n) break;
        expect(String(error)).toContain('DatabaseUnreachable: ');
        releaseOf(await apply(applyRequest(db.uri)));
        await expectAppliedOnce();
        await reset();
      }
    },
  );

  test.each([
    { verdict: 'cutBefore', done: [] },
    { verdict: 'cutAfter', done: [{ name: '001-tasks' }] },
  ] as const)(
    'at COMMIT ($verdict) is in doubt for the client, not for the ledger',
    async ({ verdict, done }) => {
      // BEGIN, the ledger's row, the SQL and COMMIT are one message; before the ledger's statements are prepared it fails.
      let isPrepared = false;
      const proxy = await startPgProxy(db.uri, (sql) => {
        isPrepared ||= sql.startsWith('prepare pgrst_update_migration');
        return isPrepared && sql.startsWith('begin;') && sql.includes(';\ncommit') ? verdict : 'pass';
      });
      await expect(apply(applyRequest(proxy.uri))).rejects.toThrow(/^DatabaseUnreachable: /);
      await proxy.close();
      await untilBackendsAreGone();
      expect(await db.query('select name from pgrst_ledger.migrations')).toEqual(done);
      releaseOf(await apply(applyRequest(db.uri)));
      await expectAppliedOnce();
    },
  );
});

async function untilBackendsAreGone(): Promise<void> {
  for (;;) {
    const rows = await db.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'postgrest-operator%'",
    );
    if (rows.length === 0) return;
  }
}

describe('two runners at once', () => {
  test('do it once, and both say so', async () => {
    const results = await Promise.all(
      ['one', 'two', 'three'].map((identity) => apply(applyRequest(db.uri, { identity }))),
    );
    expect(new Set(results.map(releaseOf)).size).toBe(1);
    await expectAppliedOnce();
    const runners = await db.query<{ n: number }>(
      'select count(distinct applied_by)::int as n from pgrst_ledger.migrations',
    );
    expect(runners).toEqual([{ n: 1 }]);
  });

  test('even without the lock cannot both run a migration: its ledger row is the first write', async () => {
    await apply(applyRequest(db.uri, { migrations: [] as ApplyRequest['migrations'], apiSql: 'select 1' }));
    const other = new pg.Client({ connectionString: db.uri });
    await other.connect();
    await other.query('begin');
    await other.query(
      `insert into pgrst_ledger.migrations (exposed_schema, name, position, checksum, applied_by)
       values ('api', '001-tasks', 0, 'x', 'other')`,
    );
    const progress: ApplyProgress[] = [];
    await expect(
      apply(applyRequest(db.uri), { onProgress: (value) => progress.push(value) }),
    ).rejects.toThrow(/^LockHeld: /);
    expect(progress.filter(({ phase }) => phase === 'retrying')).toHaveLength(3);
    expect(await db.query("select to_regclass('public.effects') as effects")).toEqual([{ effects: null }]);
    await other.query('rollback');
    await other.end();
    releaseOf(await apply(applyRequest(db.uri)));
    await expectAppliedOnce(2);
  });
});

describe('a lock that somebody else holds', () => {
  test('is waited for briefly and often, and the migration runs once it is free', async () => {
    await db.query('create table public.busy (x int)');
    const other = new pg.Client({ connectionString: db.uri });
    await other.connect();
    await other.query('begin');
    await other.query('lock table public.busy');
    const migrations = [{ name: '001-busy', sql: 'alter table public.busy add y int' }];
    let attempts = 0;
    const result = await apply(applyRequest(db.uri, { migrations, apiSql: 'select 1' }), {
      onProgress: (value) => {
        if (value.phase !== 'retrying') return;
        attempts += 1;
        expect(value.cause).toContain('lock timeout');
        if (attempts === 2) void other.end();
      },
    });
    releaseOf(result);
    expect(attempts).toBeGreaterThanOrEqual(2);
    expect(await db.query('select x, y from public.busy')).toEqual([]);
  });
});

describe('an order that is withdrawn', () => {
  test('ends the statement on the server, and leaves nothing of the migration', async () => {
    const order = new AbortController();
    const migrations = [{ name: '001-slow', sql: 'create table public.slow (x int); select pg_sleep(600)' }];
    const proxy = await startPgProxy(db.uri, (sql) => {
      if (sql.includes('pg_sleep'))
        setImmediate(() => {
          order.abort(new Error('suspended'));
        });
      return 'pass';
    });
    await expect(apply(applyRequest(proxy.uri, { migrations }), { signal: order.signal })).rejects.toThrow(
      'suspended',
    );
    await untilBackendsAreGone();
    await proxy.close();
    expect(await db.query("select to_regclass('public.slow') as slow")).toEqual([{ slow: null }]);
    releaseOf(await apply(applyRequest(db.uri)));
    await expectAppliedOnce();
  });
});
