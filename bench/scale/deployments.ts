import type { Logger } from 'pino';
import { revisionLabel } from '../../operator/resources/names.ts';
import { systemClock } from '../../operator/runtime/clock.ts';
import type { Informer } from '../../operator/runtime/informer.ts';
import type { KubeClient } from '../../operator/runtime/kubeClient.ts';
import { isConflict, isNotFound } from '../../operator/runtime/kubeError.ts';
import { cacheKey, refOf, type KubeObject } from '../../operator/runtime/object.ts';
import { createQueue } from '../../operator/runtime/queue.ts';
import { podIp } from './dataPlane.ts';

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly template: {
      readonly metadata: { readonly labels: Record<string, string> };
      readonly spec: object;
    };
  };
  readonly status?: { readonly readyReplicas?: number; readonly observedGeneration?: number };
}

interface Pod extends KubeObject {
  readonly spec?: {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
  };
  readonly status?: { readonly podIP?: string };
}

interface Container {
  readonly name: string;
  readonly image: string;
}

const workers = 4;

/**
 * Gives every Deployment its pods, ready as soon as they are there; those of poolers have none, because the operator
 * never looks at them. Level-triggered, for as long as the process lives.
 */
export function startDeployments(
  client: KubeClient,
  { deployments, pods }: { readonly deployments: Informer; readonly pods: Informer },
  log: Logger,
): void {
  const queue = createQueue<string>({ clock: systemClock, rng: Math.random });
  deployments.onChange(({ object }) => {
    queue.add(cacheKey(object.metadata));
  });
  pods.onChange(({ object }) => {
    queue.add(`${object.metadata.namespace ?? ''}/${ownerOf(object)}`);
  });
  const { signal } = new AbortController();

  async function work(): Promise<void> {
    for (;;) {
      const held = await queue.take(signal);
      if (held === undefined) return;
      try {
        const deployment = deployments.get(held.key) as Deployment | undefined;
        if (deployment !== undefined) await reconcile(deployment);
        queue.forget(held.key);
      } catch (error) {
        // The caches lag behind our own writes: what was just made or deleted is found out here.
        if (!isConflict(error) && !isNotFound(error)) log.warn({ err: error }, 'a Deployment is tried again');
        queue.retry(held.key);
      }
      held.done();
    }
  }

  async function reconcile(deployment: Deployment): Promise<void> {
    const { metadata, spec } = deployment;
    const replicas = spec.replicas ?? 1;
    if (spec.template.metadata.labels[revisionLabel] !== undefined) await scale(deployment, replicas);
    const { readyReplicas = 0, observedGeneration } = deployment.status ?? {};
    if (readyReplicas === replicas && observedGeneration === metadata.generation) return;
    const status = {
      replicas,
      readyReplicas: replicas,
      updatedReplicas: replicas,
      availableReplicas: replicas,
      observedGeneration: metadata.generation,
    };
    await client.patch(refOf(deployment), { type: 'merge', body: { status }, subresource: 'status' }, signal);
  }

  async function scale(deployment: Deployment, replicas: number): Promise<void> {
    const { namespace = '', name } = deployment.metadata;
    const mine = podsOf(namespace, name);
    for (const pod of mine.slice(replicas)) await client.delete(refOf(pod), {}, signal);
    for (const pod of mine) if (pod.status?.podIP === undefined) await becomeReady(pod);
    for (let n = 0; n < replicas; n += 1) {
      const podName = `${name}-${String(n)}`;
      if (pods.get(`${namespace}/${podName}`) === undefined)
        await becomeReady(await client.create(podOf(deployment, podName), signal));
    }
  }

  function podsOf(namespace: string, deployment: string): readonly Pod[] {
    const found: Pod[] = [];
    for (let n = 0; ; n += 1) {
      const pod = pods.get(`${namespace}/${deployment}-${String(n)}`);
      if (pod === undefined) return found;
      found.push(pod);
    }
  }

  async function becomeReady(pod: Pod): Promise<void> {
    const running = ({ name, image }: Container) => ({
      name,
      image,
      imageID: image,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: {} },
    });
    const status = {
      phase: 'Running',
      podIP: podIp,
      podIPs: [{ ip: podIp }],
      conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: new Date().toISOString(),
      })),
      containerStatuses: pod.spec?.containers.map(running),
      initContainerStatuses: pod.spec?.initContainers?.map(running),
    };
    await client.patch(refOf(pod), { type: 'merge', body: { status }, subresource: 'status' }, signal);
  }

  for (let n = 0; n < workers; n += 1) void work();
}

function podOf({ apiVersion, kind, metadata, spec }: Deployment, name: string): KubeObject {
  const { labels } = spec.template.metadata;
  const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: metadata.namespace ?? '', labels, ownerReferences: [owner] },
    spec: spec.template.spec,
  };
}

function ownerOf({ metadata }: KubeObject): string {
  return metadata.ownerReferences?.[0]?.name ?? '';
}
