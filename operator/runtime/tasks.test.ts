import { describe, expect, test } from 'vitest';
import { createFakeClock } from '../testing/fakeClock.ts';
import { quietLog } from '../testing/quietLog.ts';
import type { Priority } from './queue.ts';
import type { Key, WorkOrder } from './reconciler.ts';
import { createTaskSupervisor, type TaskContext } from './tasks.ts';

interface Run {
  readonly order: WorkOrder<string>;
  readonly context: TaskContext;
  resolve(result: string): void;
  reject(error: Error): void;
}

function setUp() {
  const clock = createFakeClock();
  const settled: Key[] = [];
  const priorities: Priority[] = [];
  const runs: Run[] = [];
  const supervisor = createTaskSupervisor<string, string>({
    clock,
    rng: () => 1,
    log: quietLog,
    onSettled: (key, priority) => {
      settled.push(key);
      priorities.push(priority);
    },
  });
  const run = (order: WorkOrder<string>, context: TaskContext): Promise<string> => {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    runs.push({ order, context, resolve, reject });
    return promise;
  };
  const ensure = (...ids: string[]): void => {
    supervisor.ensure(
      'ns/a',
      ids.map((id) => ({ id, spec: id })),
      run,
    );
  };
  const state = (id: string) => supervisor.states('ns/a').get(id);
  return { clock, settled, priorities, runs, supervisor, ensure, state, run };
}

describe('task supervisor', () => {
  test('starts an order once, however often it is ordered, and keeps its result', async () => {
    const { clock, settled, runs, ensure, state } = setUp();
    ensure('one');
    ensure('one');
    await clock.settle();
    expect(runs).toHaveLength(1);
    expect(state('one')).toEqual({ state: 'running' });
    runs[0]?.resolve('done');
    await clock.settle();
    ensure('one');
    await clock.settle();
    expect(runs).toHaveLength(1);
    expect(state('one')).toEqual({ state: 'done', result: 'done', at: clock.now() });
    expect(settled).toEqual(['ns/a']);
  });

  test('an order that is withdrawn is cancelled and forgotten, the others go on', async () => {
    const { clock, settled, runs, ensure, state } = setUp();
    ensure('one', 'two');
    await clock.settle();
    ensure('two', 'three');
    await clock.settle();
    expect(runs.map(({ order, context }) => [order.id, context.signal.aborted])).toEqual([
      ['one', true],
      ['two', false],
      ['three', false],
    ]);
    expect(state('one')).toBeUndefined();
    runs[0]?.resolve('too late');
    await clock.settle();
    expect(settled).toEqual([]);
  });

  test('an order that comes back waits until its cancelled run has ended', async () => {
    const { clock, runs, ensure, state } = setUp();
    ensure('one');
    await clock.settle();
    ensure();
    ensure('one');
    await clock.settle();
    expect(runs).toHaveLength(1);
    runs[0]?.reject(new Error('cancelled'));
    await clock.settle();
    expect(runs).toHaveLength(2);
    expect(state('one')).toEqual({ state: 'running' });
    ensure();
    ensure('one');
    ensure();
    runs[1]?.resolve('late');
    await clock.settle();
    expect(runs).toHaveLength(2);
  });

  test('failed work runs again with growing delays and tells of the failure meanwhile', async () => {
    const { clock, settled, runs, ensure, state } = setUp();
    ensure('one');
    await clock.settle();
    runs[0]?.reject(new Error('no route'));
    await clock.settle();
    const failure = { message: 'no route', at: clock.now() };
    expect(state('one')).toEqual({ state: 'failed', ...failure });
    expect(settled).toHaveLength(1);
    await clock.advance(999);
    ensure('one');
    expect(runs).toHaveLength(1);
    await clock.advance(1);
    expect(runs).toHaveLength(2);
    expect(state('one')).toEqual({ state: 'running', failure });
    runs[1]?.reject(new Error('no route'));
    await clock.advance(1999);
    expect(runs).toHaveLength(2);
    await clock.advance(1);
    expect(runs).toHaveLength(3);
  });

  test('failed work that is no longer ordered does not run again, and leaves no timer behind', async () => {
    const clock = createFakeClock();
    const timers = new Set<object>();
    let runs = 0;
    const supervisor = createTaskSupervisor<string, string>({
      clock: {
        ...clock,
        after(ms, callback) {
          const timer = {};
          timers.add(timer);
          const cancel = clock.after(ms, callback);
          return () => {
            timers.delete(timer);
            cancel();
          };
        },
      },
      rng: () => 1,
      log: quietLog,
      onSettled: () => undefined,
    });
    const run = (): Promise<string> => {
      runs += 1;
      return Promise.reject(new Error('no'));
    };
    supervisor.ensure('ns/a', [{ id: 'one', spec: '' }], run);
    await clock.settle();
    expect(timers.size).toBe(1);
    supervisor.ensure('ns/a', [], run);
    expect(timers.size).toBe(0);
    await clock.advance(100_000);
    expect(runs).toBe(1);
  });

  test('progress that says what it said before enqueues nothing', async () => {
    const { clock, settled, runs, ensure } = setUp();
    ensure('one');
    await clock.settle();
    runs[0]?.context.progress({ waitingFor: undefined });
    expect(settled).toEqual([]);
    for (let second = 0; second < 5; second += 1) {
      runs[0]?.context.progress({ waitingFor: 'a pod' });
      await clock.advance(1000);
    }
    expect(settled).toHaveLength(1);
  });

  test('the end of work that nobody waits for is not urgent, unless somebody has begun to wait', async () => {
    const { clock, priorities, runs, supervisor, run } = setUp();
    const order = (id: string, priority?: Priority) => ({ id, spec: id, ...(priority ? { priority } : {}) });
    supervisor.ensure('ns/a', [order('one', 'resync'), order('two', 'resync'), order('three')], run);
    await clock.settle();
    runs[0]?.resolve('done');
    await clock.settle();
    supervisor.ensure('ns/a', [order('one', 'resync'), order('two'), order('three')], run);
    runs[1]?.resolve('done');
    runs[2]?.resolve('done');
    await clock.settle();
    expect(priorities).toEqual(['resync', 'changed', 'changed']);
  });

  test('progress is seen at once and enqueues at most once a second', async () => {
    const { clock, settled, runs, ensure, state } = setUp();
    ensure('one');
    await clock.settle();
    for (let i = 1; i <= 100; i += 1) runs[0]?.context.progress(i);
    expect(state('one')).toEqual({ state: 'running', progress: 100 });
    expect(settled).toHaveLength(1);
    await clock.advance(1000);
    expect(settled).toHaveLength(2);
    await clock.advance(10_000);
    expect(settled).toHaveLength(2);
  });

  test('a task that throws at once, or something that is no error, is a failed task', async () => {
    const { clock, supervisor } = setUp();
    supervisor.ensure('ns/a', [{ id: 'one', spec: '' }], () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- foreign code does
      throw 'just text';
    });
    await clock.settle();
    expect(supervisor.states('ns/a').get('one')).toMatchObject({ state: 'failed', message: 'just text' });
  });

  test('keys do not meet', async () => {
    const { clock, runs, supervisor, ensure, run } = setUp();
    ensure('one');
    supervisor.ensure('ns/b', [{ id: 'one', spec: '' }], run);
    await clock.settle();
    expect(runs).toHaveLength(2);
    ensure();
    expect(runs.map(({ context }) => context.signal.aborted)).toEqual([true, false]);
  });

  test('stop cancels all, waits for the end, and starts nothing any more', async () => {
    const { clock, runs, supervisor, ensure } = setUp();
    ensure('one');
    await clock.settle();
    let stopped = false;
    const stopping = supervisor.stop(5000).then(() => {
      stopped = true;
    });
    ensure('two');
    await clock.settle();
    expect([stopped, runs.length, runs[0]?.context.signal.aborted]).toEqual([false, 1, true]);
    runs[0]?.reject(new Error('cancelled'));
    await stopping;
  });

  test('stop gives up on work that does not end', async () => {
    const { clock, supervisor, ensure } = setUp();
    ensure('one');
    await clock.settle();
    const stopping = supervisor.stop(5000);
    await clock.advance(5000);
    await stopping;
  });
});
