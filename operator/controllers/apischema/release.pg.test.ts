import pg from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf } from '../../testing/applyFixture.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import type { ApplyRequest } from './applyRequest.ts';

let db: TestDatabase;
let reader: string;
beforeEach(async () => {
  db = await createTestDatabase();
  reader = `r_${new URL(db.uri).username}`;
  await db.query(`create role ${reader} nologin`);
});
afterEach(async () => {
  await db.drop();
});

const quoted = `create view api."Odd ""Näme""" as select id as "ID" from public.tasks;`;
/** One of everything that a release has to carry over. */
const everything = (role: string): string => `
  create type api.state as enum ('open', 'done');
  create type api.pair as (a int, b text);
  create domain api.positive as int check (value > 0);
  create view api.tasks with (security_invoker = true) as
    select id, title, case when done then 'done'::api.state else 'open' end as state from public.tasks;
  ${quoted}
  create function api.add(id api.positive, title text) returns void language sql begin atomic
    insert into public.tasks (id, title) values (id, title);
  end;
  create function api.open_count() returns bigint language plpgsql stable set search_path = api, pg_temp as $$
  declare
    task api.tasks%rowtype; -- api.tasks
  begin
    return (select count(*) from "api".tasks where title <> 'api.tasks' and state = 'open'::api.state);
  end $$;
  create function api.titles() returns setof text language sql stable as 'select title from api.tasks order by id';
  create procedure api.noop() language sql as 'select 1 from api.tasks';
  create aggregate api.longest(text) (sfunc = pg_catalog.text_larger, stype = text);
  create function api.on_insert() returns trigger language plpgsql as $$ begin perform api.open_count(); return new; end $$;
  create trigger on_insert instead of insert on api.tasks for each row execute function api.on_insert();
  comment on view api.tasks is 'Tasks';
  comment on column api.tasks.title is 'What to do';
  comment on function api.add(api.positive, text) is 'Adds one';
  comment on schema api is 'The API';
  revoke execute on function api.add(api.positive, text) from public;
  grant usage on schema api to ${role};
  grant select (id, title) on api.tasks to ${role};
  grant execute on function api.add(api.positive, text) to ${role};
`;

/** What pg_catalog prints of a schema, with its name taken out. */
async function describeSchema(database: TestDatabase, schema: string): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `select format('%s %s %s %s %s', c.relname, c.relkind, c.reloptions, c.relacl, obj_description(c.oid, 'pg_class'))
            || case when c.relkind = 'v' then pg_get_viewdef(c.oid) else '' end as line
       from pg_class c where c.relnamespace = $1::regnamespace
     union all
     select format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attacl,
                   col_description(c.oid, a.attnum))
       from pg_class c join pg_attribute a on a.attrelid = c.oid where c.relnamespace = $1::regnamespace and a.attnum > 0
     union all
     select format('%s %s %s %s', p.oid::regprocedure, p.proacl, obj_description(p.oid, 'pg_proc'),
                   case when p.prokind <> 'a' then pg_get_functiondef(p.oid) end)
       from pg_proc p where p.pronamespace = $1::regnamespace and p.proname not like 'pgrst_sentinel_%'
     union all
     select format('%s %s %s', t.oid::regtype, t.typtype, (select string_agg(enumlabel, ',') from pg_enum where enumtypid = t.oid))
       from pg_type t where t.typnamespace = $1::regnamespace
     union all
     select format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled)
       from pg_trigger t join pg_class c on c.oid = t.tgrelid where c.relnamespace = $1::regnamespace
     union all
     select format('%s %s', nspacl, obj_description(oid, 'pg_namespace')) from pg_namespace where oid = $1::regnamespace
     order by 1`,
    [schema],
  );
  return rows.map(({ line }) => line.replaceAll(schema, 'THE_SCHEMA')).sort();
}

describe('a release', () => {
  test('is what psql would have built, under another name', async () => {
    const request = applyRequest(db.uri, { apiSql: everything(reader) });
    const id = releaseOf(await apply(request));
    // The same by hand, in the same database, so that owner and oids of types beneath are the same.
    await db.query(`create schema api; ${everything(reader)}`);
    const [published, byHand] = [await describeSchema(db, `api_${id}`), await describeSchema(db, 'api')];
    expect(published.join('\n')).toContain(
      'select count(*) from "THE_SCHEMA".tasks where title <> \'api.tasks\'',
    );
    const comparable = byHand.map((line) =>
      line.replaceAll("'THE_SCHEMA.tasks'", "'api.tasks'").replaceAll('-- THE_SCHEMA.tasks', '-- api.tasks'),
    );
    expect(published).toEqual(comparable);
  });

  test('works when no schema has the name that the SQL uses', async () => {
    const id = releaseOf(await apply(applyRequest(db.uri, { apiSql: everything(reader) })));
    expect(await db.query("select to_regnamespace('api') as api")).toEqual([{ api: null }]);
    const release = `api_${id}`;
    await db.query(`select ${release}.add(3, 'run')`);
    expect(await db.query(`select ${release}.open_count() as n`)).toEqual([{ n: '3' }]);
    expect(await db.query(`select ${release}.titles() as title`)).toEqual([
      { title: 'write' },
      { title: 'read' },
      { title: 'run' },
    ]);
    await db.query(`call ${release}.noop()`);
    await db.query(`insert into ${release}.tasks (id, title) values (9, 'x')`);
    expect(await db.query(`select count(*)::int as n from ${release}."Odd ""Näme"""`)).toEqual([{ n: 3 }]);
  });

  test('carries its sentinel: a stable function without arguments that PUBLIC may not call', async () => {
    const id = releaseOf(await apply(applyRequest(db.uri)));
    const rows = await db.query(
      `select pronargs, provolatile, prorettype::regtype::text as returns,
              has_function_privilege('${reader}', p.oid, 'execute') as may
         from pg_proc p where proname = 'pgrst_sentinel_${id}' and pronamespace = 'api_${id}'::regnamespace`,
    );
    expect(rows).toEqual([{ pronargs: 0, provolatile: 's', returns: 'text', may: false }]);
    expect(await db.query(`select api_${id}.pgrst_sentinel_${id}() as answer`)).toEqual([{ answer: id }]);
  });

  test('gives back its name to a schema that had it before', async () => {
    await db.query(`create schema api; create view api.old as select 'old' as what`);
    const id = releaseOf(await apply(applyRequest(db.uri)));
    expect(await db.query('select what from api.old')).toEqual([{ what: 'old' }]);
    expect(await db.query(`select count(*)::int as n from api_${id}.tasks`)).toEqual([{ n: 2 }]);
  });

  test('tells where a name in a string could not be mapped', async () => {
    const apiSql = `create view api.tasks as select 1 as x;
      create function api.dynamic() returns int language plpgsql as $$
      begin
        execute 'select x from api.tasks';
        return 1;
      end $$;`;
    const result = await apply(applyRequest(db.uri, { apiSql }));
    const id = releaseOf(result);
    expect(result).toMatchObject({
      unmapped: [{ object: `api_${id}.dynamic()`, line: 3, kind: 'string' }],
    });
  });
});

describe('while a release is being built', () => {
  test('readers of the older release, and of the schema that has the name, see nothing of it', async () => {
    await db.query(`create schema api; create view api.old as select 'old' as what`);
    const first = releaseOf(await apply(applyRequest(db.uri)));
    // The build waits for this lock, in the middle of its transaction.
    const gate = new pg.Client({ connectionString: db.uri });
    await gate.connect();
    await gate.query('select pg_advisory_lock(4711)');
    const apiSql = `create view api.tasks as select id from public.tasks where id = 1; select pg_advisory_xact_lock(4711);`;
    const building = apply(applyRequest(db.uri, { apiSql }), {
      patience: { lockTimeoutMs: 20_000, retryDelaysMs: [] },
    });
    await untilWaitingFor(gate, 4711);
    for (let round = 0; round < 5; round += 1) {
      expect(await db.query('select what from api.old')).toEqual([{ what: 'old' }]);
      expect(await db.query(`select count(*)::int as n from api_${first}.tasks`)).toEqual([{ n: 2 }]);
      await db.query(
        `insert into public.tasks values (${String(100 + round)}, 'x'); delete from public.tasks where id >= 100`,
      );
    }
    await gate.query('select pg_advisory_unlock(4711)');
    const second = releaseOf(await building);
    await gate.end();
    expect(await db.query(`select id from api_${second}.tasks`)).toEqual([{ id: 1 }]);
    expect(await db.query(`select count(*)::int as n from api_${first}.tasks`)).toEqual([{ n: 2 }]);
    expect(await db.query('select what from api.old')).toEqual([{ what: 'old' }]);
  });

  test('an error leaves nothing behind, and says where it is', async () => {
    await db.query(`create schema api; create view api.old as select 'old' as what`);
    const first = releaseOf(await apply(applyRequest(db.uri)));
    const apiSql = `create view api.tasks as select id from public.tasks;\n\ncreate view api.é as\n  select nosuch from api.tasks`;
    const result = await apply(applyRequest(db.uri, { apiSql }));
    expect(result).toMatchObject({
      kind: 'blocked',
      reason: 'ApiBuildFailed',
      error: { statement: 2, line: 4, sqlstate: '42703', message: 'column "nosuch" does not exist' },
      summary: { release: { id: first }, migrations: { applied: 2, pending: 0 } },
    });
    expect(
      await db.query("select nspname as name from pg_namespace where nspname like 'api%' order by 1"),
    ).toEqual([{ name: 'api' }, { name: `api_${first}` }]);
    expect(await db.query('select what from api.old')).toEqual([{ what: 'old' }]);
  });
});

async function untilWaitingFor(client: pg.Client, key: number): Promise<void> {
  for (;;) {
    const { rowCount } = await client.query(
      "select from pg_locks where locktype = 'advisory' and not granted and objid = $1",
      [key],
    );
    if (rowCount === 1) return;
  }
}

describe('a build that PostgREST could not tell from the release that is served', () => {
  const more = (...sql: string[]): ApplyRequest['migrations'] => [
    ...applyRequest('').migrations,
    ...sql.map((each, index) => ({ name: `1${String(index)}-more`, sql: each })),
  ];

  test.each([
    { what: 'an index', changes: { migrations: more('create index on public.tasks (title)') } },
    {
      what: 'a column that no view shows',
      changes: { migrations: more('alter table public.tasks add note text') },
    },
    { what: 'a comment in the SQL', changes: { apiSql: `-- better\n${applyRequest('').apiSql}` } },
  ])('is thrown away: $what', async ({ changes }) => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    expect(releaseOf(await apply(applyRequest(db.uri, changes)))).toBe(first);
    expect(await db.query("select count(*)::int as n from pg_namespace where nspname like 'api%'")).toEqual([
      { n: 1 },
    ]);
    const builds = await db.query('select same_as from pgrst_ledger.releases order by built_at');
    expect(builds).toEqual([{ same_as: null }, { same_as: first }]);
    // And again it only reads.
    expect(releaseOf(await apply(applyRequest(db.uri, changes)))).toBe(first);
  });

  test.each([
    {
      what: 'a foreign key under a view',
      changes: {
        migrations: more(
          'create table public.owners (id int primary key)',
          'alter table public.tasks add foreign key (id) references public.owners not valid',
        ),
      },
    },
    {
      what: 'a comment on a view',
      changes: { apiSql: `${applyRequest('').apiSql} comment on view api.tasks is 'x'` },
    },
    {
      what: 'a grant',
      changes: { apiSql: `${applyRequest('').apiSql} grant select on api.tasks to public` },
    },
    {
      what: 'an option of a view',
      changes: {
        apiSql: 'create view api.tasks with (security_barrier) as select id, title, done from public.tasks',
      },
    },
    {
      what: 'the order of columns',
      changes: { apiSql: 'create view api.tasks as select title, id, done from public.tasks' },
    },
    {
      what: 'a function',
      changes: {
        apiSql: `${applyRequest('').apiSql} create function api.f() returns int language sql return 1;`,
      },
    },
    {
      what: 'an operator',
      changes: {
        apiSql: `${applyRequest('').apiSql} create operator api.=== (leftarg = int, rightarg = int, function = int4eq);`,
      },
    },
  ])('is not one that differs in $what', async ({ changes }) => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    expect(releaseOf(await apply(applyRequest(db.uri, changes)))).not.toBe(first);
  });

  test('is not one whose functions return rows with another column', async () => {
    const apiSql = `create function api.all_tasks() returns setof public.tasks language plpgsql as $$ begin return; end $$`;
    const first = releaseOf(await apply(applyRequest(db.uri, { apiSql })));
    const migrations = more('alter table public.tasks add note text');
    expect(releaseOf(await apply(applyRequest(db.uri, { apiSql, migrations })))).not.toBe(first);
  });

  test('going back to an older API SQL serves the release that is still there', async () => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    const apiSql = 'create view api.tasks as select id from public.tasks';
    const second = releaseOf(await apply(applyRequest(db.uri, { apiSql })));
    expect(second).not.toBe(first);
    const built: string[] = [];
    const result = await apply(applyRequest(db.uri), { onProgress: ({ phase }) => built.push(phase) });
    expect(releaseOf(result)).toBe(first);
    expect(built).toEqual([]);
    expect(result).toMatchObject({ summary: { releases: [{ id: second }, { id: first }] } });
  });

  test('a release whose schema somebody dropped is built again', async () => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    await db.query(`drop schema api_${first} cascade`);
    expect(releaseOf(await apply(applyRequest(db.uri)))).toBe(first);
    expect(await db.query(`select count(*)::int as n from api_${first}.tasks`)).toEqual([{ n: 2 }]);
  });
});

describe('API SQL that is not only the API is refused, and nothing is published', () => {
  test.each([
    [
      'a table in the schema',
      'create table api.t (x int)',
      'spec.api, statement 2 at line 1: A table holds state',
    ],
    ['a view in another schema', 'create view public.v as select 1', 'view public.v'],
    ['a grant on a table', 'grant select on public.tasks to public', 'table public.tasks'],
    ['a column grant on a table', 'grant select (id) on public.tasks to public', 'columns of public.tasks'],
    ['a grant on another schema', 'grant usage on schema public to public', 'schema public'],
    [
      'default privileges everywhere',
      'alter default privileges grant select on tables to public',
      'default privileges',
    ],
    ['a rule on a table', 'create rule r as on insert to public.tasks do also nothing', 'public.tasks'],
    ['state by way of a function', 'select public.make_table()', 'table api.made'],
    [
      'a name with two meanings',
      `create function api.f() returns int language plpgsql as $$ declare api record; begin select * into api from api.tasks; return api.id; end $$`,
      'In function api.f(), line 1 of its body, api is the name of something else',
    ],
    [
      'a parameter with the name of the schema',
      `create function api.f(api public.tasks) returns int language plpgsql as $$ begin return api.id; end $$`,
      'In function api.f(public.tasks)',
    ],
  ])('%s', async (_what, sql, says) => {
    const first = releaseOf(await apply(applyRequest(db.uri)));
    await db.query(
      `create function public.make_table() returns void language sql as 'create table api.made ()'`,
    );
    // The lint would find some of it first.
    const ignore = ['pgrst/outside-exposed-schema', 'pgrst/ambiguous-schema-name'].map((rule) => ({
      rule,
      reason: 'the build itself refuses it',
    }));
    const result = await apply(
      applyRequest(db.uri, {
        apiSql: `${applyRequest('').apiSql}${sql}`,
        lint: { ignore, failOn: 'Error' },
      }),
    );
    expect(result).toMatchObject({
      kind: 'blocked',
      reason: 'ApiSqlRefused',
      summary: { release: { id: first } },
    });
    expect(result.kind === 'blocked' && result.message).toContain(says);
    expect(await db.query("select count(*)::int as n from pg_namespace where nspname like 'api%'")).toEqual([
      { n: 1 },
    ]);
  });
});
