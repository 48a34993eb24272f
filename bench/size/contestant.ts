// One process that is the operator for one large ApiSchema: a first release, a second look at it, and a second release.
// Prints JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createSqlAnalyst } from '../../operator/analysis/analyst.ts';
import { createApiSchemaController, createRunWork } from '../../operator/controllers/apischema/index.ts';
import { resyncMs } from '../../operator/controllers/apischema/order.ts';
import { createSquawk, squawkPath } from '../../operator/lint/squawk.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { findCondition } from '../../operator/runtime/conditions.ts';
import { createQueue } from '../../operator/runtime/queue.ts';
import { largeProject, projectRef, type ProjectSize } from '../../operator/testing/largeProject.ts';
import { createTextKube, emptyCache } from './kube.ts';

/** What `contestant.ts` is to do; without a URI nothing, to see how long the machine itself lets a process wait. */
export interface Task {
  readonly uri?: string;
  readonly size: ProjectSize;
}

/** The longest time for which the event loop did not turn, in milliseconds. */
export interface Stage {
  readonly name: string;
  readonly maxBlockMs: number;
  readonly seconds: number;
}

const { uri, size } = JSON.parse(await text(process.stdin)) as Task;
const delay = monitorEventLoopDelay({ resolution: 1 });
const stages: Stage[] = [];

async function stage(name: string, body: () => Promise<void>): Promise<void> {
  await nextTurn();
  delay.reset();
  delay.enable();
  const began = performance.now();
  await body();
  await nextTurn();
  delay.disable();
  stages.push({ name, maxBlockMs: delay.max / 1e6, seconds: (performance.now() - began) / 1000 });
}

async function operate(databaseUri: string): Promise<void> {
  const kube = createTextKube();
  const log = pino({ level: 'silent' });
  let elapsedMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + elapsedMs };
  const queue = createQueue<`${string}/${string}`>({ clock, rng: Math.random });
  const tools = { analyst: createSqlAnalyst(), squawk: createSquawk(squawkPath()) };
  const { reconciler, tasks } = createApiSchemaController({
    client: kube.client,
    caches: { schemas: emptyCache, instances: emptyCache, configMaps: emptyCache },
    clock,
    rng: Math.random,
    log,
    events: { record: () => undefined, flush: async () => Promise.resolve() },
    queue,
    clusterId: 'bench',
    identity: 'bench',
    run: createRunWork({ client: kube.client, ...tools }),
  });
  const key = `${projectRef.namespace}/${projectRef.name}` as const;
  const { signal } = new AbortController();

  /** Reconciles until nothing is left to do, as the queue's worker does. */
  const settle = async (): Promise<void> => {
    for (;;) {
      const world = await reconciler.observe(key, signal);
      if (world === undefined) throw new Error('the object is gone');
      const plan = reconciler.decide(world);
      await reconciler.act(plan, world, signal);
      if (plan.outcome.kind === 'blocked') throw new Error(JSON.stringify(plan.status?.conditions));
      const isSettled =
        plan.outcome.kind === 'settled' &&
        [...tasks.states(key).values()].every(({ state }) => state === 'done');
      if (isSettled) {
        const applied = findCondition(plan.status?.conditions, 'Applied');
        if (applied?.status !== 'True') throw new Error(JSON.stringify(applied));
        return;
      }
      const held = await queue.take(signal);
      held?.done();
    }
  };
  const put = async (version: number): Promise<void> => {
    for (const object of largeProject(size, databaseUri, version)) kube.put(object);
    await nextTurn();
  };

  await put(1);
  await stage('first release', settle);
  elapsedMs += resyncMs + 1;
  await stage('resync', settle);
  await put(2);
  await stage('second release', settle);
  elapsedMs += resyncMs + 1;
  await stage('another resync', settle);
  await tools.analyst.close();
  queue.close();
}

if (uri === undefined) await stage('nothing', async () => sleep(5000));
else await operate(uri);
console.log(JSON.stringify(stages));
