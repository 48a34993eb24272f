import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hopeless, until } from '../../hack/lib/wait.ts';
import type { Log } from '../../hack/lib/log.ts';
import { instancesPerSchema, namespaceOf, schemaName } from './objects.ts';
import { startOperator, type OperatorProcess } from './operatorProcess.ts';
import { quantileBetween } from './prometheus.ts';
import type { World } from './world.ts';

/** What one size came to. Times in seconds, memory in MiB. */
export interface Figures {
  readonly instances: number;
  readonly schemas: number;
  /** From the operator's start until it has looked at every object once. */
  readonly seenSeconds: number;
  /** Until it has proved every instance anew, and every object is settled. */
  readonly coldStartSeconds: number;
  /** The most memory up to there, and what it has at rest. */
  readonly peakRssMb: number;
  readonly restRssMb: number;
  /** CPU time of the cold start: what depends less on who else uses the machine. */
  readonly coldStartCpu: number;
  /** Share of one core while nothing happens, and writes meanwhile, Leases aside. */
  readonly cpuAtRest: number;
  readonly writesAtRest: number;
  /** How many reconciles there were meanwhile: the operator looks at everything again every ten minutes. */
  readonly rechecks: number;
  /** How long so many rollouts at once took, and how long reconciles took and waited for a worker meanwhile. */
  readonly rollouts: number;
  readonly rolloutSeconds: number;
  /** CPU time of them all, and how many reconciles they took. */
  readonly rolloutCpu: number;
  readonly rolloutReconciles: number;
  readonly reconcileP99: number;
  readonly queueP99: number;
  readonly rolloutRssMb: number;
}

const rollouts = 100;
const limitMs = 20 * 60_000;

/** What `measureSize` works with. */
export interface Setting {
  readonly world: World;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** How long the rest is looked at. */
  readonly restSeconds: number;
  /** For the operator that is measured. */
  readonly nodeOptions: readonly string[];
}

/** Grows the world to a size and measures there; ends without an operator. */
export async function measureSize(setting: Setting, instances: number): Promise<Figures> {
  const { world, log, signal } = setting;
  const keys = keysOf(instances);
  const start = (nodeOptions: readonly string[]): Promise<OperatorProcess> =>
    startOperator({
      dist: world.dist,
      kubeconfig: world.server.operatorKubeconfig,
      logFile: join(world.folder, 'logs', 'operator.log'),
      nodeOptions,
    });

  await log.step(`${instances} instances come to rest`, async () => {
    const operator = await start([]);
    try {
      await world.grow(instances, signal);
      await settled(operator, keys, 0, signal);
      await quiet(operator, signal);
    } finally {
      await operator.stop();
    }
  });

  const operator = await start(setting.nodeOptions);
  try {
    await log.step('cold start', () => settled(operator, keys, 0, signal));
    const told = keys.flatMap((key) => operator.told.get(key) ?? []);
    const seenSeconds = (Math.max(...told.map(({ firstAt }) => firstAt)) - operator.startedAt) / 1000;
    const coldStartSeconds = (Math.max(...told.map(({ lastAt }) => lastAt)) - operator.startedAt) / 1000;
    const [peakRssMb, coldStartCpu] = [operator.rssMb().peak, operator.cpuSeconds()];
    await log.step('quiet', () => quiet(operator, signal));
    const rest = await log.step('at rest', () => atRest(setting, operator));
    const rolled = await log.step('rollouts', () => rollOut(world, operator, instances, signal));
    for (const [message, count] of operator.warnings) log.say(`    ${count} x ${message}`);
    return {
      instances,
      schemas: schemasOf(instances),
      seenSeconds,
      coldStartSeconds,
      peakRssMb,
      coldStartCpu,
      ...rest,
      ...rolled,
    };
  } finally {
    await operator.stop();
  }
}

function schemasOf(instances: number): number {
  return Math.ceil(instances / instancesPerSchema);
}

/** The objects as the operator's log names them. */
function keysOf(instances: number): string[] {
  return [
    ...Array.from({ length: schemasOf(instances) }, (_, n) => `apischema ${namespaceOf(n)}/${schemaName}`),
    ...instanceKeys(instances).map((key) => `apiinstance ${key}`),
  ];
}

function instanceKeys(instances: number): string[] {
  return Array.from(
    { length: instances },
    (_, n) => `${namespaceOf(Math.floor(n / instancesPerSchema))}/api-${String(n % instancesPerSchema)}`,
  );
}

/** Waits until each of them has come to rest, after a moment (milliseconds since the epoch). */
async function settled(
  operator: OperatorProcess,
  keys: readonly string[],
  since: number,
  signal: AbortSignal,
): Promise<void> {
  const left = new Set(keys);
  await until(
    'every object is settled',
    () => {
      giveUp(signal);
      for (const key of left) {
        const { outcome, lastAt = 0 } = operator.told.get(key) ?? {};
        if (outcome === 'settled' && lastAt >= since) left.delete(key);
      }
      if (left.size === 0) return true;
      throw new Error(`${left.size} are not, ${[...left].slice(0, 3).join(', ')} among them`);
    },
    { timeoutMs: limitMs, everyMs: 100 },
  );
}

function giveUp(signal: AbortSignal): void {
  if (signal.aborted) throw new Hopeless(String(signal.reason));
}

/** Waits for five seconds in which nothing was reconciled. */
async function quiet(operator: OperatorProcess, signal: AbortSignal): Promise<void> {
  let before = -1;
  await until(
    'nothing is reconciled any more',
    async () => {
      giveUp(signal);
      const now = await reconciles(operator);
      if (now === before) return true;
      before = now;
      return undefined;
    },
    { timeoutMs: limitMs, everyMs: 5000 },
  );
}

async function reconciles(operator: OperatorProcess): Promise<number> {
  const metrics = await operator.metrics();
  return [...metrics]
    .filter(([series]) => series.startsWith('controller_runtime_reconcile_total{'))
    .reduce((sum, [, count]) => sum + count, 0);
}

async function atRest({ world, signal, restSeconds }: Setting, operator: OperatorProcess) {
  const audit = openAudit(world.server.auditLog);
  const [cpu, before] = [operator.cpuSeconds(), await reconciles(operator)];
  await sleep(restSeconds * 1000, undefined, { signal });
  return {
    cpuAtRest: (operator.cpuSeconds() - cpu) / restSeconds,
    restRssMb: operator.rssMb().now,
    writesAtRest: audit.count(),
    rechecks: (await reconciles(operator)) - before,
  };
}

/** A new release for as many ApiSchemas as have 100 instances. */
async function rollOut(world: World, operator: OperatorProcess, instances: number, signal: AbortSignal) {
  const count = Math.min(rollouts, instances);
  const keys = instanceKeys(count).map((key) => `apiinstance ${key}`);
  const before = await operator.metrics();
  const [cpu, looks, began] = [operator.cpuSeconds(), await reconciles(operator), Date.now()];
  await world.publish(schemasOf(count), signal);
  await settled(operator, keys, began, signal);
  const after = await operator.metrics();
  const p99 = (histogram: string): number =>
    quantileBetween(before, after, histogram, 'controller="apiinstance"', 0.99);
  const ended = keys.map((key) => operator.told.get(key)?.lastAt ?? 0);
  return {
    rollouts: count,
    rolloutSeconds: (Math.max(...ended) - began) / 1000,
    rolloutCpu: operator.cpuSeconds() - cpu,
    rolloutReconciles: (await reconciles(operator)) - looks,
    reconcileP99: p99('controller_runtime_reconcile_time_seconds'),
    queueP99: p99('workqueue_queue_duration_seconds'),
    rolloutRssMb: operator.rssMb().peak,
  };
}

/** Counts what is added to the audit log from now on. */
function openAudit(path: string): { count(): number } {
  const from = statSync(path).size;
  return {
    count() {
      const file = openSync(path, 'r');
      try {
        const added = Buffer.alloc(fstatSync(file).size - from);
        readSync(file, added, 0, added.length, from);
        return added.toString('utf8').split('\n').length - 1;
      } finally {
        closeSync(file);
      }
    },
  };
}
