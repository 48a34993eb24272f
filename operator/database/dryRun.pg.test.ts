import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlanWorld, planIn, type PlanInput } from '../testing/planFixture.ts';
import { snapshot, type ReleaseWorld } from '../testing/releaseWorld.ts';
import type { RunPlan } from './runPlan.ts';

let world: ReleaseWorld;
beforeAll(async () => {
  world = await createPlanWorld();
});
afterAll(async () => {
  await world.close();
});

const plan = (input: PlanInput): Promise<RunPlan> => planIn(world, input);

/** `m1 1: AccessExclusiveLock public.tasks; rewrites public.tasks`, for each statement. */
function effects({ statements }: RunPlan): readonly string[] {
  return statements.map(({ source, number, locks, rewrites }) => {
    const taken = locks.map(({ relation, mode }) => `${mode} ${relation}`);
    const written = rewrites.map((relation) => `rewrites ${relation}`);
    return `${source} ${String(number)}: ${[...taken, ...written].join('; ')}`;
  });
}

describe('a plan says of each statement', () => {
  test.each([
    ['alter table public.tasks add column done boolean', 'AccessExclusiveLock public.tasks'],
    [
      'alter table public.tasks add column done boolean not null default false',
      'AccessExclusiveLock public.tasks',
    ],
    [
      'alter table public.tasks add column at timestamptz default clock_timestamp()',
      'AccessExclusiveLock public.tasks; rewrites public.tasks',
    ],
    [
      'alter table public.lists alter column id type bigint',
      'AccessExclusiveLock public.lists; rewrites public.lists',
    ],
    ['create index on public.tasks (title)', 'ShareLock public.tasks'],
    [
      'create trigger t before insert on public.tasks for each row execute function suppress_redundant_updates_trigger()',
      'ShareRowExclusiveLock public.tasks',
    ],
    [
      'alter table public.tasks add constraint c check (id > 0) not valid',
      'AccessExclusiveLock public.tasks',
    ],
    ['create view public.v as select * from public.tasks', ''],
    ['insert into public.tasks values (3)', ''],
    ['create table public.other (id int); alter table public.other add column a int', ''],
    ['truncate public.lists', 'AccessExclusiveLock public.lists'],
    ['cluster public.lists using lists_pkey', 'AccessExclusiveLock public.lists; rewrites public.lists'],
  ])('which locks it takes and what it rewrites: %s', async (sql, expected) => {
    expect(effects(await plan({ migrations: [sql] }))[0]).toBe(`m1 1: ${expected}`);
  });

  test('a foreign key locks both tables, and a lock counts once', async () => {
    const foreign =
      'alter table public.tasks add list int references public.lists; alter table public.tasks add a int';
    expect(effects(await plan({ migrations: [foreign] }))).toEqual([
      'm1 1: AccessExclusiveLock public.tasks; ShareRowExclusiveLock public.lists',
      'm1 2: ',
    ]);
  });

  test('what runs alone with the locks that PostgreSQL documents, and does not try it', async () => {
    const { statements, problems } = await plan({
      migrations: [
        "create index concurrently i on public.tasks (title); create type public.mood as enum ('a');",
        'drop index concurrently public.i;',
      ],
    });
    expect(statements.map(({ isTried, transaction, locks }) => ({ isTried, transaction, locks }))).toEqual([
      {
        isTried: false,
        transaction: false,
        locks: [{ relation: 'public.tasks', mode: 'ShareUpdateExclusiveLock' }],
      },
      { isTried: true, transaction: true, locks: [] },
      {
        isTried: false,
        transaction: false,
        locks: [{ relation: 'public.i', mode: 'ShareUpdateExclusiveLock' }],
      },
    ]);
    expect(problems).toEqual([]);
  });

  test('its text without its constants', async () => {
    const { statements } = await plan({ migrations: ["insert into public.tasks values (3, 'secret')"] });
    expect(statements.map(({ text }) => text)).toEqual(['insert into public.tasks values (?, ?)']);
  });

  test('under a search_path and a role of its own as well', async () => {
    const sql = `set search_path = public; create table pg_locks (a int); set search_path = public, pg_catalog;
      alter table tasks add column a int`;
    expect(effects(await plan({ migrations: [sql] })).at(-1)).toBe('m1 4: AccessExclusiveLock public.tasks');
  });
});

describe('a plan', () => {
  test('leaves the database as it was, but for the numbers of sequences', async () => {
    const before = await snapshot(world.db);
    const result = await plan({
      migrations: [
        `create role ${new URL(world.db.uri).username}_r; create schema more; create table more.t (id int);
         insert into public.tasks values (3, 'run'); alter table public.lists alter id type bigint;
         select nextval('public.numbers'); notify pgrst, 'reload schema'; listen x; set statement_timeout = 0;
         create temp table scratch (a int)`,
      ],
      api: 'create view api.tasks as select id, title from public.tasks; create view api.more as select * from more.t;',
      contractions: ['alter table public.tasks drop column due'],
    });
    expect(result.problems).toEqual([]);
    expect(await snapshot(world.db)).toEqual(before);
    // It ran twice: once before the contraction, once after it.
    expect(await world.db.query("select nextval('public.numbers')::int as n")).toEqual([{ n: 3 }]);
    const [settings] = await world.session.query(
      "select current_setting('statement_timeout') as a, current_setting('lock_timeout') as b, current_setting('search_path') as c",
    );
    expect(settings).toEqual({ a: '0', b: '500ms', c: 'pg_catalog, pg_temp' });
  });

  test('shows what clients gain and lose', async () => {
    const { api } = await plan({
      migrations: ['alter table public.tasks add column done boolean'],
      api: 'create view api.tasks as select id, title, done from public.tasks;',
    });
    expect(api?.map(({ kind, name, change, breaking }) => ({ kind, name, change, breaking }))).toEqual(
      expect.arrayContaining([
        { kind: 'column', name: 'tasks.due', change: 'removed', breaking: true },
        { kind: 'column', name: 'tasks.done', change: 'added', breaking: false },
      ]),
    );
    expect((await plan({})).api).toEqual([]);
  });

  test('ends at the first statement that fails, and says where', async () => {
    const result = await plan({
      migrations: [
        'create table public.a (id int)',
        'create table public.b (id int);\nalter table nothing add a int',
        'select 1',
      ],
    });
    expect(result.failure).toEqual({
      source: 'm2',
      statement: 2,
      line: 2,
      sqlstate: '42P01',
      message: 'relation "nothing" does not exist',
    });
    expect(result.problems).toEqual([
      'Migration m2, statement 2 at line 2 (SQLSTATE 42P01): relation "nothing" does not exist. What comes after it was not tried.',
    ]);
    expect(result.statements.map(({ isTried }) => isTried)).toEqual([true, true, false, false]);
    expect(result.api).toBeUndefined();
  });

  test('doubts a failure after a statement that was left out', async () => {
    const { problems } = await plan({
      migrations: [
        "create type public.mood as enum ('a')",
        "alter type public.mood add value 'b'; select 'b'::public.mood",
      ],
    });
    expect(problems[0]).toContain(
      'Statement 1 of migration m2 runs outside of a transaction and was not tried, which may be the cause.',
    );
  });

  test('finds what the API SQL must not do, and what fails in it', async () => {
    const refused = await plan({
      migrations: ['create table public.a (id int)'],
      api: 'create view public.v as select 1 as a;',
    });
    expect(refused.problems[0]).toMatch(
      /^spec\.api: The API SQL creates or changes what lies outside of schema api/,
    );
    const failed = await plan({ api: 'create view api.v as\nselect nothing from public.tasks;' });
    expect(failed.failure).toMatchObject({ source: 'api', statement: 1, line: 2, sqlstate: '42703' });
  });

  test('is not confused by what the migrations before the API wrote', async () => {
    const { problems } = await plan({ migrations: ['create schema more; create table more.t (id int)'] });
    expect(problems).toEqual([]);
  });

  test('checks what is put off until COMMIT after each migration, and puts it off again', async () => {
    const fine = await plan({
      migrations: [
        'insert into public.tasks values (5, null, null, 6); insert into public.tasks values (6)',
        'alter table public.tasks add column a int',
        'insert into public.tasks (id, parent) values (7, 8); insert into public.tasks (id) values (8)',
      ],
    });
    expect(fine.problems).toEqual([]);
    const broken = await plan({ migrations: ['insert into public.tasks (id, parent) values (5, 6)'] });
    expect(broken.failure).toMatchObject({ source: 'm1', sqlstate: '23503' });
    expect(broken.failure?.statement).toBeUndefined();
  });

  test('does before the migrations what the real run does, and says when that cannot be', async () => {
    const { problems } = await plan({
      prepare: async (session) => {
        await session.query('create table public.prepared (id int)');
        return undefined;
      },
      migrations: ['alter table public.prepared add column a int'],
    });
    expect(problems).toEqual([]);
    expect((await plan({ prepare: () => Promise.resolve('No.') })).problems).toEqual(['No.']);
    const denied = await plan({
      prepare: async (session) => {
        await session.query('create role postgres');
        return undefined;
      },
    });
    expect(denied.problems).toEqual([
      'What comes before the migrations: role "postgres" already exists. What comes after it was not tried.',
    ]);
  });

  test('keeps nobody waiting for long', async () => {
    const reader = new pg.Client({ connectionString: world.db.uri });
    await reader.connect();
    await reader.query('begin; select * from public.tasks');
    const blocked = await plan({
      migrations: ['alter table public.tasks add a int'],
      limits: { lockTimeoutMs: 50 },
    });
    await reader.query('rollback');
    await reader.end();
    expect(blocked.problems).toEqual([
      'Migration m1: the dry run ended because somebody holds a lock for longer than 50 ms (statement 1 at line 1). What comes after it was not tried.',
    ]);
    const long = await plan({ migrations: ['select pg_sleep(60)'], limits: { statementTimeoutMs: 50 } });
    expect(long.problems[0]).toContain('a statement takes longer than 50 ms (statement 1 at line 1)');
    const many = await plan({
      migrations: ['create table public.a (id int)', 'select 1'],
      limits: { maxLocks: 1 },
    });
    expect(many.problems[0]).toContain('too many locks');
    const late = await plan({ migrations: ['select pg_sleep(0.1)', 'select 1'], limits: { budgetMs: 50 } });
    expect(late.problems[0]).toMatch(/^Migration m2: the dry run ended after 0\.05 s\. /);
  });
});
