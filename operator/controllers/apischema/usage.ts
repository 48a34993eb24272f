import type { ApiInstance } from '../../api/v1alpha1/apiInstance.ts';
import { instanceLabel } from '../../resources/names.ts';
import { readControllerRevision } from '../../resources/revision.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { schemaNameOf, type Caches } from './caches.ts';
import type { Follower, Usage } from './world.ts';

/** The ApiInstances that refer to the ApiSchema, by name, in order. */
export function instancesOf(caches: Caches, namespace: string, schema: string): readonly ApiInstance[] {
  return caches.instances
    .list()
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map((object) => object as unknown as ApiInstance)
    .filter((instance) => schemaNameOf(instance) === schema)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** How far an instance is with the newest release. */
export function followerOf({ metadata, spec, status }: ApiInstance): Follower {
  return {
    name: metadata.name,
    follows: spec.schemaRef.release === undefined,
    ...(spec.schemaRef.release === undefined ? {} : { pins: spec.schemaRef.release }),
    ...(status?.stable === undefined ? {} : { serves: status.stable.release }),
    ...(status?.candidate === undefined ? {} : { rollsTo: status.candidate.release }),
    isRolling: status?.candidate !== undefined,
  };
}

/** Every kept revision of these instances with its release, read live: what a revision uses must not be dropped. */
export async function readUsage(
  instances: readonly ApiInstance[],
  namespace: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<readonly Usage[]> {
  if (instances.length === 0) return [];
  const { items } = await client.list(
    { apiVersion: 'apps/v1', kind: 'ControllerRevision', namespace, labelSelector: instanceLabel },
    signal,
  );
  const usage = items.flatMap((object): Usage[] => {
    const instance = instances.find(
      ({ metadata }) => metadata.name === object.metadata.labels?.[instanceLabel],
    );
    const snapshot = instance && readControllerRevision(object);
    if (instance === undefined || snapshot === undefined) return [];
    const { stable, candidate, traffic } = instance.status ?? {};
    const routed = [
      stable?.revision,
      candidate?.revision,
      traffic?.weight === 0 ? undefined : traffic?.revision,
    ];
    return [
      {
        instance: instance.metadata.name,
        revision: snapshot.number,
        release: snapshot.content.release.id,
        hasTraffic: routed.includes(snapshot.number),
      },
    ];
  });
  return usage.sort((a, b) =>
    a.instance === b.instance ? b.revision - a.revision : a.instance < b.instance ? -1 : 1,
  );
}
