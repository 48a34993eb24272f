import { beforeAll, describe, expect, test } from 'vitest';
import type { ContractionTarget } from './contractionTargets.ts';
import { findMentions } from './findMentions.ts';
import { loadSqlParser } from './parser.ts';

beforeAll(loadSqlParser);

const table: ContractionTarget = { kind: 'relation', schema: 'public', name: 'tasks', change: 'dropped' };
const column: ContractionTarget = { ...table, column: 'due' };

function certainty(
  text: string,
  target: ContractionTarget,
  { isTrigger = false, own = [] }: { readonly isTrigger?: boolean; readonly own?: readonly string[] } = {},
): 'sure' | 'maybe' | 'no' {
  const schemas = target.schema === undefined ? ['public'] : [target.schema];
  const [found] = findMentions([{ text, rowsOf: isTrigger ? [0] : [], own }], [{ ...target, schemas }]);
  const mention = found?.[0];
  if (mention === undefined) return 'no';
  return mention.isSure ? 'sure' : 'maybe';
}

function isMentioned(text: string, target: ContractionTarget, isTrigger = false): boolean {
  return certainty(text, target, { isTrigger }) !== 'no';
}

describe('a table', () => {
  test.each([
    'select 1 from public.tasks',
    'select 1 from "public"."tasks"',
    'select 1 from TASKS t',
    'select 1 from a, tasks',
    'declare r tasks%rowtype; begin end',
    'declare r tasks; begin end',
    'begin insert into tasks default values; end',
    'begin update only tasks set a = 1; end',
    'begin return null::public.tasks; end',
    "begin execute 'delete from tasks'; end",
    "begin execute format('delete from %I', 'tasks'); end",
    'begin for r in select * from x join tasks using (id) loop end loop; end',
    "this is not SQL 'at all: tasks",
  ])('is mentioned by: %s', (text) => {
    expect(isMentioned(text, table)).toBe(true);
  });

  test.each([
    'select 1 from api_1a2b3c4d.tasks',
    'select 1 -- from public.tasks',
    'select x.tasks from public.lists x',
    'select 1 where tasks > 3',
    'select 1 from public.tasks_archive',
    "begin raise 'all subtasks done'; end",
    'select 1 from "Tasks"',
  ])('is not mentioned by: %s', (text) => {
    expect(isMentioned(text, table)).toBe(false);
  });
});

describe('a column', () => {
  test.each([
    'select due from public.tasks',
    'select t."due" from tasks t',
    'select * from public.tasks',
    'select t.* from tasks t',
    'begin insert into public.tasks values (1); end',
    'begin insert into tasks select 1; end',
    "begin execute 'update tasks set due = null'; end",
    "begin perform 1 from public.tasks; execute 'due'; end",
  ])('is mentioned by: %s', (text) => {
    expect(isMentioned(text, column)).toBe(true);
  });

  test.each([
    'select due from public.invoices',
    'select due from api_1a2b3c4d.tasks',
    'select count(*), 2 * 3 from public.tasks',
    'select overdue from public.tasks',
    'begin insert into public.tasks (id) values (1); end',
    'begin new.due := 1; end',
  ])('is not mentioned by: %s', (text) => {
    expect(isMentioned(text, column)).toBe(false);
  });

  test("is mentioned by NEW in a function of its table's triggers", () => {
    expect(isMentioned('begin new.due := 1; return new; end', column, true)).toBe(true);
    expect(isMentioned('begin new.title := 1; return new; end', column, true)).toBe(false);
  });

  test('that only takes less is in the way of writers only', () => {
    const narrowed = { ...column, change: 'tightened' } as const;
    expect(isMentioned('select due from public.tasks', narrowed)).toBe(false);
    expect(isMentioned('begin insert into public.tasks (id) values (1); end', narrowed)).toBe(true);
  });
});

describe('what else', () => {
  const routine: ContractionTarget = { kind: 'routine', name: 'notify', change: 'dropped' };
  const type: ContractionTarget = { kind: 'type', name: 'state', change: 'dropped' };
  const schema: ContractionTarget = { kind: 'schema', name: 'old', change: 'dropped' };
  test.each([
    ['begin perform notify(1); end', routine, true],
    ['begin perform public.notify (1); end', routine, true],
    ['begin perform other.notify(1); end', routine, false],
    ['select notify from t', routine, false],
    ["select 'open'::state", type, true],
    ["select cast('open' as state)", type, true],
    ['declare s state; begin end', type, true],
    ["select public.state 'open'", type, true],
    ['select state from t where state = $1', type, false],
    ['select t.state from t', type, false],
    ['select 1 from old.t', schema, true],
    ["begin set search_path to 'old'; end", schema, true],
    ['select 1 from older.t', schema, false],
  ])('%s', (text, target, expected) => {
    expect(isMentioned(text, target)).toBe(expected);
  });
});

describe('how sure it is', () => {
  test.each([
    ['select due from public.tasks', column, 'sure'],
    ['select due from tasks', column, 'maybe'],
    ['select * from public.tasks', column, 'maybe'],
    ['select 1 from public.tasks', table, 'sure'],
    ["begin execute 'delete from tasks'; end", table, 'maybe'],
    ['select due from public.tasks', { ...column, change: 'revoked' }, 'maybe'],
    ['begin update public.tasks set due = null; end', { ...column, change: 'tightened' }, 'maybe'],
    ['select 1 from public.tasks', { ...table, change: 'changed' }, 'maybe'],
    ['select 1 from public.tasks', { ...table, change: 'renamed' }, 'sure'],
  ] as const)('%s', (text, target, expected) => {
    // The release has a view tasks of its own.
    expect(certainty(text, target, { own: ['tasks'] })).toBe(expected);
  });
});
