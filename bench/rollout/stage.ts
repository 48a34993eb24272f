import { randomBytes } from 'node:crypto';
import { KubeConfig } from '@kubernetes/client-node';
import { createKubectl, type Kubectl } from '../../hack/kube/kubectl.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import { gatewayRef } from '../../hack/cluster/manifests/traefik.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import type { ApiInstanceStatus } from '../../operator/api/v1alpha1/apiInstanceStatus.ts';
import type { ApiSchemaStatus } from '../../operator/api/v1alpha1/apiSchemaStatus.ts';
import { createKubeClient, type ConnectedKubeClient } from '../../operator/runtime/client.ts';
import {
  asList,
  databaseManifests,
  instanceManifest,
  schemaManifest,
} from '../../test-e2e/support/manifests.ts';
import { keptRevisions, replicas, steps, warmSeconds } from './contender.ts';
import { follow, type Followed } from './follow.ts';

/** Name of the ApiSchema and of the ApiInstance. */
export const exampleName = 'tasks';

/** An ApiInstance as the watch gives it. */
export interface InstanceObject extends WatchedObject {
  readonly status?: ApiInstanceStatus;
}
/** Through what clients come. */
export type Router = 'ingress-nginx' | 'gateway';

interface SchemaObject extends WatchedObject {
  readonly status?: ApiSchemaStatus;
}

/** examples/tasks in a namespace of its own, serving its first release, with a second one published beside it. */
export interface Stage {
  readonly namespace: string;
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  readonly client: ConnectedKubeClient;
  readonly instance: Followed<InstanceObject>;
  /** Under which the ApiInstance answers. */
  readonly host: string;
  /** Number of the revision that serves. */
  readonly baseRevision: number;
  /** Ids of the release that serves, and of the other one. */
  readonly releases: { readonly base: string; readonly other: string };
  /** Deletes everything. */
  readonly remove: () => Promise<void>;
}

const mappings = {
  'pgrst.dev/v1alpha1 ApiInstance': { plural: 'apiinstances', namespaced: true },
  'argoproj.io/v1alpha1 Rollout': { plural: 'rollouts', namespaced: true },
};

/**
 * Both releases are published before anything is measured, and the instance names the one that it serves: no figure
 * holds the time of a migration.
 */
export async function setStage(cluster: Cluster, router: Router, signal: AbortSignal): Promise<Stage> {
  const { kubeconfig } = cluster;
  const kubectl = createKubectl(cluster);
  const namespace = `bench-rollout-${randomBytes(2).toString('hex')}`;
  const host = `ours.${namespace}.example.test`;
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const client = createKubeClient(config, { mappings });
  const stops: (() => unknown)[] = [() => client.close()];
  const remove = async (): Promise<void> => {
    for (const stop of stops) await stop();
    const objects = ['apiinstance,apischema', '--all', '-n', namespace, '--timeout=60s'];
    await kubectl.attempt(['delete', ...objects]);
    // Nobody waits for the pods: they take their time to drain.
    await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
  };

  const instanceAt = (release?: string) =>
    instanceManifest(namespace, host, (spec) => ({
      ...spec,
      ...(router === 'gateway' && {
        expose: { host, path: '/', router: 'GatewayAPI', parentRefs: [gatewayRef] },
      }),
      replicas,
      schemaRef: { name: exampleName, ...(release !== undefined && { release }) },
      rollout: { steps, warmFor: `${String(warmSeconds)}s`, revisionHistoryLimit: keptRevisions },
    }));
  const apply = (manifests: Parameters<typeof asList>[0]) => kubectl(['apply', '-f', '-'], asList(manifests));

  try {
    await apply([...databaseManifests(namespace), schemaManifest(namespace, 'v1'), instanceAt()]);
    const path = (plural: string) => `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/${plural}`;
    const schema = await follow<SchemaObject>(
      kubeconfig,
      { path: path('apischemas'), name: exampleName },
      signal,
    );
    stops.push(schema.stop);
    const instance = await follow<InstanceObject>(
      kubeconfig,
      { path: path('apiinstances'), name: exampleName },
      signal,
    );
    stops.push(instance.stop);

    const first = await instance.until('the first release is served', isReady);
    const base = first.object.status?.stable?.release ?? '';
    await apply([instanceAt(base)]);
    await apply([schemaManifest(namespace, 'v2')]);
    const second = await schema.until(
      'the second release is published',
      ({ status }) => status?.release !== undefined && status.release.id !== base,
    );
    const other = second.object.status?.release?.id ?? '';
    const settled = await instance.until(
      'the instance is Ready with its release pinned',
      (object) => isReady(object) && object.status?.stable?.release === base,
    );
    const baseRevision = settled.object.status?.stable?.revision ?? 0;
    return {
      ...{ namespace, kubeconfig, kubectl, client, instance, host, baseRevision, remove },
      releases: { base, other },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

function isReady({ metadata, status }: InstanceObject): boolean {
  return (
    status?.observedGeneration === metadata.generation &&
    status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true
  );
}
