import { randomBytes } from 'node:crypto';
import { createKubectl, type Kubectl } from '../../hack/kube/kubectl.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import type { ApiInstanceStatus } from '../../operator/api/v1alpha1/apiInstanceStatus.ts';
import {
  asList,
  databaseManifests,
  instanceManifest,
  schemaManifest,
  type WrittenInstance,
} from '../../test-e2e/support/manifests.ts';
import { instance as instanceName } from './leftovers.ts';
import { follow } from '../rollout/follow.ts';

/** An ApiInstance as the watch gives it. */
interface InstanceObject extends WatchedObject {
  readonly spec?: { readonly pooler?: { readonly maxServerConnections?: number } };
  readonly status?: ApiInstanceStatus;
}

/** examples/tasks in a namespace of its own, Ready. */
export interface Stage {
  readonly namespace: string;
  /** Under which it answers. */
  readonly host: string;
  readonly kubectl: Kubectl;
  /** The cap on connections of the database that the spec sets. */
  readonly cap: number;
  /** Changes the pods, and waits until the new revision has all traffic for good; gives the seconds that took. */
  readonly cutover: (number: number) => Promise<number>;
  /** Waits until nothing but the stable revision has pods. */
  readonly rest: () => Promise<void>;
  /** Deletes everything. */
  readonly remove: () => Promise<void>;
}

/** How many old revisions are kept. */
export const keptRevisions = 3;

/** Applies the example. */
export async function setStage(cluster: Cluster, signal: AbortSignal): Promise<Stage> {
  const kubectl = createKubectl(cluster);
  const namespace = `bench-cutovers-${randomBytes(2).toString('hex')}`;
  const host = `${namespace}.example.test`;
  const stops: (() => void)[] = [];
  const remove = async (): Promise<void> => {
    for (const stop of stops) stop();
    const objects = ['apiinstance,apischema', '--all', '-n', namespace, '--timeout=60s'];
    await kubectl.attempt(['delete', ...objects]);
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  };
  // What changes is in the pods alone: no other revision has had it, so each is a new one.
  const edit = (number: number) => (spec: WrittenInstance) => ({
    ...spec,
    postgrest: { ...spec.postgrest, podTemplate: { annotations: { 'example.com/cutover': String(number) } } },
    rollout: { steps: [{ weight: 100 }], warmFor: '1s', revisionHistoryLimit: keptRevisions },
  });
  const instanceAt = (number: number) => instanceManifest(namespace, host, edit(number));
  const apply = (manifests: Parameters<typeof asList>[0]) => kubectl(['apply', '-f', '-'], asList(manifests));

  try {
    await apply([...databaseManifests(namespace), schemaManifest(namespace, 'v1'), instanceAt(0)]);
    const instance = await follow<InstanceObject>(
      cluster.kubeconfig,
      { path: `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/apiinstances`, name: instanceName },
      signal,
    );
    stops.push(instance.stop);
    const first = await instance.until('the example is Ready', isReady);
    let revision = first.object.status?.stable?.revision ?? 0;
    return {
      namespace,
      host,
      kubectl,
      cap: first.object.spec?.pooler?.maxServerConnections ?? 0,
      async cutover(number) {
        const began = Date.now();
        await apply([instanceAt(number)]);
        const { object, at } = await instance.until(
          `cutover ${String(number)}`,
          (now) => isReady(now) && (now.status?.stable?.revision ?? 0) > revision,
        );
        revision = object.status?.stable?.revision ?? 0;
        return (at - began) / 1000;
      },
      async rest() {
        const old = `pgrst.dev/instance=${instanceName},pgrst.dev/revision,pgrst.dev/revision!=${String(revision)}`;
        await kubectl(['wait', 'pod', '-n', namespace, '-l', old, '--for=delete', '--timeout=180s']);
      },
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function isReady({ metadata, status }: InstanceObject): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.candidate === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}
