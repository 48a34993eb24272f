import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/types.ts';
import { createKubectl } from '../kube/kubectl.ts';
import { duration } from '../lib/log.ts';
import { Refused } from '../lib/refused.ts';
import { startLoad } from '../load/load.ts';
import type { Sample } from '../load/sample.ts';
import { createMonitor, type DemoObject } from './monitor.ts';
import { resultOf, type Result } from './result.ts';
import type { Display } from './terminal.ts';

/** Namespace and name of the example's objects. */
export const exampleNamespace = 'tasks';
const exampleName = 'tasks';
const example = join('examples', 'tasks');
const root = join(import.meta.dirname, '..', '..');

const requestsPerSecond = 150;
const maxSeconds = 1800;
/** How long the traffic is watched where nothing is to be waited for: before the release and after the refusal. */
const lookMs = 4000;

/** What the demo measured. */
export interface Outcome {
  readonly result: Result;
  readonly samples: readonly Sample[];
}

/**
 * The demo on a cluster that has the operator: applies the example, releases version 2 under traffic, rolls back, and
 * applies a broken migration. Rejects when a step does not come to its end, or when `signal` aborts.
 */
export async function tellStory(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig' | 'ingressUrl'>,
  display: Display,
  signal: AbortSignal,
): Promise<Outcome> {
  const kubectl = createKubectl(cluster);
  const typed = async (...args: string[]): Promise<number> => {
    display.say(`$ kubectl ${args.join(' ')}`);
    const at = Date.now();
    await kubectl(args.map((arg) => (arg.startsWith(example) ? join(root, arg) : arg)));
    return at;
  };
  const inNamespace = ['-n', exampleNamespace];
  const instanceRef = `apiinstance/${exampleName}`;

  await typed('apply', '-f', `${example}/`);
  const monitor = await createMonitor(cluster.kubeconfig, {
    namespace: exampleNamespace,
    name: exampleName,
    display,
    signal,
  });
  try {
    display.say('  … waiting for the database, its first migration and the first pods');
    const appliedAt = Date.now();
    const first = await monitor.until('instance', 'version 1 is Ready', (object) =>
      is(object, 'Ready', 'True'),
    );
    display.say(`  ✓ version 1 is Ready (${duration(Date.now() - appliedAt)})`);
    const versionOne = stableOf(first);
    const load = startLoad({
      url: cluster.ingressUrl,
      host: 'tasks.example.test',
      requests: [
        { method: 'GET', path: '/tasks?order=id.desc&limit=20' },
        { method: 'GET', path: '/open_tasks?limit=5' },
        { method: 'GET', path: '/tasks?select=id,title&order=id.desc&limit=1' },
        {
          method: 'POST',
          path: '/rpc/add_task',
          body: '{"title":"from the demo","description":"steady traffic"}',
        },
      ],
      ratePerSecond: requestsPerSecond,
      maxSeconds,
    });
    try {
      monitor.follow(load);
      monitor.title(`Version 1 serves ${String(requestsPerSecond)} requests a second`);
      await delay(lookMs, undefined, { signal });

      monitor.title('Release of version 2: 10 %, 50 %, 100 %, each step proved through the ingress');
      const releaseCommand = await typed('apply', '-f', `${example}/v2/`);
      const released = await monitor.until('instance', 'version 2 is Ready', (object) => {
        return stableOf(object) !== versionOne && is(object, 'Ready', 'True');
      });
      await delay(lookMs, undefined, { signal });

      monitor.title('Rollback to version 1, which was kept warm');
      const rollbackCommand = await typed(
        'annotate',
        ...inNamespace,
        instanceRef,
        'pgrst.dev/action=rollback',
      );
      await monitor.until('instance', 'version 1 serves again', (object) => {
        return (
          stableOf(object) === versionOne &&
          object.status?.candidate === undefined &&
          is(object, 'Ready', 'False')
        );
      });
      await delay(lookMs, undefined, { signal });

      monitor.title('A broken migration: refused, version 1 goes on');
      const brokenCommand = await typed('apply', '-f', `${example}/broken/`);
      const refusal = await monitor.until('schema', 'the broken migration is refused', (object) => {
        return is(object, 'Ready', 'False', 'MigrationFailed');
      });
      await delay(lookMs, undefined, { signal });

      const samples = await load.stop();
      display.end();
      display.say(`The operator says: ${conditionOf(refusal, 'Ready')?.message ?? ''}`);
      const times = { releaseCommand, rollbackCommand, brokenCommand };
      const versionTwo = stableOf(released);
      return { samples, result: resultOf({ samples, times, versionOne, versionTwo, refused: true }) };
    } catch (error) {
      await load.stop().catch(() => undefined);
      throw error;
    }
  } finally {
    monitor.stop();
    display.end();
  }
}

/** The label by which the example's namespace is known. */
const exampleLabel = 'app.kubernetes.io/part-of=postgrest-operator-examples';

/** Refuses to go on when the example's namespace is there and is not the example's: the demo deletes it. */
export async function refuseForeignNamespace(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig'>,
): Promise<void> {
  const kubectl = createKubectl(cluster);
  const found = await kubectl(['get', 'namespace', exampleNamespace, '--ignore-not-found', '-o', 'name']);
  const ours = await kubectl(['get', 'namespace', '-l', exampleLabel, '-o', 'name']);
  if (found.trim() !== '' && !ours.includes(found.trim()))
    throw new Refused(
      `Namespace ${exampleNamespace} exists and is not that of examples/tasks; the demo would delete it. Remove it, or use another cluster.`,
    );
}

/** Deletes what an earlier run or this one has left of the example; does nothing where there is none. */
export async function removeExample(cluster: Pick<Cluster, 'kubectl' | 'kubeconfig'>): Promise<void> {
  const kubectl = createKubectl(cluster);
  const objects = ['apiinstance,apischema', '--all', '-n', exampleNamespace, '--timeout=60s'];
  await kubectl.attempt(['delete', ...objects]);
  await kubectl(['delete', 'namespace', exampleNamespace, '--ignore-not-found', '--timeout=120s']);
}

function conditionOf(object: DemoObject, type: string) {
  return object.status?.conditions?.find((condition) => condition.type === type);
}

/** Whether a condition about the spec as it is now has this status, and this reason where one is given. */
function is(object: DemoObject, type: string, status: string, reason?: string): boolean {
  const condition = conditionOf(object, type);
  return (
    object.status?.observedGeneration === object.metadata.generation &&
    condition?.status === status &&
    (reason === undefined || condition.reason === reason)
  );
}

function stableOf(object: DemoObject): string {
  return String(object.status?.stable?.revision ?? 'none');
}
