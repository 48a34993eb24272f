import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apply, applyRequest } from '../../testing/applyFixture.ts';
import { takeSnapshot } from '../../testing/faults/snapshot.ts';
import { brokenMigrations } from '../../testing/faults/brokenMigrations.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';

type Request = ReturnType<typeof applyRequest>;

let db: TestDatabase;
let migrations: Request['migrations'];
beforeAll(async () => {
  db = await createTestDatabase();
  migrations = applyRequest(db.uri).migrations;
  expect(await apply(request())).toMatchObject({ kind: 'applied' });
});
afterAll(async () => {
  await db.drop();
});

function request(changes: Partial<Request> = {}): Request {
  return applyRequest(db.uri, { migrations, ...changes });
}

/** As the operator does when another runner has the migration: it looks again. */
async function applyAgain(wanted: Request): ReturnType<typeof apply> {
  for (;;) {
    try {
      return await apply(wanted);
    } catch (error) {
      if (!String(error).includes('LockHeld: ')) throw error;
    }
  }
}

/** A further migration runs, and stays in the list for the tests that follow. */
async function expectOneMoreToRun(): Promise<void> {
  const name = `good-${migrations.length}`;
  migrations = [...migrations, { name, sql: `insert into public.effects values ('${name}')` }];
  expect(await apply(request())).toMatchObject({ kind: 'applied' });
  expect(await db.query('select from public.effects where what = $1', [name])).toHaveLength(1);
}

describe('a migration that cannot run', () => {
  test.each(brokenMigrations)(
    '%s: the message says where and why, and nothing is left of it',
    async (_what, sql, says) => {
      const before = await takeSnapshot(db.uri);
      const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
      expect(result).toMatchObject({
        kind: 'blocked',
        reason: 'MigrationFailed',
        message: expect.toBeOneOf(
          [says]
            .flat()
            .map(
              (each) =>
                `Migration bad${each}${each.endsWith('.') ? '' : '.'} Nothing of it is in the database: correct its SQL and apply the object again.`,
            ),
        ) as string,
      });
      expect(await takeSnapshot(db.uri)).toEqual(before);
      await expectOneMoreToRun();
    },
  );

  test.each<readonly [what: string, sql: string, says: string]>([
    [
      'a deferred key',
      'create table public.p (a int primary key deferrable initially deferred); insert into public.p values (1), (1)',
      'duplicate key value violates unique constraint "p_pkey"',
    ],
    [
      'a deferred reference',
      'create table public.c (a int references public.tasks deferrable initially deferred); insert into public.c values (9)',
      'insert or update on table "c" violates foreign key constraint "c_a_fkey"',
    ],
  ])('%s that fails at COMMIT leaves nothing', async (_what, sql, says) => {
    const before = await takeSnapshot(db.uri);
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({ kind: 'blocked', reason: 'MigrationFailed' });
    expect(result).toHaveProperty('message', expect.stringContaining(says));
    expect(await takeSnapshot(db.uri)).toEqual(before);
    await expectOneMoreToRun();
  });

  test('a NUL is not taken for the end: what stands behind it is not lost in silence', async () => {
    const before = await takeSnapshot(db.uri);
    const sql = `create table public.x (a int);\0 create table public.y (a int)`;
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({ kind: 'blocked', reason: 'MigrationFailed' });
    expect(result).toHaveProperty('message', expect.stringContaining('NUL'));
    expect(await takeSnapshot(db.uri)).toEqual(before);
  });
});

describe('a migration that tampers with the session', () => {
  test.each<readonly [what: string, sql: string]>([
    ['gives up the lock', 'select pg_advisory_unlock_all()'],
    ['resets all settings', 'reset all'],
    ['changes its search_path', 'set search_path = nowhere'],
    [
      "changes its role's search_path",
      "do $$ begin execute format('alter role %I set search_path = nowhere', current_user); end $$",
    ],
    [
      "takes its role's search_path back",
      "do $$ begin execute format('alter role %I reset search_path', current_user); end $$",
    ],
    ['waits for locks for ever', "set lock_timeout = 0; select set_config('statement_timeout', '0', false)"],
    ['does not wait for locks', "set local lock_timeout = '1ms'"],
    [
      'makes transactions read-only',
      'set default_transaction_read_only = on; set session characteristics as transaction read only',
    ],
    ['has another encoding', "set client_encoding = 'LATIN1'"],
    ['lets a backslash escape', 'set standard_conforming_strings = off'],
    ['listens', 'listen pgrst'],
    ['notifies', "notify pgrst, 'reload schema'"],
    ['prepares a statement', 'prepare p as select 1; execute p'],
    ['leaves a cursor open', 'declare c cursor with hold for select 1'],
    ['leaves a temporary table', 'create temp table left_over (a int)'],
    ['hides a catalog behind a temporary table', 'create temp table pg_namespace (a int)'],
    ['debugs', "set client_min_messages = 'debug5'"],
    ['is empty', ''],
    ['is blank', ' \r\n\t '],
    ['is a comment', '-- nothing\n/* to /* be */ done */'],
    ['is semicolons', ';;;'],
    ['begins with a byte order mark', '\uFEFFselect 1'],
  ])('one that %s runs, and so does the next', async (_what, sql) => {
    migrations = [...migrations, { name: `odd-${migrations.length}`, sql }];
    expect(await apply(request())).toMatchObject({ kind: 'applied' });
    await expectOneMoreToRun();
  });

  test('two in one run that do so do not meet', async () => {
    const sql =
      'create temp table twice (a int); prepare q as select 1; declare d cursor with hold for select 1';
    migrations = [
      ...migrations,
      { name: `odd-${migrations.length}`, sql },
      { name: `odd-${migrations.length + 1}`, sql },
    ];
    expect(await apply(request())).toMatchObject({ kind: 'applied' });
  });

  test('one that gives up the lock in the middle is not run by a second runner as well', async () => {
    const name = `unlocked-${migrations.length}`;
    migrations = [
      ...migrations,
      {
        name,
        sql: `select pg_advisory_unlock_all(); insert into public.effects values ('${name}'); select pg_sleep(0.3)`,
      },
    ];
    const results = await Promise.all(
      ['one', 'two', 'three'].map((identity) => applyAgain(request({ identity }))),
    );
    expect(results.map(({ kind }) => kind)).toEqual(['applied', 'applied', 'applied']);
    expect(await db.query('select from public.effects where what = $1', [name])).toHaveLength(1);
  });
});

describe('a migration that changes the ledger', () => {
  test.each<readonly [what: string, sql: string]>([
    ['drops it', 'drop schema pgrst_ledger cascade'],
    ['drops it and goes on', `drop schema pgrst_ledger cascade; create table public.x (a int)`],
    ['drops a table of it', 'drop table pgrst_ledger.migrations'],
    ['renames a table of it', 'alter table pgrst_ledger.migrations rename to other'],
    ['forgets what ran', 'delete from pgrst_ledger.migrations'],
    ['forgets everything', 'truncate pgrst_ledger.claims cascade'],
    ['changes a checksum', "update pgrst_ledger.migrations set checksum = 'x'"],
    ['drops it in a block', "do $$ begin execute 'drop schema pgrst_ledger cascade'; end $$"],
  ])('one that %s is refused, and the ledger is as it was', async (_what, sql) => {
    const before = await takeSnapshot(db.uri);
    // Lint would refuse some of them first; it can be told not to.
    const ignore = ['pgrst/drop-cascade', 'ban-drop-table', 'ban-truncate-cascade'].map((rule) => ({
      rule,
      reason: 'a test',
    }));
    const lint: Request['lint'] = { ignore, failOn: 'Error' };
    const result = await apply(request({ lint, migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({ kind: 'blocked', reason: 'MigrationFailed' });
    expect(result).toHaveProperty('message', expect.stringContaining('pgrst_ledger'));
    expect(await takeSnapshot(db.uri)).toEqual(before);
    await expectOneMoreToRun();
  });
});

describe('a list that contradicts the ledger', () => {
  test.each<
    readonly [what: string, change: (list: Request['migrations']) => Request['migrations'], says: string]
  >([
    [
      'lacks an applied one',
      ([, ...rest]) => rest,
      'Migration 001-tasks has been applied to the database but is not in spec.migrations: put it back, unchanged; to undo what it did, add a new migration.',
    ],
    [
      'is empty',
      () => [],
      'Migration 001-tasks has been applied to the database but is not in spec.migrations: put it back, unchanged; to undo what it did, add a new migration.',
    ],
    [
      'has another text',
      ([one, ...rest]) => [{ name: '001-tasks', sql: `${one?.sql ?? ''} ` }, ...rest],
      'Migration 001-tasks was changed after it had been applied: put its SQL back as it was, and make the change in a new migration at the end of the list.',
    ],
    [
      'has another order',
      ([one, two, ...rest]) => [two, one, ...rest].filter((each) => each !== undefined),
      'Migration 002-due stands in spec.migrations where 001-tasks was applied: put the applied migrations back into the order in which they ran.',
    ],
  ])('one that %s is refused by name', async (_what, change, says) => {
    const before = await takeSnapshot(db.uri);
    expect(await apply(request({ migrations: change(migrations) }))).toMatchObject({
      kind: 'blocked',
      message: says,
    });
    expect(await takeSnapshot(db.uri)).toEqual(before);
  });

  test('one with a gap is refused: what is new stands at the end', async () => {
    const [one, ...rest] = migrations;
    const last = migrations.at(-1)?.name ?? '';
    const list = [one, { name: '001b-late', sql: 'select 1' }, ...rest].filter((each) => each !== undefined);
    expect(await apply(request({ migrations: list }))).toMatchObject({
      kind: 'blocked',
      reason: 'MigrationOrderChanged',
      message: `Migration 001b-late stands in spec.migrations before 002-due, which has been applied already: move 001b-late behind ${last}, the newest applied one.`,
    });
    await expectOneMoreToRun();
  });

  test('line breaks of Windows are no change', async () => {
    const list = migrations.map((each) => ({ ...each, sql: each.sql.replaceAll(/\r?\n/g, '\r\n') }));
    expect(await apply(request({ migrations: list }))).toMatchObject({ kind: 'applied' });
  });

  test('the message of an error quotes no more of the SQL than a person reads', async () => {
    const sql = `select '${'x'.repeat(250_000)}`;
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({ kind: 'blocked', reason: 'MigrationFailed' });
    expect(result.kind === 'blocked' && result.message.length).toBeLessThan(8192);
  });
});

test('a session that somebody ends in the middle of a migration leaves nothing, and the next run completes it', async () => {
  const name = `ended-${migrations.length}`;
  const sql = `insert into public.effects values ('${name}'); select pg_sleep(60) where not exists (select from public.effects where what = 'ready')`;
  const before = await takeSnapshot(db.uri);
  const refusal = expect(apply(request({ migrations: [...migrations, { name, sql }] }))).rejects.toThrow(
    /^DatabaseUnreachable: /,
  );
  const other = new pg.Client({ connectionString: db.uri });
  await other.connect();
  for (let ended = 0; ended === 0;) {
    const { rowCount } = await other.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and wait_event = 'PgSleep'`,
    );
    ended = rowCount ?? 0;
  }
  await other.end();
  await refusal;
  const after = await takeSnapshot(db.uri);
  // The mark that migrations were begun stays until the next run has put the snapshots right.
  const mark = 'pgrst_ledger.refreshes_due';
  expect(after.ledger[mark]).toHaveLength(1);
  expect({ ...after, ledger: { ...after.ledger, [mark]: [] } }).toEqual(before);
  await expectOneMoreToRun();
  expect((await takeSnapshot(db.uri)).ledger[mark]).toEqual([]);
});
