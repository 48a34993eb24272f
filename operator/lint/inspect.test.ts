import { beforeAll, describe, expect, test } from 'vitest';
import { loadSqlParser } from '../migration/parser.ts';
import { functionCases } from '../testing/lintFunctionCases.ts';
import { revoked, type LintTexts, type RuleCases } from '../testing/lintCase.ts';
import { statementCases } from '../testing/lintStatementCases.ts';
import { viewCases } from '../testing/lintViewCases.ts';
import { inspectSources } from './inspect.ts';
import { rules, type RuleName } from './rules.ts';
import type { LintSource } from './source.ts';

beforeAll(loadSqlParser);

function sourcesOf({ applied, migration, contraction, api }: LintTexts): readonly LintSource[] {
  const source = (kind: LintSource['kind'], name: string, sql: string | undefined): LintSource[] =>
    sql === undefined ? [] : [{ kind, name, sql, ignore: [] }];
  return [
    ...source('migration', '001', applied).map((one) => ({ ...one, applied: true })),
    ...source('migration', '002', migration),
    ...source('contraction', 'c1', contraction),
    ...source('api', 'api', api),
  ];
}

function found(texts: LintTexts): readonly string[] {
  return inspectSources(sourcesOf(texts), 'api').findings.map(({ rule }) => rule);
}

// Every rule of ours has its cases; what squawk cannot read is for lint.test.ts.
const cases: Readonly<Record<Exclude<RuleName, 'pgrst/not-read-by-squawk'>, RuleCases>> = {
  ...statementCases,
  ...viewCases,
  ...functionCases,
};

describe.each(Object.entries(cases))('%s', (rule, { bad, good }) => {
  test.each(bad)('is found when $when', ({ when: _, ...texts }) => {
    expect(found(texts)).toContain(rule);
  });
  test.each(good)('is not found when $when', ({ when: _, ...texts }) => {
    expect(found(texts)).not.toContain(rule);
  });
});

test('a finding names source, statement and line, and says why and what to do', () => {
  const api = 'create view api.a as select 1;\n\n\ncreate view\n  v as select 2;';
  const [finding] = inspectSources(sourcesOf({ api }), 'api').findings;
  expect(finding).toEqual({
    rule: 'pgrst/outside-exposed-schema',
    ...rules['pgrst/outside-exposed-schema'],
    source: 'api',
    statement: 2,
    line: 4,
    message: 'View public.v is created outside of the schema api.',
  });
});

test('a finding in a body has its line', () => {
  const api = `${revoked}\ncreate function api.f() returns void language plpgsql as $$\nbegin\n  execute 'select api.g()';\nend $$;`;
  expect(inspectSources(sourcesOf({ api }), 'api').findings).toMatchObject([{ statement: 2, line: 4 }]);
});

test('an ambiguous name in a body has its line', () => {
  const api = `${revoked}\ncreate function api.f() returns int language sql as $$\n\n  select api.id from api.tasks api\n$$;`;
  const { findings } = inspectSources(sourcesOf({ api }), 'api');
  expect(findings[0]).toMatchObject({ rule: 'pgrst/ambiguous-schema-name', line: 4 });
});

test('functions that run as their caller share one finding', () => {
  const functions = ['a', 'b', 'c', 'd', 'e', 'f'].map(
    (name) => `create function api.${name}() returns int return 1;`,
  );
  const { findings } = inspectSources(sourcesOf({ api: functions.join('\n') }), 'api');
  expect(findings.map(({ message }) => message)).toEqual([
    'PUBLIC may execute api.a, api.b, api.c, api.d, api.e and 1 more.',
  ]);
});

describe('a statement disturbs nobody', () => {
  test.each([
    ['create table t (id int); alter table t add column x int', [true, true]],
    ['create table app.t (id int); alter table t add column x int', [true, false]],
    [
      'set search_path to app; create table t (id int); create index i on app.t (id); drop index i',
      [false, true, true, true],
    ],
    ['alter table t add column x int; create table t (id int)', [false, true]],
    [
      'create table t (id int); alter table t rename to u; alter table u rename column id to x',
      [true, true, true],
    ],
    ['create table a (id int); drop table a, b', [true, false]],
    ['create schema s create table t (id int); create index on s.t (id)', [false, true]],
  ])('only when its tables are new: %s', (migration, onNew) => {
    const [places] = inspectSources(sourcesOf({ migration }), 'api').places;
    expect(places?.map((place) => place.onNew)).toEqual(onNew);
  });
});
