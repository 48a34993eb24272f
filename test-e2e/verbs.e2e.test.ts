import { expect, test } from 'vitest';
import { countByRevision } from '../hack/load/sample.ts';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney, type InstanceObject } from './support/journey.ts';
import type { WrittenInstance, WrittenSchema } from './support/manifests.ts';
import { podsOf } from './support/pods.ts';

const steps = [{ weight: 10 }, { pause: { duration: '3s' } }, { weight: 50 }, { pause: {} }, { weight: 100 }];

const withProbes =
  (path: string) =>
  (spec: WrittenInstance): WrittenInstance => ({
    ...spec,
    rollout: { ...spec.rollout, analysis: { probes: [{ path }] } },
  });

const withoutCreatedAt = (spec: WrittenSchema): WrittenSchema => ({
  ...spec,
  api: { sql: spec.api?.sql?.replaceAll(', created_at', '') ?? '' },
});

const progress = (object: InstanceObject): string | undefined => condition(object, 'Progressing')?.reason;

test('restart, probes, approve, pause, resume and promote-full do what they say, and no request is lost', () =>
  runJourney(
    'verbs',
    async (journey) => {
      const { instance } = journey;

      const before = await podsOf(journey, 1);
      await journey.action('restart');
      const replaced = async () => {
        const names = await podsOf(journey, 1);
        return names.length === 2 && !names.some((name) => before.includes(name));
      };
      await expect.poll(replaced, { timeout: 120_000, interval: 500 }).toBe(true);
      await instance.until('both new pods are proved', (object) => {
        return object.status?.stable?.ready === 2 && ready(object);
      });
      expect(instance.current()?.status?.lastAction).toMatchObject({ verb: 'restart', target: 1 });

      // A probe that only version 3 passes.
      await journey.applyInstance(withProbes('/rpc/due_before?day=2030-01-01'));
      await journey.applySchema('v1', (spec) => ({
        ...spec,
        api: { sql: `${spec.api?.sql ?? ''}\ncomment on view api.tasks is 'What is to be done.';` },
      }));
      const refused = await instance.until('the probes have failed', (object) => {
        return notReady(object, 'AnalysisFailed');
      });
      expect(condition(refused, 'Ready')?.message).toMatch(
        /probe \/rpc\/due_before\?day=2030-01-01 of the pod at .* answered 404 instead of 200/,
      );
      expect(Object.keys(countByRevision(journey.samples)), 'no client has met revision 2').toEqual(['1']);

      await journey.applySchema('v2', withoutCreatedAt);
      const held = await instance.until('what breaks is said', (object) => {
        return progress(object) === 'BreakingChange';
      });
      expect(condition(held, 'Progressing')?.message).toContain('Column tasks.created_at is gone');
      expect(held.status?.breaking).toMatchObject({ revision: 3, stable: 1 });
      expect(held.status?.traffic).toMatchObject({ revision: 3, weight: 0 });

      await journey.action('approve');
      await instance.until('10 % is proved', ({ status }) => {
        return status?.traffic?.revision === 3 && status.traffic.provedWeight === 10;
      });
      await journey.action('pause');
      const paused = await instance.until('somebody has paused it', (object) => {
        return progress(object) === 'ManuallyPaused';
      });
      expect(paused.status?.heldSince).toBeDefined();
      // For longer than the pause of the steps is.
      expect(await journey.answering(500)).toEqual(['1', '3']);
      expect(instance.current()?.status?.traffic).toMatchObject({ revision: 3, weight: 10 });

      await journey.action('resume');
      await instance.until('50 % is proved, and held by the steps', ({ status }) => {
        return status?.traffic?.provedWeight === 50 && status.pausedSince !== undefined;
      });
      await journey.action('promote-full');
      const promoted = await instance.until('revision 3 is stable and Ready', (object) => {
        return object.status?.stable?.revision === 3 && ready(object);
      });
      expect(
        promoted.status?.history?.map(({ revision, outcome }) => `${String(revision)} ${outcome}`),
      ).toEqual(['3 FastPromoted', '2 Aborted', '1 Promoted']);
      expect(await journey.answering(100)).toEqual(['3']);
    },
    (spec) => ({ ...spec, rollout: { steps, breaking: 'Hold' } }),
  ));
