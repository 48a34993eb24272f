// One process that is the operator for one large ApiSchema: a first release, a second look at it, and a second release.
// Prints JSON.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { resyncMs } from '../../operator/controllers/apischema/order.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import { findCondition } from '../../operator/runtime/conditions.ts';
import { largeProject, projectRef, type ProjectSize } from '../../operator/testing/largeProject.ts';
import { driveSchemaController } from '../../operator/testing/schemaController.ts';
import { createTextKube } from './kube.ts';

/** What `contestant.ts` is to do. */
export interface Task {
  /** URI of the database's owner. */
  readonly uri: string;
  readonly size: ProjectSize;
}

/** How a part of it went. */
export interface Stage {
  readonly name: string;
  /** The longest time for which the event loop did not turn. */
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

const kube = createTextKube();
let elapsedMs = 0;
const clock = { ...systemClock, now: () => systemClock.now() + elapsedMs };
const controller = driveSchemaController(kube.client, clock, `${projectRef.namespace}/${projectRef.name}`);

const settle = async (): Promise<void> => {
  const { conditions } = await controller.settle();
  const applied = findCondition(conditions, 'Applied');
  if (applied?.status !== 'True') throw new Error(JSON.stringify(applied));
};

for (const [version, name] of [
  [1, 'first release'],
  [2, 'second release'],
] as const) {
  for (const object of largeProject(size, uri, version)) kube.put(object);
  await stage(name, settle);
  elapsedMs += resyncMs + 1;
  await stage(`${name}, resync`, settle);
}
await controller.close();
console.log(JSON.stringify(stages));
