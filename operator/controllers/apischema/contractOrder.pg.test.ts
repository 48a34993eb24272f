import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf, testPatience, tools } from '../../testing/applyFixture.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import type { ApplyRequest } from './applyRequest.ts';
import type { ApplyResult } from './applyResult.ts';
import { contract, survey } from './contractOrder.ts';
import { planSchema } from './planOrder.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

const run = async (changes: Partial<ApplyRequest> = {}): Promise<ApplyResult> =>
  await apply(applyRequest(db.uri, changes));
const context = () => ({
  ...tools,
  signal: new AbortController().signal,
  progress: () => undefined,
  patience: testPatience,
});
const [first, second] = applyRequest('').migrations;
if (first === undefined || second === undefined) throw new Error('the fixture has two migrations');
const effects = async () => await db.query('select what from public.effects order by 1');

/** The reason of a refusal; fails the test when it was none. */
function reasonOf(result: ApplyResult): string {
  if (result.kind !== 'blocked') throw new Error(`not blocked: ${JSON.stringify(result)}`);
  return result.reason;
}

describe('a contraction', () => {
  const contraction = { name: 'drop-done', sql: 'alter table public.tasks drop column done' };
  const api = 'create view api.tasks as select id, title from public.tasks';

  test('runs once, ends the releases that need what it takes away, and no others', async () => {
    const old = releaseOf(await run());
    const newest = releaseOf(await run({ apiSql: api, contractions: [contraction] }));
    const releases = [old, newest].map((id) => ({ id, schema: `api_${id}` }));
    const base = applyRequest(db.uri, { apiSql: api, contractions: [contraction] });
    const surveyed = await survey({ ...base, contraction, releases, inUse: [newest] }, context());
    if (surveyed.kind !== 'surveyed') throw new Error(surveyed.message);
    expect(surveyed.refusal).toBeUndefined();
    expect([...new Set(surveyed.needs.map(({ release }) => release))]).toEqual([old]);
    const request = { ...base, contraction, releases, position: 0, ended: releases.slice(0, 1) };
    for (let attempt = 0; attempt < 2; attempt += 1)
      expect(await contract(request, context())).toEqual({ kind: 'contracted', name: 'drop-done' });
    expect(await run(base)).toMatchObject({
      kind: 'applied',
      drift: [],
      summary: {
        release: { id: newest },
        releases: [{ id: newest }],
        contractions: { applied: 1, pending: 0, last: [{ name: 'drop-done' }] },
      },
    });
  });

  test('that was interrupted when it had committed is no drift', async () => {
    const id = releaseOf(await run());
    const noKey = { name: 'no-key', sql: 'alter table public.tasks drop constraint tasks_pkey' };
    const base = applyRequest(db.uri, { contractions: [noKey] });
    const request = {
      ...base,
      contraction: noKey,
      releases: [{ id, schema: `api_${id}` }],
      position: 0,
      ended: [],
    };
    await db.query(`create function public.stop() returns trigger language plpgsql as $$ begin raise 'killed'; end $$;
      create trigger stop before delete on pgrst_ledger.snapshots for each row execute function public.stop()`);
    await expect(contract(request, context())).rejects.toThrow(/killed/);
    await db.query('drop trigger stop on pgrst_ledger.snapshots');
    expect(await run({ contractions: [noKey], drift: 'Block' })).toMatchObject({
      kind: 'applied',
      drift: [],
      summary: { contractions: { applied: 1 } },
    });
  });

  test('is tried before anybody approves it, unless what it would end is in use', async () => {
    const old = releaseOf(await run());
    const newest = releaseOf(await run({ apiSql: api, contractions: [contraction] }));
    await db.query('create view public.report as select done from public.tasks');
    const releases = [old, newest].map((id) => ({ id, schema: `api_${id}` }));
    const base = applyRequest(db.uri, { apiSql: api, contractions: [contraction] });
    const refusalWith = async (...inUse: string[]) => {
      const result = await survey({ ...base, contraction, releases, inUse }, context());
      return result.kind === 'surveyed' ? result.refusal : result.message;
    };
    expect(await refusalWith(newest)).toMatch(
      /^Contraction drop-done, statement 1 at line 1 .*: Something that stays needs .*view report depends on column done/,
    );
    expect(await refusalWith(newest, old)).toBeUndefined();
    expect(await run(base)).toMatchObject({ kind: 'applied', summary: { releases: [{}, {}] }, drift: [] });
  });

  test('that PostgreSQL refuses leaves everything as it was', async () => {
    const id = releaseOf(await run());
    const base = applyRequest(db.uri, { contractions: [contraction] });
    const releases = [{ id, schema: `api_${id}` }];
    const result = await contract({ ...base, contraction, releases, position: 0, ended: [] }, context());
    expect(result).toMatchObject({
      kind: 'contractionRefused',
      message: expect.stringContaining(id) as string,
    });
    expect(await run(base)).toMatchObject({
      kind: 'applied',
      summary: { contractions: { applied: 0 } },
      drift: [],
    });
  });

  test.each([
    ['of another ApiSchema', 'select 1', { name: 'other' }, /belongs to ApiSchema shop\/todo/],
    ['of a copy', "update pgrst_ledger.meta set system_identifier = '1'", {}, /is a copy/],
    ['of a newer operator', 'update pgrst_ledger.meta set version = 999', {}, /upgrade the operator/],
  ])('is neither tried nor run with the ledger %s', async (_what, sql, changes, says) => {
    const id = releaseOf(await run({ apiSql: api }));
    await db.query(sql);
    const base = applyRequest(db.uri, { apiSql: api, contractions: [contraction], ...changes });
    const releases = [{ id, schema: `api_${id}` }];
    const refusal = { kind: 'contractionRefused', message: expect.stringMatching(says) as string };
    expect(await survey({ ...base, contraction, releases, inUse: [] }, context())).toEqual(refusal);
    expect(await contract({ ...base, contraction, releases, position: 0, ended: [] }, context())).toEqual(
      refusal,
    );
    expect(await db.query('select done from public.tasks')).toHaveLength(2);
  });

  test('that was applied must not change', async () => {
    const newest = releaseOf(await run({ apiSql: api, contractions: [contraction] }));
    const base = applyRequest(db.uri, { apiSql: api, contractions: [contraction] });
    const releases = [{ id: newest, schema: `api_${newest}` }];
    await contract({ ...base, contraction, releases, position: 0, ended: [] }, context());
    const result = await run({
      apiSql: api,
      contractions: [{ ...contraction, sql: 'drop table public.tasks' }],
    });
    expect(reasonOf(result)).toBe('MigrationChanged');
    expect(result).toMatchObject({ message: expect.stringContaining('Contraction drop-done') as string });
  });
});

test('a plan tells what would run and what clients would see, and changes nothing', async () => {
  await run();
  const before = await db.query('select nspname from pg_namespace order by 1');
  const third = { name: '003', sql: "alter table public.tasks add note text default 'n'" };
  const plan = await planSchema(
    applyRequest(db.uri, {
      migrations: [first, second, third],
      apiSql: 'create view api.tasks as select id, title, note from public.tasks',
    }),
    [],
    context(),
  );
  expect(plan.statements).toMatchObject([
    { source: '003', locks: [{ relation: 'public.tasks', mode: 'AccessExclusiveLock' }], transaction: true },
  ]);
  expect(plan.statements[0]?.text).not.toContain("'n'");
  expect(plan.changes?.map(({ name, change, breaking }) => [name, change, breaking])).toEqual([
    ['tasks.done', 'removed', true],
    ['tasks.note', 'added', false],
    ['tasks', 'changed', false],
  ]);
  expect(await db.query('select nspname from pg_namespace order by 1')).toEqual(before);
  expect(await effects()).toHaveLength(2);
});

test('a plan says what each contraction would end, and whether it fits', async () => {
  const old = releaseOf(await run());
  const without = 'create view api.tasks as select id, title from public.tasks';
  releaseOf(await run({ apiSql: without }));
  const plan = await planSchema(
    applyRequest(db.uri, {
      apiSql: without,
      contractions: [
        { name: 'drop-done', sql: 'alter table public.tasks drop column done' },
        { name: 'drop-gone', sql: 'alter table public.tasks drop column gone' },
      ],
    }),
    [],
    context(),
  );
  expect(plan.contractions).toMatchObject([
    { name: 'drop-done', fits: true, needs: [{ release: old, what: 'column done of public.tasks' }] },
    { name: 'drop-gone', fits: false, needs: [] },
  ]);
});

test('a plan of a database that nothing was applied to has what a run would find there', async () => {
  const apiSql = `create function api.key() returns text language sql security definer set search_path = pg_catalog
    begin atomic; select pgrst_ledger.secret('jwt'); end;`;
  const plan = await planSchema(applyRequest(db.uri, { migrations: [], apiSql }), [], context());
  expect(plan.changes?.map(({ name, change }) => `${change} ${name}`)).toContain('added key()');
  expect(plan.problems.filter((text) => text.startsWith('spec.api'))).toEqual([]);
  expect(await db.query("select to_regnamespace('pgrst_ledger') as ledger")).toEqual([{ ledger: null }]);
});

test.each([
  [-1, /^The ledger is from an older operator/],
  [1, /^The ledger in this database has version .*: upgrade the operator\.$/],
])('a plan reads no ledger of another version (%i)', async (difference, says) => {
  await run();
  await db.query(`update pgrst_ledger.meta set version = version + ${String(difference)}`);
  expect(await planSchema(applyRequest(db.uri), [], context())).toEqual({
    kind: 'planned',
    statements: [],
    problems: [expect.stringMatching(says)],
  });
});
