import { EventEmitter } from 'node:events';
import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { capturingLog } from '../testing/quietLog.ts';
import { exitOnFatalErrors, runShutdown } from './shutdown.ts';

describe('runShutdown', () => {
  test('runs the steps in order, each with what is left of the deadline', async () => {
    const clock = createFakeClock();
    const { log } = capturingLog();
    const done: string[] = [];
    const step = (name: string, ms: number) => ({
      name,
      run: (remainingMs: number) =>
        new Promise<void>((resolve) => {
          clock.after(ms, () => {
            done.push(`${name} of ${String(remainingMs)}`);
            resolve();
          });
        }),
    });
    const stopping = runShutdown([step('drain', 3000), step('tasks', 1000)], {
      clock,
      log,
      deadlineMs: 10_000,
    });
    await clock.advance(4000);
    await stopping;
    expect(done).toEqual(['drain of 10000', 'tasks of 7000']);
  });

  test('a step that throws or hangs does not keep the later ones from running', async () => {
    const clock = createFakeClock();
    const { log, lines } = capturingLog();
    const done: string[] = [];
    const stopping = runShutdown(
      [
        { name: 'throws', run: () => Promise.reject(new Error('no')) },
        { name: 'hangs', run: () => new Promise<void>(() => undefined) },
        {
          name: 'release',
          run: (remainingMs) => {
            done.push(`release with ${String(remainingMs)}`);
          },
        },
      ],
      { clock, log, deadlineMs: 5000 },
    );
    await clock.advance(5000);
    await stopping;
    expect(done).toEqual(['release with 0']);
    expect(lines.map(({ step, level }) => [step, level])).toEqual([
      ['throws', 'error'],
      ['hangs', 'warn'],
      ['release', 'debug'],
    ]);
  });
});

test('what nobody caught is logged and ends the process', () => {
  const { log, lines } = capturingLog();
  const codes: number[] = [];
  const source = Object.assign(new EventEmitter(), { exit: (code: number) => codes.push(code) });
  exitOnFatalErrors(source, log);
  source.emit('unhandledRejection', new Error('a bug'));
  expect(codes).toEqual([1]);
  expect(lines[0]).toMatchObject({ level: 'fatal', err: { message: 'a bug' } });
});
