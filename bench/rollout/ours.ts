import type { Step } from '../../operator/api/v1alpha1/apiInstanceRollout.ts';
import type { Command, Contender } from './contender.ts';
import { steps, stepsHeld } from './contender.ts';
import { exampleName, type InstanceObject, type Stage } from './stage.ts';

/** The operator with the stage's ApiInstance. */
export function createOurs(stage: Stage, signal: AbortSignal): Contender {
  const { client, instance, namespace, host, baseRevision, releases } = stage;
  const ref = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiInstance', namespace, name: exampleName };
  let changes = 0;

  /** Says what to serve; gives the generation from which on the controller's word is about that. */
  const change = async (wanted: readonly Step[]): Promise<{ at: number; generation: number }> => {
    changes += 1;
    const spec = {
      schemaRef: { release: releases.other },
      // Another value each time makes a revision that never was: its pods are to be started.
      postgrest: { config: { 'db-max-rows': String(1000 + changes) } },
      rollout: { steps: wanted },
    };
    const at = Date.now();
    const { metadata } = await client.patch(ref, { type: 'merge', body: { spec } }, signal);
    return { at, generation: metadata.generation ?? 0 };
  };

  const act = async (verb: string): Promise<Command> => {
    const annotations = { 'pgrst.dev/action': verb };
    const at = Date.now();
    await client.patch(ref, { type: 'merge', body: { metadata: { annotations } } }, signal);
    return { at, word: backAtBase(verb) };
  };

  const backAtBase = async (verb: string) => {
    const { at } = await instance.until(
      `the ${verb} is done`,
      (object) => object.status?.stable?.revision === baseRevision && isAtRest(object),
    );
    return { at, revision: String(baseRevision) };
  };

  return {
    name: 'ours',
    host,
    podSelector: `pgrst.dev/instance=${exampleName},app.kubernetes.io/component=api`,
    baseRevision: String(baseRevision),
    async release() {
      const { at, generation } = await change(steps);
      const word = instance
        .until(
          'the release is done',
          (object) =>
            (object.status?.observedGeneration ?? 0) >= generation &&
            object.status?.stable?.release === releases.other &&
            isAtRest(object),
        )
        .then((seen) => ({ at: seen.at, revision: String(seen.object.status?.stable?.revision ?? '') }));
      return { at, word };
    },
    async releaseHalf() {
      const { generation } = await change(stepsHeld);
      await instance.until(
        'the release waits at 50 %',
        ({ status }) =>
          (status?.observedGeneration ?? 0) >= generation &&
          status?.traffic?.provedWeight === 50 &&
          status.conditions?.some(({ type, status: is }) => type === 'Paused' && is === 'True') === true,
      );
    },
    abort: () => act('abort'),
    rollback: () => act('rollback'),
    stop: () => undefined,
  };
}

/** Nothing is being rolled out any more, by the word of the controller. */
function isAtRest({ status }: InstanceObject): boolean {
  return (
    status?.candidate === undefined &&
    status?.conditions?.some(({ type, status: is }) => type === 'Progressing' && is === 'False') === true
  );
}
