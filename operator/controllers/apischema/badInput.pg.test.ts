import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apply, applyRequest } from '../../testing/applyFixture.ts';
import { takeSnapshot } from '../../testing/faults/snapshot.ts';
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

/** A further migration runs, and stays in the list for the tests that follow. */
async function expectOneMoreToRun(): Promise<void> {
  const name = `good-${migrations.length}`;
  migrations = [...migrations, { name, sql: `insert into public.effects values ('${name}')` }];
  expect(await apply(request())).toMatchObject({ kind: 'applied' });
  expect(await db.query('select from public.effects where what = $1', [name])).toHaveLength(1);
}

/** Where it is, what PostgreSQL says, and nothing else before what to do. */
const at = (statement: number, line: number, sqlstate: string, message: string): string =>
  `, statement ${statement} at line ${line} (SQLSTATE ${sqlstate}): ${message}`;
const ours = (statement: number, line: number, message: string): string =>
  `, statement ${statement} at line ${line}: ${message}`;

const transaction =
  'BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their like are not allowed here: the operator runs the SQL in one transaction together with its ledger row. Remove the statement.';
const copy = 'COPY ... FROM STDIN needs a client that sends the data: write the rows as INSERT.';
const first = 'create table public.x (a int);';

describe('a migration that cannot run', () => {
  test.each<readonly [what: string, sql: string, says: string]>([
    // Text that is no SQL.
    [
      'a string without its end',
      "select 'abc",
      at(1, 1, '42601', 'unterminated quoted string at or near "\'abc"'),
    ],
    [
      'a dollar quote without its end',
      'do $a$ begin end $b$',
      at(1, 1, '42601', 'unterminated dollar-quoted string at or near "$a$ begin end $b$"'),
    ],
    [
      'a quoted name without its end',
      'select "abc',
      at(1, 1, '42601', 'unterminated quoted identifier at or near ""abc"'),
    ],
    [
      'a comment without its end',
      `${first}\n/* a /* b */`,
      at(2, 2, '42601', 'unterminated /* comment at or near "/* a /* b */"'),
    ],
    ['a word that is no command', `${first}\nselec 1`, at(2, 2, '42601', 'syntax error at or near "selec"')],
    [
      'an error behind line breaks of Windows',
      'create table public.x (\r\n a int\r\n);\r\nselec 1',
      at(2, 4, '42601', 'syntax error at or near "selec"'),
    ],
    ['quotes of MySQL', 'create table `x` (a int)', at(1, 1, '42601', 'syntax error at or near "`"')],
    ['GO of SQL Server', 'select 1\nGO\nselect 2', at(1, 3, '42601', 'syntax error at or near "select"')],
    ['typographic quotes', 'select ‘a’', at(1, 1, '42703', 'column "‘a’" does not exist')],
    ['a parameter', 'select $1', at(1, 1, '42P02', 'there is no parameter $1')],
    [
      'an escape that is no UTF-8',
      "select e'\\xff'",
      at(1, 1, '42601', 'invalid byte sequence for encoding "UTF8": 0xff'),
    ],
    [
      'half a surrogate pair, escaped',
      "select u&'\\d800'",
      at(1, 1, '42601', 'invalid Unicode surrogate pair'),
    ],
    [
      '20,000 parentheses',
      `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`,
      at(1, 1, '42601', 'memory exhausted at or near "("'),
    ],
    // Commands of psql.
    ['\\i of psql', '\\i other.sql', at(1, 1, '42601', 'syntax error at or near "\\"')],
    [
      '\\copy of psql',
      `${first}\n\\copy public.x from 'x.csv'`,
      at(2, 2, '42601', 'syntax error at or near "\\"'),
    ],
    [
      'a variable of psql',
      'create table :schema.x (a int)',
      at(1, 1, '42601', 'syntax error at or near ":"'),
    ],
    ['COPY FROM STDIN', `${first} copy public.x from stdin`, ours(2, 1, copy)],
    // Control of the transaction.
    ['COMMIT', `${first}\ncommit;\ncreate table public.y (a int)`, ours(2, 2, transaction)],
    ['BEGIN', 'begin; select 1', ours(1, 1, transaction)],
    ['ROLLBACK', `${first} rollback`, ours(2, 1, transaction)],
    ['SAVEPOINT', 'savepoint a', ours(1, 1, transaction)],
    ['PREPARE TRANSACTION', `${first} prepare transaction 'x'`, ours(2, 1, transaction)],
    ['COMMIT PREPARED', "commit prepared 'x'", ours(1, 1, transaction)],
    [
      'COMMIT in a block',
      'do $$ begin create table public.x (a int); commit; end $$',
      at(1, 1, '2D000', 'invalid transaction termination'),
    ],
    [
      'COMMIT in a procedure',
      'create procedure public.p() language plpgsql as $$ begin commit; end $$;\ncall public.p()',
      at(2, 2, '2D000', 'invalid transaction termination'),
    ],
    [
      'DISCARD ALL',
      `${first} discard all`,
      at(2, 1, '25001', 'DISCARD ALL cannot run inside a transaction block'),
    ],
    [
      'a read-only transaction',
      `set transaction read only; ${first}`,
      at(2, 1, '25006', 'cannot execute CREATE TABLE in a read-only transaction'),
    ],
    // More than the role may.
    [
      'SET ROLE to a superuser',
      `${first} set role postgres`,
      at(2, 1, '42501', 'permission denied to set role "postgres"'),
    ],
    [
      'SET SESSION AUTHORIZATION',
      `${first} set session authorization postgres`,
      at(2, 1, '42501', 'permission denied to set session authorization "postgres"'),
    ],
    [
      'COPY from a file of the server',
      `${first} copy public.x from '/etc/passwd'`,
      at(
        2,
        1,
        '42501',
        'must be superuser or have privileges of the pg_read_server_files role to COPY from a file',
      ),
    ],
    [
      'COPY from a program',
      `${first} copy public.x from program 'id'`,
      at(
        2,
        1,
        '42501',
        'must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program',
      ),
    ],
    ['LOAD', "load 'x'", at(1, 1, '42501', 'access to library "x" is not allowed')],
    // What fails while it runs.
    [
      'a schema that is not there',
      'drop schema api cascade',
      at(1, 1, '3F000', 'schema "api" does not exist'),
    ],
    [
      'recursion without an end',
      'create function public.f(i int) returns int language plpgsql as $$ begin return public.f(i + 1); end $$;\nselect public.f(1)',
      at(2, 2, '54001', 'stack depth limit exceeded'),
    ],
    [
      'an exception',
      "do $$ begin raise exception 'no %', 'way' using detail = 'a row'; end $$",
      at(1, 1, 'P0001', 'no way'),
    ],
    [
      'a key that is there',
      "insert into public.tasks values (1, 'x')",
      at(1, 1, '23505', 'duplicate key value violates unique constraint "tasks_pkey"'),
    ],
    [
      '1 MB and an error behind it',
      `create table public.x as select '${'x'.repeat(1_000_000)}' as a;\nselect 1/0`,
      at(2, 2, '22012', 'division by zero'),
    ],
    [
      'two names that are the same in 63 bytes',
      `create table public.${'i'.repeat(200)} (a int); create table public.${'i'.repeat(201)} (a int)`,
      at(2, 1, '42P07', `relation "${'i'.repeat(63)}" already exists`),
    ],
    [
      'a time limit of its own',
      "set statement_timeout = '10ms'; select pg_sleep(10)",
      at(2, 1, '57014', 'canceling statement due to statement timeout'),
    ],
    [
      'a statement that cancels itself',
      'select pg_cancel_backend(pg_backend_pid())',
      at(1, 1, '57014', 'canceling statement due to user request'),
    ],
    [
      'its own role, dropped',
      "do $$ begin execute format('drop role %I', current_user); end $$",
      at(1, 1, '55006', 'current user cannot be dropped'),
    ],
  ])('%s: the message says where and why, and nothing is left of it', async (_what, sql, says) => {
    const before = await takeSnapshot(db.uri);
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({
      kind: 'blocked',
      reason: 'MigrationFailed',
      message: `Migration bad${says}${says.endsWith('.') ? '' : '.'} Nothing of it is in the database: correct its SQL and apply the object again.`,
    });
    expect(await takeSnapshot(db.uri)).toEqual(before);
    await expectOneMoreToRun();
  });

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
    const sql = `${first}\0 create table public.y (a int)`;
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
      ['one', 'two', 'three'].map((identity) =>
        apply(request({ identity }), {
          patience: { lockTimeoutMs: 100, retryDelaysMs: Array.from({ length: 50 }, () => 20) },
        }),
      ),
    );
    expect(results.map(({ kind }) => kind)).toEqual(['applied', 'applied', 'applied']);
    expect(await db.query('select from public.effects where what = $1', [name])).toHaveLength(1);
  });
});

describe('a migration that changes the ledger', () => {
  test.each<readonly [what: string, sql: string]>([
    ['drops it', 'drop schema pgrst_ledger cascade'],
    ['drops it and goes on', `drop schema pgrst_ledger cascade; ${first}`],
    ['drops a table of it', 'drop table pgrst_ledger.migrations'],
    ['renames a table of it', 'alter table pgrst_ledger.migrations rename to other'],
    ['forgets what ran', 'delete from pgrst_ledger.migrations'],
    ['forgets everything', 'truncate pgrst_ledger.claims cascade'],
    ['changes a checksum', "update pgrst_ledger.migrations set checksum = 'x'"],
    ['drops it in a block', "do $$ begin execute 'drop schema pgrst_ledger cascade'; end $$"],
    ['forgets what ran in a block', "do $$ begin execute 'delete from pgrst_ledger.migrations'; end $$"],
    ['drops everything of its role', 'drop owned by current_user cascade'],
  ])('one that %s is refused, and the ledger is as it was', async (_what, sql) => {
    const before = await takeSnapshot(db.uri);
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
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
    const list = migrations.map((each) => ({ ...each, sql: each.sql.replaceAll('\n', '\r\n') }));
    expect(await apply(request({ migrations: list }))).toMatchObject({ kind: 'applied' });
  });

  test('the message of an error quotes no more of the SQL than status has room for', async () => {
    const sql = `select '${'x'.repeat(250_000)}`;
    const result = await apply(request({ migrations: [...migrations, { name: 'bad', sql }] }));
    expect(result).toMatchObject({ kind: 'blocked', reason: 'MigrationFailed' });
    expect(result.kind === 'blocked' && result.message.length).toBeLessThan(8192);
    expect(result.kind === 'blocked' && (result.error?.message.length ?? 0)).toBeLessThanOrEqual(4096);
  });
});

test('a session that somebody ends in the middle of a migration leaves nothing, and the next run completes it', async () => {
  const name = `ended-${migrations.length}`;
  const sql = `insert into public.effects values ('${name}'); select pg_sleep(60) where not exists (select from public.effects where what = 'ready')`;
  const before = await takeSnapshot(db.uri);
  const running = apply(request({ migrations: [...migrations, { name, sql }] }));
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
  await expect(running).rejects.toThrow(/^DatabaseUnreachable: /);
  expect(await takeSnapshot(db.uri)).toEqual(before);
  await expectOneMoreToRun();
});
