// One process that is the operator for one large ApiSchema: a first release, a second look at it, and a second release.
// Prints JSON.
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
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
  /** The longest time between two turns of the event loop. */
  readonly maxBlockMs: number;
  /** The most CPU time that its thread took between two turns: what does not depend on who else uses the machine. */
  readonly maxBlockCpuMs: number;
  readonly seconds: number;
}

const { uri, size } = JSON.parse(await text(process.stdin)) as Task;
const stages: Stage[] = [];

async function stage(name: string, body: () => Promise<void>): Promise<void> {
  await nextTurn();
  const longest = { wallMs: 0, cpuMs: 0 };
  const began = performance.now();
  let turned = { at: began, cpuMs: cpuMs() };
  const look = setInterval(() => {
    const now = { at: performance.now(), cpuMs: cpuMs() };
    longest.wallMs = Math.max(longest.wallMs, now.at - turned.at);
    longest.cpuMs = Math.max(longest.cpuMs, now.cpuMs - turned.cpuMs);
    turned = now;
  }, 1);
  await body();
  // Once more around, so that what comes last is seen.
  await sleep(2);
  clearInterval(look);
  const seconds = (performance.now() - began) / 1000;
  stages.push({ name, maxBlockMs: longest.wallMs, maxBlockCpuMs: longest.cpuMs, seconds });
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
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
