import { randomBytes } from 'node:crypto';
import { createKubectl } from '../../hack/kube/kubectl.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import type { ApiInstanceStatus } from '../../operator/api/v1alpha1/apiInstanceStatus.ts';
import {
  asList,
  databaseManifests,
  instanceManifest,
  schemaManifest,
} from '../../test-e2e/support/manifests.ts';
import { restartable } from '../faults/stage.ts';
import { follow } from '../rollout/follow.ts';

interface InstanceObject extends WatchedObject {
  readonly status?: ApiInstanceStatus;
}

/** examples/tasks without its pooler, Ready, in a namespace of its own. */
export interface Stage {
  /** Under which it answers. */
  readonly host: string;
  /** Asks for a reload, and waits until every pod is proved to have done it; gives the seconds that took. */
  readonly reload: () => Promise<number>;
  /** Runs a command in the database's pod. */
  readonly inDatabase: (script: string) => Promise<string>;
  /** Names of the pods that there are. */
  readonly pods: () => Promise<readonly string[]>;
  /** Deletes everything. */
  readonly remove: () => Promise<void>;
}

const name = 'tasks';

/** Applies the example with so many pods. */
export async function setStage(
  cluster: Cluster,
  { pods, signal }: { readonly pods: number; readonly signal: AbortSignal },
): Promise<Stage> {
  const kubectl = createKubectl(cluster);
  const namespace = `bench-reload-${randomBytes(2).toString('hex')}`;
  const host = `${namespace}.example.test`;
  const stops: (() => void)[] = [];
  const remove = async (): Promise<void> => {
    for (const stop of stops) stop();
    const objects = ['apiinstance,apischema', '--all', '-n', namespace, '--timeout=60s'];
    await kubectl.attempt(['delete', ...objects]);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  };
  const instance = instanceManifest(namespace, host, ({ pooler: _, ...spec }) => ({
    ...spec,
    replicas: pods,
    postgrest: { ...spec.postgrest, config: { ...spec.postgrest?.config, 'db-pool': '3' } },
  }));
  const manifests = [
    ...databaseManifests(namespace).map(restartable),
    schemaManifest(namespace, 'v1'),
    instance,
  ];
  try {
    await kubectl(['apply', '-f', '-'], asList(manifests));
    const followed = await follow<InstanceObject>(
      cluster.kubeconfig,
      { path: `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/apiinstances`, name },
      signal,
    );
    stops.push(followed.stop);
    const first = await followed.until('the example is Ready', (object) => isDone(object, pods));
    let last = first.object.status?.lastAction?.id;
    return {
      host,
      async reload() {
        const began = Date.now();
        await kubectl(['annotate', '-n', namespace, `apiinstance/${name}`, 'pgrst.dev/action=reload']);
        await followed.until('the reload is accepted', ({ status }) => {
          return status?.lastAction !== undefined && status.lastAction.id !== last;
        });
        const { object, at } = await followed.until('every pod has reloaded', (now) => isReloaded(now, pods));
        last = object.status?.lastAction?.id;
        return (at - began) / 1000;
      },
      inDatabase: (script) =>
        kubectl(['exec', '-n', namespace, 'deploy/tasks-db', '--', 'timeout', '60', 'sh', '-c', script]),
      async pods() {
        const selector = `pgrst.dev/instance=${name},pgrst.dev/revision`;
        const listed = await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'name']);
        return listed.trim().split('\n').sort();
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function isDone({ status }: InstanceObject, pods: number): boolean {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return ready?.status === 'True' && status?.stable?.ready === pods;
}

/** The reload that was asked for last is done. */
function isReloaded(object: InstanceObject, pods: number): boolean {
  return isDone(object, pods) && object.status?.reload?.doneAt !== undefined;
}
