import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf } from '../../testing/applyFixture.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import type { ApplyRequest } from './applyRequest.ts';
import type { ApplyResult } from './applyResult.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

const run = async (changes: Partial<ApplyRequest> = {}): Promise<ApplyResult> =>
  await apply(applyRequest(db.uri, changes));
const [first, second] = applyRequest('').migrations;
if (first === undefined || second === undefined) throw new Error('the fixture has two migrations');
const effects = async () => await db.query('select what from public.effects order by 1');

/** The reason of a refusal; fails the test when it was none. */
function reasonOf(result: ApplyResult): string {
  if (result.kind !== 'blocked') throw new Error(`not blocked: ${JSON.stringify(result)}`);
  return result.reason;
}

describe('a baseline', () => {
  const existing = `create table public.effects (what text not null);
    create table public.tasks (id int primary key, title text not null, done boolean not null default false);`;

  test('is recorded, and only what comes after it runs', async () => {
    await db.query(existing);
    releaseOf(await run({ baseline: first.name }));
    expect(await effects()).toEqual([{ what: second.name }]);
    expect(
      await db.query('select name, applied_by from pgrst_ledger.migrations order by position'),
    ).toMatchObject([{ name: first.name, applied_by: 'operator-1 (baseline)' }, { name: second.name }]);
  });

  test('means nothing once it is in the ledger', async () => {
    await db.query(existing);
    await run({ baseline: first.name });
    releaseOf(await run({ baseline: first.name }));
    expect(await effects()).toHaveLength(1);
  });

  test.each([
    ['of no migration', { baseline: 'nine' }, /spec\.baseline names the migration nine/],
    [
      'after others have run',
      { baseline: second.name },
      /the ledger already has migrations and this one is not among them/,
    ],
  ])('%s is refused', async (_name, changes, message) => {
    await run({ migrations: [first] });
    const result = await run(changes);
    expect(reasonOf(result)).toBe('BaselineRefused');
    expect(result).toMatchObject({ message: expect.stringMatching(message) as string });
    expect(await effects()).toEqual([{ what: first.name }]);
  });
});

describe('the lint', () => {
  const bad = {
    name: '003-bad',
    sql: 'alter table public.tasks drop column done',
  };

  test('stops everything before anything runs', async () => {
    await run();
    const result = await run({ migrations: [first, second, bad], lint: { ignore: [], failOn: 'Warning' } });
    expect(reasonOf(result)).toBe('LintFailed');
    expect(result).toMatchObject({ lint: { failed: true } });
    expect(await db.query('select done from public.tasks')).toHaveLength(2);
  });

  test('says nothing about what has been applied', async () => {
    const apiSql = 'create view api.tasks with (security_invoker) as select id from public.tasks';
    await run({ apiSql });
    const ignore = [{ rule: 'ban-drop-column', reason: 'for this test' }];
    await run({ migrations: [first, second, { ...bad, ignore }], apiSql });
    const result = await run({
      migrations: [first, second, bad],
      apiSql: `${apiSql} where id > 0`,
      lint: { ignore: [], failOn: 'Warning' },
    });
    releaseOf(result);
    expect(result).toMatchObject({ lint: { findings: [] } });
  });

  test('lets pass what one migration ignores with a reason', async () => {
    await run({ apiSql: 'create view api.tasks with (security_invoker) as select id from public.tasks' });
    const ignore = [{ rule: 'ban-drop-column', reason: 'nobody reads it' }];
    const result = await run({
      migrations: [first, second, { ...bad, ignore }],
      apiSql: 'create view api.tasks with (security_invoker) as select id from public.tasks',
      lint: { ignore: [], failOn: 'Warning' },
    });
    releaseOf(result);
    expect(result).toMatchObject({ lint: { failed: false } });
  });
});

test('a Job is asked for when migrations are pending, and not for API SQL alone', async () => {
  const asked = await run({ backups: [] });
  if (asked.kind !== 'needsJob') throw new Error(JSON.stringify(asked));
  expect(asked.pending.names).toEqual([first.name, second.name]);
  expect(await db.query("select to_regclass('public.tasks') as tasks")).toEqual([{ tasks: null }]);
  releaseOf(await run({ backups: [asked.pending.hash] }));
  releaseOf(await run({ backups: [], apiSql: 'create view api.tasks as select id from public.tasks' }));
  const third = { name: '003', sql: "insert into public.effects values ('003')" };
  expect(await run({ migrations: [first, second, third], backups: [asked.pending.hash] })).toMatchObject({
    kind: 'needsJob',
  });
});

test('roles and secrets are there before the first migration, and follow the request afterwards', async () => {
  const [{ role } = { role: '' }] = await db.query<{ role: string }>(
    "select 'r_' || current_database() as role",
  );
  const migration = {
    name: '000-grant',
    sql: `create table public.g (id int); grant select on public.g to ${role}`,
  };
  const api = `create function api.key() returns text language sql security definer set search_path = pg_catalog
    as $$ select pgrst_ledger.secret('jwt') $$;`;
  const request = {
    migrations: [migration],
    apiSql: api,
    roles: [{ name: role, login: false, memberOf: [] }],
  };
  const id = releaseOf(await run({ ...request, secrets: [{ name: 'jwt', value: 'one' }] }));
  expect(await db.query(`select api_${id}.key()`)).toEqual([{ key: 'one' }]);
  releaseOf(await run({ ...request, secrets: [{ name: 'jwt', value: 'two' }] }));
  expect(await db.query(`select api_${id}.key()`)).toEqual([{ key: 'two' }]);
  expect(await run(request)).toMatchObject({ kind: 'applied' });
  await expect(db.query(`select api_${id}.key()`)).rejects.toThrow(/no secret/);
  await db.query(`drop table public.g; drop role ${role}`);
});

describe('a release that breaks clients', () => {
  const less = 'create view api.tasks as select id from public.tasks';

  test('waits for approval, and is published once its own id is approved', async () => {
    const before = releaseOf(await run());
    const held = await run({ apiSql: less, breaking: 'RequireApproval', approved: [before] });
    expect(reasonOf(held)).toBe('BreakingChange');
    if (held.kind !== 'blocked' || held.release === undefined) throw new Error('no release to approve');
    expect(held.changes?.filter(({ breaking }) => breaking).map(({ name }) => name)).toEqual([
      'tasks.done',
      'tasks.title',
    ]);
    expect(held.summary?.release?.id).toBe(before);
    const approved = [held.release];
    expect(releaseOf(await run({ apiSql: less, breaking: 'RequireApproval', approved }))).toBe(
      held.release.split('@')[0],
    );
  });

  test('waits for approval also where it was there before', async () => {
    const before = releaseOf(await run({ apiSql: less }));
    const after = releaseOf(await run());
    const held = await run({ apiSql: less, breaking: 'RequireApproval' });
    expect(held).toMatchObject({ reason: 'BreakingChange', release: `${before}@${after}` });
    const approved = [`${before}@${after}`];
    expect(releaseOf(await run({ apiSql: less, breaking: 'RequireApproval', approved }))).toBe(before);
  });

  test('is published at once where that is allowed, and what it takes is told', async () => {
    await run();
    const result = await run({ apiSql: less });
    releaseOf(result);
    expect(result).toMatchObject({
      changes: [{ change: 'removed' }, { change: 'removed' }, { change: 'changed' }],
    });
  });
});

describe('drift', () => {
  const spoil = async (id: string) => {
    await db.query(
      `create or replace view api_${id}.tasks as select id, title, not done as done from public.tasks`,
    );
  };

  test('is reported, and lets new releases pass', async () => {
    await spoil(releaseOf(await run()));
    expect(await run()).toMatchObject({ kind: 'applied', drift: [{ object: 'view tasks' }] });
    releaseOf(await run({ apiSql: 'create view api.tasks as select id from public.tasks' }));
  });

  test('holds new releases and migrations where the spec says so', async () => {
    await spoil(releaseOf(await run()));
    const third = { name: '003', sql: "insert into public.effects values ('003')" };
    const result = await run({ drift: 'Block', migrations: [first, second, third] });
    expect(reasonOf(result)).toBe('DriftDetected');
    expect(await effects()).toHaveLength(2);
  });

  test('is not what our own migrations change', async () => {
    await run({
      apiSql:
        'create function api.t() returns setof public.tasks language sql stable as $$ table public.tasks $$',
    });
    const third = { name: '003', sql: 'alter table public.tasks add note text' };
    const next = {
      migrations: [first, second, third],
      apiSql:
        'create function api.t() returns setof public.tasks language sql stable as $$ table public.tasks $$',
    };
    releaseOf(await run(next));
    expect(await run(next)).toMatchObject({ kind: 'applied', drift: [] });
  });
});

describe('a run that is interrupted after its own SQL has changed what lies under a release', () => {
  const apiSql =
    'create function api.t() returns setof public.tasks language sql stable as $$ table public.tasks $$';
  const third = { name: '003', sql: 'alter table public.tasks add note text' };
  // The limit keeps it out of the message of the third.
  const fourth = {
    name: '004',
    sql: "insert into public.effects values ('004')",
    statementTimeoutMs: 60_000,
  };
  const next = { migrations: [first, second, third, fourth], apiSql };

  const interrupt = async (): Promise<void> => {
    await run({ apiSql });
    const stop = new AbortController();
    await expect(
      apply(applyRequest(db.uri, next), {
        signal: stop.signal,
        onProgress: (progress) => {
          if ('migration' in progress && progress.migration === '004') stop.abort();
        },
      }),
    ).rejects.toThrow();
    expect(await db.query('select count(*)::int as n from pgrst_ledger.migrations')).toEqual([{ n: 3 }]);
  };

  test('goes on with drift: Block', async () => {
    await interrupt();
    releaseOf(await run({ ...next, drift: 'Block' }));
  });

  test('gives no alarm', async () => {
    await interrupt();
    releaseOf(await run(next));
    expect(await run(next)).toMatchObject({ kind: 'applied', drift: [] });
  });

  test('keeps as drift what somebody else had changed before it', async () => {
    const id = releaseOf(await run({ apiSql }));
    await db.query(`comment on function api_${id}.t() is 'by hand'`);
    await interrupt();
    const result = await run({ ...next, drift: 'Block' });
    expect(reasonOf(result)).toBe('DriftDetected');
    expect(result).toMatchObject({ drift: [{ object: 'function t()', aspect: 'comment' }] });
  });
});
