import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createReleaseWorld, snapshot, statementsOf, type ReleaseWorld } from '../testing/releaseWorld.ts';
import { runContraction, type ContractionResult } from './contraction.ts';
import { dryRunContraction } from './tryContractions.ts';

let world: ReleaseWorld;
beforeEach(async () => {
  world = await createReleaseWorld(
    `create table public.tasks (id int primary key, title text, due date);
     insert into public.tasks values (1, 'write', '2024-01-01'), (2, 'read', null);`,
    [
      'create view api.tasks as select id, due from public.tasks;',
      'create view api.tasks as select id, title, due from public.tasks;',
      'create view api.tasks as select id, title from public.tasks;',
    ],
  );
});
afterEach(async () => {
  await world.close();
});

const said = (result: {
  readonly kind: string;
  readonly failure?: { readonly message: string };
}): string | undefined => result.failure?.message;
const drop = 'alter table public.tasks drop column due;';

async function run(sql: string, ended: readonly number[], retryDelaysMs = [10]): Promise<ContractionResult> {
  return await runContraction(
    {
      session: world.session,
      patience: { lockTimeoutMs: 100, retryDelaysMs },
      signal: new AbortController().signal,
      onRetry: () => undefined,
    },
    {
      exposedSchema: 'api',
      name: 'c1',
      checksum: 'sum',
      position: 0,
      statements: statementsOf(sql),
      appliedBy: 'operator-1',
      ended: ended.flatMap((index) => world.releases[index] ?? []),
      releases: world.releases,
    },
  );
}

const schemas = async (): Promise<readonly string[]> =>
  (
    await world.db.query<{ name: string }>(
      "select nspname as name from pg_namespace where nspname like 'api%' order by 1",
    )
  ).map(({ name }) => name);

describe('a contraction', () => {
  test('ends exactly the releases that are named, runs its SQL and is remembered, in one transaction', async () => {
    expect(await run(drop, [0, 1])).toEqual({ kind: 'applied' });
    expect(await schemas()).toEqual(['api_00000003']);
    expect(await world.db.query('select * from public.tasks order by id')).toEqual([
      { id: 1, title: 'write' },
      { id: 2, title: 'read' },
    ]);
    expect(
      await world.db.query(
        'select exposed_schema, name, position, checksum, applied_by, ended_releases from pgrst_ledger.contractions',
      ),
    ).toEqual([
      {
        exposed_schema: 'api',
        name: 'c1',
        position: 0,
        checksum: 'sum',
        applied_by: 'operator-1',
        ended_releases: ['00000001', '00000002'],
      },
    ]);
  });

  test('that a kept release needs is refused by PostgreSQL, in a sentence that names it; nothing is changed', async () => {
    const before = await snapshot(world.db);
    expect(await run(`update public.tasks set title = 'x';\n${drop}`, [0])).toEqual({
      kind: 'refused',
      failure: {
        statement: 2,
        line: 2,
        sqlstate: '2BP01',
        message:
          'Release 00000002 needs what it takes away: view api_00000002.tasks depends on column due of table tasks. It can run when that release is no longer kept.',
      },
    });
    expect(await snapshot(world.db)).toEqual(before);
  });

  test('that several releases need names them all, whatever kind of refusal it is', async () => {
    const result = await run('alter table public.tasks alter due type timestamptz;', []);
    expect(result).toMatchObject({ kind: 'refused', failure: { sqlstate: '0A000' } });
    expect(said(result)).toMatch(/^Release 0000000[12] needs/);
    const dropped = await run('drop table public.tasks;', []);
    expect(said(dropped)).toMatch(
      /^Release 00000001, 00000002, 00000003 needs what it takes away: .* It can run when those releases are no longer kept\.$/,
    );
  });

  test('that something else needs says what to do about it', async () => {
    await world.db.query('create view public.report as select due from public.tasks');
    expect(await run(drop, [0, 1])).toMatchObject({
      kind: 'refused',
      failure: {
        message:
          'Something that stays needs what it takes away: view report depends on column due of table tasks. Drop that in the same contraction, or keep what it needs.',
      },
    });
  });

  test.each([
    ['alter table public.tasks drop column done', '42703'],
    ['drop table public.nothing', '42P01'],
    ['drop function public.nothing()', '42883'],
    ['drop type public.nothing', '42704'],
    ['drop schema nothing', '3F000'],
  ])('of what is not there says so: %s', async (sql, sqlstate) => {
    const result = await run(sql, []);
    expect(result).toMatchObject({ kind: 'refused', failure: { statement: 1, line: 1, sqlstate } });
    expect(said(result)).toMatch(
      /does not exist: it is gone already, or was never there\. Remove the statement, or write IF EXISTS\.$/,
    );
  });

  test('never ends the newest release', async () => {
    expect(await run(drop, [0, 1, 2])).toEqual({
      kind: 'refused',
      failure: {
        message:
          'Release 00000003 is the newest one: a contraction never ends it. Publish a release that does without what the contraction takes away.',
      },
    });
    expect(await schemas()).toHaveLength(3);
  });

  test('drops nothing outside of the releases that it ends', async () => {
    await world.db.query('create view public.copy as select * from api_00000001.tasks');
    expect(said(await run(drop, [0, 1]))).toMatch(
      /^These depend on the releases that it ends and would go with them: view public\.copy\. Drop them/,
    );
    expect(await schemas()).toHaveLength(3);
  });

  test.each(['alter table public.tasks drop column due cascade;', 'drop table public.tasks cascade;'])(
    'takes nothing out of a release that it does not end: %s',
    async (sql) => {
      const before = await snapshot(world.db);
      const result = await run(sql, [0]);
      expect(said(result)).toMatch(
        /^It takes something out of release 00000002.*, which it does not end: write it without CASCADE/,
      );
      expect(await snapshot(world.db)).toEqual(before);
    },
  );

  test('with a statement that runs alone is refused before anything happens', async () => {
    const result = await run('drop index concurrently public.x;', [0, 1]);
    expect(result).toMatchObject({ kind: 'refused', failure: { statement: 1, line: 1 } });
    expect(said(result)).toContain('cannot run inside a transaction');
    expect(await schemas()).toHaveLength(3);
  });

  test('whose deferred constraint fails at COMMIT is refused without a place', async () => {
    await world.db.query(
      'alter table public.tasks add parent int references public.tasks deferrable initially deferred',
    );
    const result = await run('update public.tasks set parent = 99 where id = 1;', []);
    expect(result).toMatchObject({ kind: 'refused', failure: { sqlstate: '23503' } });
    expect(result.kind === 'refused' && result.failure.statement).toBeUndefined();
  });

  test('runs once: a second run meets the ledger', async () => {
    await run(drop, [0, 1]);
    expect(await run('insert into public.tasks values (3);', [])).toMatchObject({
      kind: 'refused',
      failure: { sqlstate: '23505' },
    });
    expect(await world.db.query('select count(*)::int as n from public.tasks')).toEqual([{ n: 2 }]);
  });

  test('that meets a lock is tried again, then given up for now', async () => {
    const reader = new pg.Client({ connectionString: world.db.uri });
    await reader.connect();
    await reader.query('begin; select * from public.tasks');
    await expect(run(drop, [0, 1])).rejects.toThrow(/^LockHeld: /);
    expect(await schemas()).toHaveLength(3);
    await reader.query('rollback');
    await reader.end();
    expect(await run(drop, [0, 1])).toEqual({ kind: 'applied' });
  });
});

describe('a dry run of a contraction', () => {
  const dryRun = async (sql: string, ended: readonly number[], limits?: { readonly lockTimeoutMs: number }) =>
    await dryRunContraction(
      world.session,
      {
        name: 'c1',
        statements: statementsOf(sql),
        ended: ended.flatMap((index) => world.releases[index] ?? []),
        releases: world.releases,
      },
      ...(limits === undefined
        ? []
        : [{ statementTimeoutMs: 200, budgetMs: 10_000, maxLocks: 2000, ...limits }]),
    );

  test('fits without the releases that need it, and leaves nothing behind', async () => {
    const before = await snapshot(world.db);
    expect(await dryRun(drop, [0, 1])).toEqual({ kind: 'fits' });
    expect(await snapshot(world.db)).toEqual(before);
  });

  test('names the releases that stand against it', async () => {
    expect(said(await dryRun('drop table public.tasks cascade;', [0, 1]))).toMatch(
      /^It takes something out of release 00000003/,
    );
    expect(said(await dryRun(drop, [1]))).toMatch(/^Release 00000001 needs what it takes away/);
  });

  test('gives up soon where somebody holds a lock, or a statement takes long', async () => {
    const reader = new pg.Client({ connectionString: world.db.uri });
    await reader.connect();
    await reader.query('begin; select * from public.tasks');
    expect(await dryRun(drop, [0, 1], { lockTimeoutMs: 50 })).toEqual({
      kind: 'unknown',
      message:
        'the dry run ended because somebody holds a lock for longer than 50 ms (statement 1 at line 1)',
    });
    await reader.query('rollback');
    await reader.end();
    expect(await dryRun('select pg_sleep(60);', [], { lockTimeoutMs: 50 })).toEqual({
      kind: 'unknown',
      message: 'the dry run ended because a statement takes longer than 200 ms (statement 1 at line 1)',
    });
    expect(await dryRun(drop, [0, 1])).toEqual({ kind: 'fits' });
  });
});
