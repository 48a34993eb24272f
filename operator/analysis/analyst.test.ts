import { once } from 'node:events';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createSqlAnalyst, type SqlAnalyst } from './analyst.ts';

// Each thread loads the parser, which takes a second on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

let analyst: SqlAnalyst;
let threads: Worker[];
const remember = (worker: Worker): void => {
  threads.push(worker);
};

beforeEach(() => {
  threads = [];
  process.on('worker', remember);
  analyst = createSqlAnalyst();
});
afterEach(async () => {
  vi.useRealTimers();
  process.off('worker', remember);
  await analyst.close();
});

test('the thread starts with the first call and serves all', async () => {
  expect(threads).toHaveLength(0);
  const answers = await Promise.all([
    analyst.call('searchPathNames', ['api, "$user"']),
    analyst.call('readApi', 'create view api.v as select 1', 'api'),
    analyst.call('mapSchemaNames', ['select api.x'], { from: 'api', to: 'api_1' }),
  ]);
  expect(answers).toEqual([
    [['api', '$user']],
    { kind: 'statements', statements: [{ number: 1, line: 1, text: 'create view api.v as select 1' }] },
    [{ text: 'select api_1.x', findings: [] }],
  ]);
  expect(threads).toHaveLength(1);
});

test('large arguments and results arrive whole', async () => {
  const sql = `create view api.v as select 1 as "é😀"${' '.repeat(100)};\n`.repeat(5000);
  const result = await analyst.call('readApi', sql, 'api');
  expect(result.kind === 'statements' && result.statements.length).toBe(5000);
  expect(result.kind === 'statements' && result.statements.at(-1)).toEqual({
    number: 5000,
    line: 5000,
    text: 'create view api.v as select 1 as "é😀"',
  });
});

test('calls are answered in their order', async () => {
  const answered: number[] = [];
  const slow = 'select 1;'.repeat(10_000);
  await Promise.all(
    [slow, 'select 2', 'select 3'].map(async (sql, index) => {
      await analyst.call('readMigrations', [{ name: 'a', sql, idempotent: false }]);
      answered.push(index);
    }),
  );
  expect(answered).toEqual([0, 1, 2]);
});

test('what an operation throws reaches its caller, and nobody else', async () => {
  const wrong = analyst.call('searchPathNames', [undefined as unknown as string]);
  const right = analyst.call('searchPathNames', ['a']);
  await expect(wrong).rejects.toThrow(/undefined/);
  await expect(right).resolves.toEqual([['a']]);
  expect(threads).toHaveLength(1);
});

test('a thread that dies takes its call with it; the next call gets another one', async () => {
  await analyst.call('searchPathNames', ['a']);
  const doomed = analyst.call('readApi', 'select 1;'.repeat(100_000), 'api');
  const next = analyst.call('searchPathNames', ['b']);
  await threads[0]?.terminate();
  await expect(doomed).rejects.toThrow('The SQL thread ended in the middle of its work');
  await expect(next).resolves.toEqual([['b']]);
  expect(threads).toHaveLength(2);
});

test('closed, it ends its thread, and starts again with the next call', async () => {
  await analyst.call('searchPathNames', ['a']);
  await analyst.close();
  expect(threads[0]?.threadId).toBe(-1);
  await expect(analyst.call('searchPathNames', ['b'])).resolves.toEqual([['b']]);
});

test('after a minute without work the thread ends', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await analyst.call('searchPathNames', ['a']);
  vi.advanceTimersByTime(59_000);
  await analyst.call('searchPathNames', ['b']);
  vi.advanceTimersByTime(59_000);
  expect(threads[0]?.threadId).toBeGreaterThan(0);
  const [worker] = threads;
  if (worker === undefined) throw new Error('there is no thread');
  const ended = once(worker, 'exit');
  vi.advanceTimersByTime(1_000);
  await ended;
  await expect(analyst.call('searchPathNames', ['c'])).resolves.toEqual([['c']]);
  expect(threads).toHaveLength(2);
});

test('SQL that breaks the parser is a problem of its own, and costs nobody else anything', async () => {
  const deep = `select ${'1+'.repeat(250_000)}1`;
  const [problem] = await analyst.call('readMigrations', [{ name: 'a', sql: deep, idempotent: false }]);
  expect(problem).toMatchObject({
    reason: 'MigrationFailed',
    failure: { statement: 1, line: 1, message: expect.stringContaining('nested too deeply') as string },
  });
  await expect(analyst.call('readApi', 'select 1', 'api')).resolves.toMatchObject({ kind: 'statements' });
  expect(threads).toHaveLength(2);
});
