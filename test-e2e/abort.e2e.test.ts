import { expect, test } from 'vitest';
import { condition, ready } from './support/conditions.ts';
import { runJourney, type InstanceObject } from './support/journey.ts';

/** Pauses at 50 % until somebody promotes. */
const untilPromoted = [{ weight: 50 }, { pause: {} }, { weight: 100 }];

const rejected = (object: InstanceObject): boolean => {
  const found = condition(object, 'Ready');
  return (
    found?.status === 'False' &&
    ['RolledBack', 'Aborted'].includes(found.reason) &&
    found.observedGeneration === object.metadata.generation
  );
};

test('an abort at 50 % sends all traffic back, and re-applying the same spec does not undo it; retry does', () =>
  runJourney(
    'abort',
    async (journey) => {
      const { instance } = journey;
      await journey.applySchema('v2');
      await instance.until('half of the traffic is proved to be on revision 2', ({ status }) => {
        return status?.traffic?.revision === 2 && status.traffic.provedWeight === 50;
      });
      expect(await journey.answering(200)).toEqual(['1', '2']);

      await journey.action('abort');
      const aborted = await instance.until('the abort is over', (object) => {
        return rejected(object) && object.status?.candidate === undefined;
      });
      expect(aborted.status?.stable?.revision).toBe(1);
      expect(condition(aborted, 'Ready')?.message, 'names the rejected revision').toMatch(/\brevision 2\b/i);
      expect(aborted.status?.rejected?.[0]).toMatchObject({ revision: 2, to: 1, reason: 'Aborted' });
      expect(await journey.answering(200)).toEqual(['1']);

      // What a GitOps tool does every few minutes, and an edit that does not change what a revision is made of.
      await journey.applySchema('v2');
      const generation = await journey.applyInstance((spec) => ({ ...spec, replicas: 3 }));
      const scaled = await instance.until('the third replica is ready', (object) => {
        return object.status?.stable?.ready === 3 && object.status.observedGeneration === generation;
      });
      expect(rejected(scaled), JSON.stringify(scaled.status)).toBe(true);
      expect(scaled.status?.candidate).toBeUndefined();
      expect(await journey.answering(200)).toEqual(['1']);

      await journey.action('retry');
      await instance.until('half of the traffic is proved to be on revision 2 again', ({ status }) => {
        return status?.candidate?.revision === 2 && status.traffic?.provedWeight === 50;
      });
      await journey.action('promote');
      await instance.until('revision 2 is promoted', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
    },
    (spec) => ({ ...spec, rollout: { steps: untilPromoted } }),
  ));
