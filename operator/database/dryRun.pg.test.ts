import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sentinelName } from '../migration/checksum.ts';
import { diffApi } from '../migration/apiDiff.ts';
import { findMentions } from '../migration/findMentions.ts';
import { maskConstants } from '../migration/maskConstants.ts';
import {
  createReleaseWorld,
  readingOf,
  snapshot,
  statementsOf,
  type ReleaseWorld,
} from '../testing/releaseWorld.ts';
import { planRun } from './dryRun.ts';
import type { PlanRequest, RunPlan } from './runPlan.ts';
import { trialLimits, type TrialLimits } from './trial.ts';

const firstApi = 'create view api.tasks as select id, title, due from public.tasks;';

// One database for all: a plan leaves it as it was.
let world: ReleaseWorld;
beforeAll(async () => {
  world = await createReleaseWorld(
    `create table public.tasks (id int primary key, title text, due date,
       parent int references public.tasks deferrable initially deferred);
     create table public.lists (id int primary key);
     create sequence public.numbers;
     insert into public.tasks values (1, 'write', '2024-01-01'), (2, 'read', null);`,
    [firstApi],
  );
});
afterAll(async () => {
  await world.close();
});

interface PlanInput {
  readonly migrations?: readonly string[];
  readonly api?: string;
  readonly contractions?: readonly string[];
  readonly limits?: Partial<TrialLimits>;
  readonly prepare?: PlanRequest['prepare'];
}

/** Plans migrations `m1`, `m2`, ..., an API, and contractions `c1`, `c2`, ... */
async function plan({
  migrations = [],
  api = firstApi,
  contractions = [],
  limits = {},
  prepare = () => Promise.resolve(undefined),
}: PlanInput): Promise<RunPlan> {
  return await planRun(
    world.session,
    {
      exposedSchema: 'api',
      inUse: new Set(),
      sentinelOf: sentinelName,
      migrations: migrations.map((sql, index) => ({
        name: `m${String(index + 1)}`,
        statements: statementsOf(sql),
      })),
      api: statementsOf(api),
      current: world.releases.at(-1),
      contractions: contractions.map((sql, index) => ({
        name: `c${String(index + 1)}`,
        statements: statementsOf(sql),
        ...readingOf(sql),
      })),
      releases: world.releases,
      prepare,
    },
    {
      findMentions: (bodies, targets) => Promise.resolve(findMentions(bodies, targets)),
      maskConstants: (statements) => Promise.resolve(statements.map(maskConstants)),
      diffApi: (before, after) => Promise.resolve(diffApi(before, after)),
    },
    { ...trialLimits, ...limits },
  );
}

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

describe('contractions in a plan', () => {
  const drop = 'alter table public.tasks drop column due';
  const without = 'create view api.tasks as select id, title from public.tasks;';

  test('are tried without the releases that need what they take away', async () => {
    const { contractions, problems, statements } = await plan({ api: without, contractions: [drop] });
    expect(problems).toEqual([]);
    expect(contractions).toEqual([
      {
        name: 'c1',
        fits: true,
        opaque: [],
        outside: [],
        needs: [
          {
            release: '00000001',
            object: 'view api_00000001.tasks',
            how: 'depends',
            what: 'column due of public.tasks',
          },
        ],
      },
    ]);
    expect(statements.map(({ source, isTried }) => ({ source, isTried }))).toEqual([
      { source: 'c1', isTried: true },
    ]);
  });

  test('that the API SQL of the spec itself needs are a problem', async () => {
    const { contractions, problems } = await plan({
      api: `${without} create view api.late as select id from public.tasks where due < now();`,
      contractions: [drop],
    });
    expect(contractions[0]?.fits).toBe(false);
    expect(problems).toEqual([
      'Contraction c1: the API SQL of this spec needs what it takes away: view api.late depends on column due of public.tasks.',
      expect.stringMatching(
        /^Contraction c1, statement 1 at line 1 \(SQLSTATE 2BP01\): Release to be built needs/,
      ),
    ]);
    const body = await plan({
      api: `${without} create function api.late() returns void language plpgsql as
        'begin update public.tasks set due = null; end';`,
      contractions: [drop],
    });
    expect(body.problems).toEqual([
      'Contraction c1: the API SQL of this spec needs what it takes away: function api.late() mentions column due of public.tasks.',
    ]);
  });

  test('that the newest release needs, and no new one replaces, are a problem', async () => {
    const { problems } = await plan({ contractions: [drop] });
    expect(problems[0]).toContain('needs what it takes away');
  });

  test('that a pending migration does not survive in the other order are a problem', async () => {
    const { problems, contractions } = await plan({
      api: without,
      migrations: ['update public.tasks set title = due::text where due is not null'],
      contractions: [drop],
    });
    expect(contractions[0]?.fits).toBe(true);
    expect(problems).toEqual([
      'Migration m1, statement 1 at line 1 (SQLSTATE 42703): column "due" does not exist. That is so once contraction c1 has run, and it may come first in another database: write both so that either order works.',
    ]);
  });

  test('that take away what a pending migration makes have but one order', async () => {
    const { problems, contractions } = await plan({
      migrations: ['create table public.scratch (id int)'],
      contractions: ['drop table public.scratch'],
    });
    expect(problems).toEqual([]);
    expect(contractions[0]?.fits).toBe(true);
  });

  test('each are tried, also after one that fails', async () => {
    const { problems, contractions } = await plan({
      contractions: ['drop table public.nothing', 'drop table public.lists', 'vacuum'],
    });
    expect(contractions.map(({ fits }) => fits)).toEqual([false, true, false]);
    expect(problems).toEqual([
      'Contraction c1, statement 1 at line 1 (SQLSTATE 42P01): table "nothing" does not exist: it is gone already, or was never there. Remove the statement, or write IF EXISTS.',
      expect.stringMatching(
        /^Contraction c3, statement 1 at line 1: The statement cannot run inside a transaction/,
      ),
    ]);
  });
});
