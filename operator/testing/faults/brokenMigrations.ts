/** Where it is, what PostgreSQL says, and nothing else before what to do. */
const at = (statement: number, line: number, sqlstate: string, message: string): string =>
  `, statement ${statement} at line ${line} (SQLSTATE ${sqlstate}): ${message}`;
const ours = (statement: number, line: number, message: string): string =>
  `, statement ${statement} at line ${line}: ${message}`;

const transaction =
  'BEGIN, COMMIT, ROLLBACK, SAVEPOINT and their like are not allowed here: the operator runs the SQL in one transaction together with its ledger row. Remove the statement.';
const copy = 'COPY ... FROM STDIN needs a client that sends the data: write the rows as INSERT.';
const psql = (command: string): string =>
  `psql command \\${command}: commands that begin with a backslash are psql's own, not SQL. Remove it, or put what it does (a file that it includes, say) in its place.`;
const first = 'create table public.x (a int);';

/**
 * Migrations that cannot run: what is wrong, the SQL, and what the message says between the migration's name and what
 * to do; a list where PostgreSQL 16 and newer say something else.
 */
export const brokenMigrations: readonly (readonly [
  what: string,
  sql: string,
  says: string | readonly string[],
])[] = [
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
  ['\\i of psql', '\\i other.sql', at(1, 1, '42601', psql('i'))],
  ['\\copy of psql', `${first}\n\\copy public.x from 'x.csv'`, at(2, 2, '42601', psql('copy'))],
  ['a variable of psql', 'create table :schema.x (a int)', at(1, 1, '42601', 'syntax error at or near ":"')],
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
    [
      at(
        2,
        1,
        '42501',
        'must be superuser or have privileges of the pg_read_server_files role to COPY from a file',
      ),
      at(2, 1, '42501', 'permission denied to COPY from a file'),
    ],
  ],
  [
    'COPY from a program',
    `${first} copy public.x from program 'id'`,
    [
      at(
        2,
        1,
        '42501',
        'must be superuser or have privileges of the pg_execute_server_program role to COPY to or from an external program',
      ),
      at(2, 1, '42501', 'permission denied to COPY to or from an external program'),
    ],
  ],
  ['LOAD', "load 'x'", at(1, 1, '42501', 'access to library "x" is not allowed')],
  // What fails while it runs.
  ['a schema that is not there', 'drop schema api', at(1, 1, '3F000', 'schema "api" does not exist')],
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
];
