import type { Step } from '../../operator/api/v1alpha1/apiInstanceRollout.ts';
import type { PodTemplate } from '../../operator/resources/revision.ts';
import type { KubeObject } from '../../operator/runtime/object.ts';
import type { WatchedObject } from '../../hack/kube/watch.ts';
import {
  argoGate,
  argoRollout,
  argoSteps,
  argoSurroundings,
  argoTemplate,
  rolloutName,
  type Original,
} from './argoObjects.ts';
import { steps, stepsHeld, type Command, type Contender } from './contender.ts';
import { follow } from './follow.ts';
import { exampleName, type Stage } from './stage.ts';

/** A Rollout, as far as its word is read. */
interface RolloutObject extends WatchedObject {
  readonly status?: {
    /** The generation that the status speaks of, as a string. */
    readonly observedGeneration?: string;
    readonly phase?: string;
    readonly abort?: boolean;
    readonly stableRS?: string;
    readonly currentPodHash?: string;
    readonly pauseConditions?: readonly unknown[];
    readonly canary?: { readonly weights?: { readonly canary?: { readonly weight?: number } } };
  };
}

const baseRevision = 1;

/** Argo Rollouts with a Rollout of the very pods that our operator runs on the stage. */
export async function createArgo(stage: Stage, signal: AbortSignal): Promise<Contender> {
  const { client, namespace, kubeconfig, releases } = stage;
  const host = `argo.${namespace}.example.test`;
  const ref = { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', namespace, name: rolloutName };
  const create = (object: KubeObject) =>
    client.create({ ...object, metadata: { ...object.metadata, namespace } }, signal);

  const original = await readOriginal(stage, signal);
  const baseTemplate = argoTemplate(original, baseRevision, releases.base);
  for (const object of argoSurroundings(host)) await create(object);
  await create(argoGate(original, baseRevision, releases.base));
  await create(argoRollout(baseTemplate, steps));
  const rollout = await follow<RolloutObject>(
    kubeconfig,
    { path: `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/rollouts`, name: rolloutName },
    signal,
  );

  /** What `kubectl argo rollouts undo` does, or a `kubectl apply` of a new template with its steps. */
  const change = async (
    template: PodTemplate,
    wanted?: readonly Step[],
  ): Promise<{ at: number; generation: number }> => {
    const replace = (path: string, value: unknown) => ({ op: 'replace', path, value });
    const body = [
      replace('/spec/template', template),
      ...(wanted === undefined ? [] : [replace('/spec/strategy/canary/steps', argoSteps(wanted))]),
    ];
    const at = Date.now();
    const { metadata } = await client.patch(ref, { type: 'json', body }, signal);
    return { at, generation: metadata.generation ?? 0 };
  };

  const healthy = async (revision: number, generation: number) => {
    const { at } = await rollout.until(
      `revision ${String(revision)} is Healthy`,
      ({ status }) =>
        Number(status?.observedGeneration) >= generation &&
        status?.phase === 'Healthy' &&
        status.stableRS === status.currentPodHash,
    );
    return { at, revision: String(revision) };
  };

  let newest = baseRevision;
  const begin = async (wanted: readonly Step[]) => {
    newest += 1;
    await create(argoGate(original, newest, releases.other));
    return change(argoTemplate(original, newest, releases.other), wanted);
  };
  const stop = (): void => {
    rollout.stop();
  };

  try {
    await healthy(baseRevision, 1);
  } catch (error) {
    stop();
    throw error;
  }
  return {
    name: 'argo',
    host,
    podSelector: `app=${rolloutName}`,
    baseRevision: String(baseRevision),
    async release() {
      const { at, generation } = await begin(steps);
      return { at, word: healthy(newest, generation) };
    },
    async releaseHalf() {
      const { generation } = await begin(stepsHeld);
      await rollout.until(
        'the release waits at 50 %',
        ({ status }) =>
          Number(status?.observedGeneration) >= generation &&
          status?.phase === 'Paused' &&
          status.canary?.weights?.canary?.weight === 50,
      );
    },
    async abort(): Promise<Command> {
      const body = { status: { abort: true } };
      const at = Date.now();
      await client.patch(ref, { type: 'merge', subresource: 'status', body }, signal);
      // An aborted Rollout stays Degraded; that it has taken the weight back is the latest that it says.
      const word = rollout
        .until(
          'the abort is done',
          ({ status }) =>
            status?.abort === true &&
            status.phase === 'Degraded' &&
            status.canary?.weights?.canary?.weight === 0,
        )
        .then((seen) => ({ at: seen.at, revision: String(baseRevision) }));
      return { at, word };
    },
    async rollback() {
      const { at, generation } = await change(baseTemplate);
      return { at, word: healthy(baseRevision, generation) };
    },
    stop,
  };
}

/** The pods that our own operator runs for the base revision. */
async function readOriginal(stage: Stage, signal: AbortSignal): Promise<Original> {
  const { client, namespace, baseRevision: revision, releases } = stage;
  const labelSelector = `pgrst.dev/instance=${exampleName},pgrst.dev/revision=${String(revision)}`;
  const only = async (apiVersion: string, kind: string): Promise<KubeObject> => {
    const { items } = await client.list({ apiVersion, kind, namespace, labelSelector }, signal);
    const [item] = items;
    if (item === undefined || items.length > 1)
      throw new Error(`revision ${String(revision)} has ${String(items.length)} objects of kind ${kind}`);
    return item;
  };
  const { spec } = (await only('apps/v1', 'Deployment')) as unknown as { spec: { template: PodTemplate } };
  const { data } = (await only('v1', 'ConfigMap')) as unknown as { data: Record<string, string> };
  return { template: spec.template, gate: data, revision, release: releases.base };
}
