import { beforeAll, describe, expect, test } from 'vitest';
import { loadSqlParser } from '../migration/parser.ts';
import { ignoresIn } from './ignore.ts';
import { inspectSources } from './inspect.ts';
import { lint } from './lint.ts';
import type { LintOptions, LintSource } from './source.ts';
import { createSquawk, squawkPath, type Squawk } from './squawk.ts';
import { squawkRules, switchedOff } from './squawkRules.ts';

beforeAll(loadSqlParser);

const options: LintOptions = { schema: 'api', ignore: [], failOn: 'Error' };
const never = new AbortController().signal;

function source(sql: string, rest: Partial<LintSource> = {}): LintSource {
  return { kind: 'migration', name: '001', ignore: [], sql, ...rest };
}

async function run(sources: readonly LintSource[], changed: Partial<LintOptions> = {}) {
  const squawk = createSquawk(squawkPath());
  return lint(sources, { ...options, ...changed }, { inspect: inspectSources, squawk }, never);
}

async function found(...sources: readonly LintSource[]): Promise<readonly string[]> {
  const { findings } = await run(sources);
  return findings.map(({ source: name, statement, line, rule }) => `${name} ${statement}:${line} ${rule}`);
}

describe("squawk's rules", () => {
  test.each([
    ['alter table t add column d int not null', 'adding-required-field'],
    ['alter table t add column d uuid default gen_random_uuid()', 'adding-field-with-default'],
    ['alter table t add foreign key (a) references u (id)', 'adding-foreign-key-constraint'],
    ['alter table t add column i bigserial primary key', 'adding-serial-primary-key-field'],
    ["alter domain d add constraint c check (value <> '')", 'ban-alter-domain-with-add-constraint'],
    ['alter table t drop column a', 'ban-drop-column'],
    ['drop database x', 'ban-drop-database'],
    ['alter table t alter column a drop not null', 'ban-drop-not-null'],
    ['drop table t', 'ban-drop-table'],
    ['truncate t cascade', 'ban-truncate-cascade'],
    ['alter table t alter column a type bigint', 'changing-column-type'],
    ['alter table t add constraint c check (a > 0)', 'constraint-missing-not-valid'],
    ['alter table t add constraint c unique (a)', 'disallowed-unique-constraint'],
    [`alter table t add column ${'n'.repeat(64)} text`, 'identifier-too-long'],
    ['alter table t rename column a to b', 'renaming-column'],
    ['alter table t rename to u', 'renaming-table'],
    ['create index i on t (a)', 'require-concurrent-index-creation'],
    ['drop index i', 'require-concurrent-index-deletion'],
    ['alter table t detach partition p', 'require-concurrent-partition-detach'],
    ['reindex table t', 'require-concurrent-reindex'],
  ])('%s: %s', async (sql, rule) => {
    expect(await found(source(sql))).toContain(`001 1:1 ${rule}`);
  });

  test.each([
    'create index concurrently i on t (a)',
    'create table t (id int primary key, name varchar(10), at timestamp)',
    'alter table t add column if not exists a int',
    'alter table t add column a int',
    'alter table t add constraint c check (a > 0) not valid',
    "alter type e add value 'x'",
    "create domain d as text check (value <> '')",
    'insert into t values (1)',
  ])('have nothing against %s', async (sql) => {
    expect(await found(source(sql))).toEqual([]);
  });

  test('a rule is on or off, never both', () => {
    expect(Object.keys(squawkRules).filter((rule) => rule in switchedOff)).toEqual([]);
  });

  test('what is done to a table that the same set creates alarms nobody', async () => {
    const first = source('create table t (id int);');
    const second = source(
      'alter table t add column a int not null; create index i on t (a); alter table t drop column a; drop table t',
      { name: '002' },
    );
    expect(await found(first, second)).toEqual([]);
    expect(await found({ ...first, applied: true }, second)).toHaveLength(4);
  });

  test('a constraint is validated in another migration than it is added in', async () => {
    const add = 'alter table t add constraint c check (a > 0) not valid;';
    const validate = 'alter table t validate constraint c;';
    expect(await found(source(add), source(validate, { name: '002' }))).toEqual([]);
    expect(await found(source(`${add}\n${validate}`))).toEqual(['001 2:2 constraint-missing-not-valid']);
  });

  test('findings are told apart by source, statement and line', async () => {
    const first = source('-- é\nselect 1;\n\nalter table t\n  drop column "é"; drop table u');
    const second = source('drop table v', { name: '002' });
    expect(await found(first, second)).toEqual([
      '001 2:5 ban-drop-column',
      '001 3:5 ban-drop-table',
      '002 1:1 ban-drop-table',
    ]);
  });

  test('hundreds of migrations keep their places', async () => {
    const filler = `insert into log values ('${'x'.repeat(1000)}');\n`;
    const sources = Array.from({ length: 400 }, (_, index) =>
      source(`${filler}drop table t${index};`, { name: `m${index}` }),
    );
    const expected = sources.map(({ name }) => `${name} 2:2 ban-drop-table`);
    expect(await found(...sources)).toEqual(expected);
  });

  test('a statement that squawk cannot read hides no other one', async () => {
    const real = createSquawk(squawkPath());
    const strange = "select 'strange'";
    // squawk has no findings for a text in which it cannot read something.
    const squawk: Squawk = async (sql, signal) => {
      const lines = sql
        .split('\n')
        .map((line, index) => ({ line: index + 1, column: line.indexOf(strange) }));
      const broken = lines.filter(({ column }) => column !== -1);
      if (broken.length === 0) return real(sql, signal);
      return broken.map((place) => ({ rule: 'syntax-error', message: 'expected command', ...place }));
    };
    const sources = [
      source(`drop table t; ${strange};\ndrop table u; ${strange}`),
      source('drop table v', { name: '002' }),
    ];
    const { findings } = await lint(sources, options, { inspect: inspectSources, squawk }, never);
    expect(findings.map(({ source: name, statement, rule }) => `${name} ${statement} ${rule}`)).toEqual([
      '001 1 ban-drop-table',
      '001 2 pgrst/not-read-by-squawk',
      '001 3 ban-drop-table',
      '001 4 pgrst/not-read-by-squawk',
      '002 1 ban-drop-table',
    ]);
  });

  test('a squawk that never can read a source does not hold the others up', async () => {
    const squawk: Squawk = (sql) =>
      Promise.resolve(
        sql.includes('commit;\nbegin;\n\n')
          ? []
          : [{ rule: 'syntax-error', line: 5, column: 0, message: '' }],
      );
    const sources = [source('select 1'), source('select 2', { name: '002' })];
    const { findings } = await lint(sources, options, { inspect: inspectSources, squawk }, never);
    expect(findings).toMatchObject([{ source: '002', rule: 'pgrst/not-read-by-squawk' }]);
  });

  test('taking away is what contractions are for', async () => {
    const sql = 'alter table t drop column a; drop table u';
    expect(await found(source(sql, { kind: 'contraction', name: 'c' }))).toEqual([]);
  });

  test('API SQL and what was applied are not theirs', async () => {
    expect(await found(source('drop table t', { applied: true }))).toEqual([]);
    expect(await found(source('drop view api.v', { kind: 'api', name: 'api' }))).toEqual([]);
  });

  test('a comment of squawk counts for its statement, and none switches squawk off for all', async () => {
    expect(await found(source('-- squawk-ignore ban-drop-table\ndrop table t;'))).toEqual([]);
    expect(await found(source('-- squawk-ignore-file\ndrop table t;'))).toEqual(['001 1:2 ban-drop-table']);
  });

  test('a program that is no squawk is an error, not a clean bill', async () => {
    const no = createSquawk(process.execPath);
    await expect(no('select 1', never)).rejects.toThrow('squawk failed');
    await expect(createSquawk('/nowhere')('select 1', never)).rejects.toThrow('ENOENT');
  });

  test('it ends with its signal', async () => {
    await expect(createSquawk(squawkPath())('select 1', AbortSignal.abort())).rejects.toThrow('abort');
  });
});

describe('what is ignored', () => {
  const drop = 'drop table t;';
  const ignore = [{ rule: 'ban-drop-table', reason: 'nobody uses it' }];

  test('for the whole set', async () => {
    expect(await run([source(drop)], { ignore })).toEqual({ findings: [], ignored: 1, failed: false });
  });

  test('for one migration', async () => {
    const result = await run([source(drop, { ignore }), source(drop, { name: '002' })]);
    expect(result).toMatchObject({ findings: [{ source: '002' }], ignored: 1, failed: true });
  });

  test('by a comment with a reason', async () => {
    expect(
      ignoresIn('-- pgrst-ignore pgrst/drop-cascade: because\n  --pgrst-ignore ban-drop-table:   x y \n'),
    ).toEqual([
      { rule: 'pgrst/drop-cascade', reason: 'because' },
      { rule: 'ban-drop-table', reason: 'x y' },
    ]);
    expect(ignoresIn('-- pgrst-ignore ban-drop-table\n-- pgrst-ignore ban-drop-table:\nselect 1')).toEqual(
      [],
    );
    expect(await run([source(`-- pgrst-ignore ban-drop-table: nobody uses it\n${drop}`)])).toMatchObject({
      ignored: 1,
    });
  });
});

test('a warning fails only when it is said to', async () => {
  const warned = source('create index i on t (a)');
  expect(await run([warned])).toMatchObject({ findings: [{ level: 'warning' }], failed: false });
  expect(await run([warned], { failOn: 'Warning' })).toMatchObject({ failed: true });
  expect(await run([source('select 1')], { failOn: 'Warning' })).toMatchObject({ failed: false });
});

test('both kinds of rules are joined in the order of sources and lines', async () => {
  const api = source('create view v as select 1', { kind: 'api', name: 'api' });
  expect(await found(source('drop table t;\ndrop table u cascade;'), api)).toEqual([
    '001 1:1 ban-drop-table',
    '001 2:2 pgrst/drop-cascade',
    '001 2:2 ban-drop-table',
    'api 1:1 pgrst/outside-exposed-schema',
  ]);
});

test('a byte order mark and carriage returns move nothing', async () => {
  expect(await found(source('\uFEFFselect 1;\r\ndrop table t;\r\n'))).toEqual(['001 2:2 ban-drop-table']);
});
