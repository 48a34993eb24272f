import { describe, expect, test } from 'vitest';
import type { LintFinding } from '../../lint/finding.ts';
import { apiSchema, done, schemaWorld, summaryOf, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from '../../testing/strictDecide.ts';
import { fittedStatus, shownMessage } from './fittedStatus.ts';
import type { WorkResult, World } from './world.ts';

const long = 'x'.repeat(50_000);
const many = Array.from({ length: 200 }, () => long);
const finding: LintFinding = {
  rule: 'pgrst/some-rule',
  level: 'error',
  source: 'm1',
  statement: 1,
  line: 1,
  message: long,
  why: long,
  fix: long,
};
const lint = { findings: many.map(() => finding), failed: true, ignored: 0 };
const change = { kind: 'column', name: long, change: 'removed', breaking: true, detail: long } as const;

/** The world in which this kind of work has come to this, and what the first look made of it is in status. */
function after(results: Readonly<Record<string, WorkResult>>, start: World = schemaWorld()): World {
  const { work = [], status } = decide(start);
  const ended = work.flatMap(({ id }) => {
    const result = results[id.split('-')[0] ?? ''];
    return result === undefined ? [] : [[id, done(result, worldNow)] as const];
  });
  const object = { ...start.object, ...(status === undefined ? {} : { status }) };
  return { ...start, object, work: new Map(ended) };
}

describe('the API server takes the status', () => {
  const pieces = { statement: 3, line: 9, message: 'division by zero', statementsDone: 2 };
  const blocked = (message: string, error: Partial<Extract<WorkResult, { kind: 'blocked' }>>): WorkResult =>
    ({ kind: 'blocked', reason: 'MigrationFailed', message, ...error }) as WorkResult;
  test.each<[string, WorkResult]>([
    ['of a migration that ran in pieces', blocked('It failed.', { error: { migration: 'm1', ...pieces } })],
    ['of an error without end', blocked(long, { error: { message: long, hint: long, sqlstate: '22012' } })],
    [
      'of findings and tests without end',
      blocked(long, { lint, tests: { passed: 0, failed: 9, lines: many } }),
    ],
    ['of changes without end', blocked(long, { changes: many.map(() => change) })],
    [
      'of differences without end',
      blocked(long, { drift: many.map((difference) => ({ subject: 'release', difference })) as never }),
    ],
  ])('%s', (_name, result) => {
    const { status } = decide(after({ apply: result }));
    expect(status?.lastError?.message.length).toBeLessThanOrEqual(4096);
    for (const { message } of status?.conditions ?? []) expect(message.length).toBeLessThanOrEqual(4096);
  });

  test('of a plan without end', () => {
    const planned: WorkResult = {
      kind: 'planned',
      statements: many.map((text) => ({
        isTried: true,
        source: 'm1',
        number: 1,
        line: 1,
        text,
        transaction: true,
        locks: many.map((relation) => ({ relation, mode: 'ShareLock' })),
        rewrites: many,
      })),
      changes: many.map(() => change),
      problems: many,
    };
    const { status } = decide(after({ plan: planned }, schemaWorld(apiSchema({ spec: { suspend: true } }))));
    expect(status?.plan?.statements).toHaveLength(50);
    expect(status?.plan?.problems).toHaveLength(20);
  });

  test('of a contraction that is refused at length', () => {
    const object = apiSchema({
      spec: { contractions: [{ name: 'c', sql: 'drop table t', approval: 'Manual' }] },
    });
    const summary = {
      ...summaryOf('aaaa1111'),
      contractions: { applied: 0, pending: 1, last: [] },
    };
    const results: Readonly<Record<string, WorkResult>> = {
      apply: { kind: 'applied', summary, unmapped: [] },
      survey: { kind: 'contractionRefused', message: long },
    };
    const { status } = decide(after(results, after(results, schemaWorld(object))));
    const condition = status?.conditions?.find(({ type }) => type === 'ContractionPending');
    expect(condition?.message).toHaveLength(4096);
  });
});

test('what is cut ends so that it can be seen, and is not cut again', () => {
  const text = shownMessage(long);
  expect(text).toMatch(/x\.\.\.$/);
  expect(shownMessage(text)).toBe(text);
  expect(shownMessage('Short.')).toBe('Short.');
});

test('no character is cut in half', () => {
  const lastError = { message: `${'x'.repeat(4092)}${'\u{1F600}'.repeat(9)}` };
  const message = fittedStatus({ lastError }).lastError?.message ?? '';
  expect(message).toHaveLength(4096);
  expect(message.isWellFormed()).toBe(true);
  expect(JSON.parse(JSON.stringify(message))).toBe(message);
});

test('an Event tells of a long message once', () => {
  const start = after({ apply: { kind: 'blocked', reason: 'TestsFailed', message: long } });
  const first = decide(start);
  expect(first.notes.map(({ reason }) => reason)).toEqual(['TestsFailed']);
  const object = { ...start.object, ...(first.status === undefined ? {} : { status: first.status }) };
  expect(decide({ ...start, object }).notes).toEqual([]);
});
