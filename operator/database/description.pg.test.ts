import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import { describeChange, describeSchema, fingerprintOf, type DescribedSchema } from './description.ts';
import { openSession, type Session } from './session.ts';

let db: TestDatabase;
let session: Session;
beforeEach(async () => {
  db = await createTestDatabase();
  session = await openSession({
    uri: db.uri,
    applicationName: 'postgrest-operator description test',
    signal: new AbortController().signal,
    lockTimeoutMs: 2000,
  });
  await db.query('create table public.tasks (id int primary key, title text not null, "Due" date)');
});
afterEach(async () => {
  await session.close();
  await db.drop();
});

/** The same API in a schema of that name. */
const create = async (schema: string, more = ''): Promise<void> => {
  await db.query(`create schema ${schema};
    create type ${schema}.state as enum ('open', 'done');
    create view ${schema}.tasks as select id, title, 'open'::${schema}.state as state, "Due" from public.tasks;
    create view ${schema}."Late" as select t.* from ${schema}.tasks t where t.title <> 'x';
    create function ${schema}.f(a ${schema}.state default 'open', variadic b int[] default '{}') returns setof ${schema}.tasks
      language sql set search_path = ${schema}, public as 'select * from ${schema}.tasks';
    create function ${schema}.g(out n int, out t text) language sql begin atomic select id, title from ${schema}."Late"; end;
    create function ${schema}.sentinel_${String(schema.length)}() returns int language sql as 'select 1';
    grant select on ${schema}.tasks to public;
    comment on column ${schema}."Late"."Due" is 'When';
    ${more.replaceAll('SCHEMA', schema)}`);
};
const described = (schema: string, as = 'api'): DescribedSchema => ({
  schema,
  as,
  except: `sentinel_${String(schema.length)}`,
});

// Words of SQL are quoted as names of schemas, and the names of their releases are not.
test.each(['api', '"user"', '"order"'])(
  'a release of schema %s is described like the schema',
  async (name) => {
    const as = name.replaceAll('"', '');
    await create(`${as}_0a1b2c3d`);
    await create(name);
    const sorted = async (schema: string): Promise<readonly string[]> =>
      (await describeSchema(session, { schema, as, except: undefined }))
        .filter(({ within }) => !within.startsWith('sentinel_'))
        // What is stored as text is not printed by PostgreSQL: here it has the quotes that the test gave it.
        .filter(({ aspect }) => name === as || aspect !== 'body')
        .map((fact) => JSON.stringify(fact))
        .sort();
    const release = await sorted(`${as}_0a1b2c3d`);
    expect(release).toEqual(await sorted(as));
    expect(release.join('')).not.toContain('0a1b2c3d');
  },
);

test('two releases of one API have one fingerprint, and nothing changes between them', async () => {
  await create('api_0a1b2c3d');
  await create('api_99999999');
  const [one, other] = [described('api_0a1b2c3d'), described('api_99999999')];
  expect(await fingerprintOf(session, one, 'x')).toBe(await fingerprintOf(session, other, 'y'));
  expect(await describeChange(session, one, other)).toEqual({ before: [], after: [] });
});

test('of two that differ, only the objects travel that differ, wholly', async () => {
  await create('api_0a1b2c3d');
  await create('api_99999999', 'comment on view SCHEMA.tasks is $$x$$; drop function SCHEMA.g()');
  const [one, other] = [described('api_0a1b2c3d'), described('api_99999999')];
  const { before, after } = await describeChange(session, one, other);
  expect([...new Set(before.map(({ kind, object }) => `${kind} ${object}`))].sort()).toEqual([
    'column tasks."Due"',
    'column tasks.id',
    'column tasks.state',
    'column tasks.title',
    'function g()',
    'relation tasks',
  ]);
  expect(after).toHaveLength(before.filter(({ within }) => within === 'tasks').length + 1);
  expect(await fingerprintOf(session, one, 'x')).not.toBe(await fingerprintOf(session, other, 'x'));
});

test('what is not described is told apart by the SQL', async () => {
  await create(
    'api_0a1b2c3d',
    'create aggregate SCHEMA.longest(text) (sfunc = pg_catalog.text_larger, stype = text);',
  );
  const release = described('api_0a1b2c3d');
  expect(await fingerprintOf(session, release, 'x')).not.toBe(await fingerprintOf(session, release, 'y'));
});

test('without a release before, everything is new', async () => {
  await create('api_0a1b2c3d');
  const { before, after } = await describeChange(session, undefined, described('api_0a1b2c3d'));
  expect([before.length, after.length > 40]).toEqual([0, true]);
  expect(after.some(({ object }) => object.startsWith('sentinel'))).toBe(false);
});
