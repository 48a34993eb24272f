import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMentions } from '../migration/findMentions.ts';
import { createReleaseWorld, readingOf, type ReleaseWorld } from '../testing/releaseWorld.ts';
import { surveyContraction } from './surveyContraction.ts';

const tables = `
  create type public.state as enum ('open', 'done');
  create domain public.word as text;
  create table public.tasks (id int primary key, title public.word, due date, state public.state default 'open', note text);
  create table public.lists (id int primary key, due date);
  create index by_note on public.tasks (note);
  create view public.open_tasks as select id, title, due from public.tasks where state = 'open';
  create function public.is_late(d date) returns boolean language sql as 'select d < current_date';
  create function public.is_late(d timestamptz) returns boolean language sql as 'select d < now()';
  create function public.on_task() returns trigger language plpgsql as 'begin new.note := upper(new.note); return new; end';
  create trigger on_task before insert on public.tasks for each row execute function public.on_task();
`;

/** What each release has; the survey says by their names which need what is taken away. */
const releases = {
  view: 'create view api.tasks as select id, due from public.tasks;',
  narrow: 'create view api.tasks as select id from public.tasks;',
  viewOverView: 'create view api.tasks as select id, due from public.open_tasks;',
  wholeRow: 'create view api.tasks as select t.id, to_json(t.*) as task from public.tasks t;',
  atomic:
    'create function api.late() returns bigint begin atomic select count(*) from public.tasks where due < now(); end;',
  plpgsql: `create function api.late() returns void language plpgsql as
    'begin update public.tasks set due = null where id = 1; end';`,
  dynamic: `create function api.late() returns void language plpgsql as
    $$begin execute 'update public.tasks set due = null'; end$$;`,
  starred:
    "create function api.first() returns json language sql as 'select to_json(x) from (select * from public.tasks) x';",
  rows: "create function api.all() returns setof public.tasks language sql as 'select null::public.tasks where false';",
  lists: `create function api.late() returns bigint language sql as 'select count(*) from public.lists where due < now()';
    create view api.lists as select * from public.lists;`,
  typed: "create function api.by_state(s public.state) returns int language sql as 'select 1';",
  caller: 'create view api.late as select id from public.lists where public.is_late(due);',
  instead: `create view api.x as select 1 as a;
    create trigger t instead of insert on api.x for each row execute function public.on_task();`,
} as const;
const names = Object.keys(releases);

let world: ReleaseWorld;
beforeAll(async () => {
  world = await createReleaseWorld(tables, Object.values(releases));
});
afterAll(async () => {
  await world.close();
});

async function survey(sql: string, newest?: keyof typeof releases) {
  return await surveyContraction(
    world.session,
    {
      targets: readingOf(sql).targets,
      releases: world.releases,
      ...(newest === undefined ? {} : { newest: world.releases[names.indexOf(newest)]?.id ?? '' }),
    },
    (bodies, targets) => Promise.resolve(findMentions(bodies, targets)),
  );
}

async function needing(sql: string, newest?: keyof typeof releases): Promise<readonly string[]> {
  const { needs } = await survey(sql, newest);
  const ids = new Set(needs.map(({ release }) => release));
  return names.filter((_, index) => ids.has(world.releases[index]?.id ?? ''));
}

describe('who needs what a contraction takes away', () => {
  test.each([
    [
      'drop column',
      'alter table public.tasks drop column due',
      ['view', 'viewOverView', 'wholeRow', 'atomic', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    [
      'drop column, found on the search_path',
      'alter table tasks drop column due',
      ['view', 'viewOverView', 'wholeRow', 'atomic', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    ['another column', 'alter table tasks drop column note', ['wholeRow', 'starred', 'rows']],
    ['a column that is not there', 'alter table tasks drop column nothing', ['starred']],
    [
      'type of a column',
      'alter table tasks alter due type timestamptz',
      ['view', 'viewOverView', 'wholeRow', 'atomic', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    [
      'rename of a column: what is kept by oid follows',
      'alter table tasks rename due to deadline',
      ['wholeRow', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    [
      'drop table',
      'drop table public.tasks cascade',
      ['view', 'narrow', 'viewOverView', 'wholeRow', 'atomic', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    ['rename of a table', 'alter table tasks rename to todos', ['plpgsql', 'dynamic', 'starred', 'rows']],
    ['another table of that column', 'alter table lists drop column due', ['lists', 'caller']],
    ['drop view', 'drop view public.open_tasks', ['viewOverView']],
    ['drop type', 'drop type public.state cascade', ['viewOverView', 'wholeRow', 'rows', 'typed']],
    ['drop function, by its arguments', 'drop function is_late(date)', ['caller']],
    ['drop function that nobody calls', 'drop function public.is_late(timestamptz)', []],
    [
      'drop trigger function',
      'drop function public.on_task() cascade',
      ['view', 'narrow', 'viewOverView', 'wholeRow', 'atomic', 'rows', 'instead'],
    ],
    [
      'drop schema',
      'drop schema public cascade',
      [
        'view',
        'narrow',
        'viewOverView',
        'wholeRow',
        'atomic',
        'plpgsql',
        'dynamic',
        'starred',
        'rows',
        'lists',
        'typed',
        'caller',
        'instead',
      ],
    ],
    ['drop index', 'drop index public.by_note', []],
    [
      'drop trigger',
      'drop trigger on_task on public.tasks',
      ['view', 'narrow', 'viewOverView', 'wholeRow', 'atomic', 'plpgsql', 'dynamic', 'starred', 'rows'],
    ],
    ['revoke', 'revoke select on public.lists from public', ['lists', 'caller']],
  ])('%s', async (_, sql, expected) => {
    expect(await needing(sql)).toEqual(expected);
  });

  test('NOT NULL stands in the way of functions that write, and of views', async () => {
    const found = await needing('alter table tasks alter due set not null');
    expect(found).toEqual(expect.arrayContaining(['view', 'narrow', 'plpgsql', 'dynamic']));
    expect(found).not.toContain('starred');
    expect(found).not.toContain('lists');
  });

  test.each([
    ['view', 'alter table tasks drop column due', true],
    ['view', 'alter table tasks alter due type timestamptz', true],
    ['plpgsql', 'alter table tasks drop column due', true],
    ['plpgsql', 'alter table tasks rename due to deadline', true],
    ['caller', 'drop function is_late(date)', true],
    ['typed', 'drop type state cascade', true],
    ['view', 'alter table tasks alter due set not null', false],
    ['view', 'drop trigger on_task on tasks', false],
    ['view', 'revoke select on tasks from public', false],
    ['starred', 'alter table tasks drop column due', false],
    ['rows', 'alter table tasks drop column due', false],
    ['wholeRow', 'alter table tasks drop column due', false],
  ] as const)('of the newest release only what is sure counts: %s, %s', async (name, sql, expected) => {
    expect((await needing(sql, name)).includes(name)).toBe(expected);
    expect(await needing(sql, 'lists')).toContain(name);
  });

  test('each need names the object, how it is known, and what it needs', async () => {
    const { needs } = await survey('alter table public.tasks drop column due');
    const of = (name: string) =>
      needs.filter(({ release }) => release === world.releases[names.indexOf(name)]?.id);
    const what = 'column due of public.tasks';
    expect(of('view')).toEqual([
      { release: '00000001', object: 'view api_00000001.tasks', how: 'depends', what },
    ]);
    expect(of('plpgsql')).toEqual([
      { release: '00000006', object: 'function api_00000006.late()', how: 'mentions', what },
    ]);
  });

  test('a function outside of the releases whose body names it is told apart', async () => {
    const { outside } = await survey('alter table public.tasks drop column note');
    expect(outside).toEqual([
      { object: 'function public.on_task()', how: 'mentions', what: 'column note of public.tasks' },
    ]);
  });

  test('nobody waits for it: it works while the table is locked, and locks nothing', async () => {
    const other = new pg.Client({ connectionString: world.db.uri });
    await other.connect();
    await other.query('begin; lock table public.tasks in access exclusive mode');
    expect(await needing('alter table public.lists drop column due')).toEqual(['lists', 'caller']);
    expect((await needing('drop table public.tasks')).length).toBeGreaterThan(5);
    await other.query('rollback');
    await other.end();
    const [settings] = await world.session.query<{ path: string }>(
      "select current_setting('search_path') as path",
    );
    expect(settings?.path).toBe('pg_catalog, pg_temp');
  });
});
