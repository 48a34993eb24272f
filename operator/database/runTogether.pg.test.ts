import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { apply, applyRequest, releaseOf } from '../testing/applyFixture.ts';
import { createTestDatabase, type TestDatabase } from '../testing/pgTemplate.ts';
import type { MigrationToRun } from './migrationToRun.ts';
import { sharingMessage } from './runTogether.ts';

let db: TestDatabase;
beforeEach(async () => {
  db = await createTestDatabase();
});
afterEach(async () => {
  await db.drop();
});

const named = (sqls: readonly string[]) =>
  sqls.map((sql, index) => ({ name: `m${String(index).padStart(2, '0')}`, sql }));
const tables = Array.from({ length: 40 }, (_, n) => `create table public.t${String(n)} (id int)`);
const applied = async () =>
  await db.query<{ name: string }>('select name from pgrst_ledger.migrations order by position');
const run = async (sqls: readonly string[]) =>
  await apply(applyRequest(db.uri, { migrations: named(sqls), apiSql: '' }));

describe('small migrations that share a message', () => {
  test('are all there, each in a transaction of its own', async () => {
    releaseOf(await run(tables));
    expect(await applied()).toHaveLength(tables.length);
    // A row's xmin is the transaction that wrote it last.
    const [distinct] = await db.query<{ count: string }>(
      "select count(distinct xmin::text) from pg_class where relname ~ '^t[0-9]+$'",
    );
    expect(distinct?.count).toBe(String(tables.length));
  });

  test('have how long each took: until the next one began', async () => {
    await db.query('create table public.many as select n from generate_series(1, 100000) n');
    releaseOf(
      await run(['create table public.a ()', 'create index on public.many (n)', 'create table public.b ()']),
    );
    const rows = await db.query<{ took: boolean; followed: boolean }>(
      `select duration_ms > 0 as took,
              applied_at - (duration_ms + 1) * interval '1 ms' <= lag(applied_at) over (order by position) as followed
         from pgrst_ledger.migrations order by position`,
    );
    expect(rows[1]).toEqual({ took: true, followed: true });
    expect(rows[2]?.followed).toBe(true);
  });

  test.each([
    ['at run time', 'create table public.t3 (id int)', /already exists/],
    ['when the server parses the message', 'create table public.u () using', /syntax error/],
  ])('stop before the one that fails %s, which is named', async (_when, broken, message) => {
    const result = await run([...tables.slice(0, 10), broken, ...tables.slice(10)]);
    expect(result).toMatchObject({
      kind: 'blocked',
      reason: 'MigrationFailed',
      message: expect.stringMatching(message) as string,
      error: { migration: 'm10', statement: 1, line: 1 },
    });
    const rows = broken.endsWith('using') ? 0 : 10;
    if (rows > 0) expect(await applied()).toHaveLength(rows);
    else
      expect(await db.query("select to_regnamespace('pgrst_ledger') as ledger")).toEqual([{ ledger: null }]);
  });

  test('find the role, the settings and the search_path of psql, whatever ran before them', async () => {
    await db.query('create schema app');
    await db.query(`alter role current_user set search_path = app`);
    releaseOf(
      await run([
        'set search_path = public; create table a (id int)',
        'create table b (id int)',
        'create table c (id int)',
      ]),
    );
    expect(
      await db.query(
        "select relname, relnamespace::regnamespace::text as schema from pg_class where relname in ('a', 'b', 'c') order by 1",
      ),
    ).toEqual([
      { relname: 'a', schema: 'public' },
      { relname: 'b', schema: 'app' },
      { relname: 'c', schema: 'app' },
    ]);
  });
});

describe('who may share', () => {
  const migration = (changes: Partial<MigrationToRun> = {}): MigrationToRun => ({
    exposedSchema: 'api',
    name: 'm',
    checksum: '',
    position: 0,
    statements: [{ number: 1, line: 1, text: 'create table t ()', keepsSession: true }],
    appliedBy: 'me',
    ...changes,
  });
  const data = migration({ statements: [{ number: 1, line: 1, text: 'select f()' }] });
  const alone = migration({
    statements: [
      {
        number: 1,
        line: 1,
        text: 'vacuum t',
        keepsSession: true,
        solo: { kind: 'repeatable', command: 'VACUUM' },
      },
    ],
  });
  const long = migration({
    statements: [{ number: 1, line: 1, text: 'x'.repeat(70_000), keepsSession: true }],
  });

  test.each<[string, readonly MigrationToRun[], number]>([
    ['definitions do', [migration(), migration(), migration()], 3],
    ['one is not company', [migration()], 0],
    ['up to the first that may change the session', [migration(), migration(), data, migration()], 2],
    ['up to the first that runs outside of a transaction', [migration(), migration(), alone], 2],
    [
      'up to the first with a time limit',
      [migration(), migration(), migration({ statementTimeoutMs: 1 })],
      2,
    ],
    ['up to the first that is long', [migration(), migration(), long], 2],
    ['nobody, when the first may not', [data, migration(), migration()], 0],
    ['no more than 128', Array.from({ length: 130 }, () => migration()), 128],
  ])('%s', (_name, migrations, count) => {
    expect(sharingMessage(migrations)).toHaveLength(count);
  });
});
