import { expect, inject, test } from 'vitest';
import { ready } from './support/conditions.ts';
import { ask } from './support/ask.ts';
import { runJourney } from './support/journey.ts';
import type { WrittenInstance, WrittenSchema } from './support/manifests.ts';
import { podsOf } from './support/pods.ts';

const inPlace = (spec: WrittenSchema): WrittenSchema => ({ ...spec, strategy: 'InPlace' });
/** Without a pooler PostgREST listens. */
const direct = ({ pooler: _, ...spec }: WrittenInstance): WrittenInstance => spec;

test('a release that takes the place of the one before reaches the same pods by a reload', () =>
  runJourney(
    'inplace',
    async (journey) => {
      const { instance } = journey;
      const revision = instance.current()?.status?.stable?.revision ?? 0;
      const before = await podsOf(journey, revision);
      expect(before).toHaveLength(2);

      const from = Date.now();
      let until = Infinity;
      // Between the commit and the reload PostgREST's cache describes a schema that is gone.
      journey.excuse(({ dueAt, endedAt }) => endedAt >= from && dueAt <= until);
      await journey.applySchema('v2', inPlace);
      const second = await instance.until('the second release serves', (object) => {
        return (object.status?.stable?.revision ?? 0) > revision && ready(object);
      });
      until = Date.now();
      expect(second.status?.history?.[0]).toMatchObject({ from: revision, outcome: 'Promoted' });
      expect(await podsOf(journey, revision), 'the same pods').toEqual(before);
      const { ingressUrl } = inject('cluster');
      const answer = await ask(ingressUrl, journey.host, '/rpc/due_before?day=2030-01-01');
      expect(answer.status, 'what only the second release has').toBe(200);
    },
    direct,
    { schema: inPlace },
  ));

test('behind a pooler PgBouncer renews its connections, and a rollout brings pods that know the new release', () =>
  runJourney(
    'inplacepooled',
    async (journey) => {
      const { instance } = journey;
      const from = Date.now();
      let until = Infinity;
      journey.excuse(({ dueAt, endedAt }) => endedAt >= from && dueAt <= until);
      await journey.applySchema('v2', inPlace);
      await instance.until('the second release serves', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
      until = Date.now();
      expect(await journey.answering(60)).toEqual(['2']);
      const { ingressUrl } = inject('cluster');
      const answer = await ask(ingressUrl, journey.host, '/rpc/due_before?day=2030-01-01');
      expect(answer.status, 'what only the second release has').toBe(200);
    },
    // What has been prepared for the old schema is what has to go.
    (spec) => ({
      ...spec,
      postgrest: {
        ...spec.postgrest,
        config: { ...spec.postgrest?.config, 'db-prepared-statements': 'true' },
      },
      rollout: { steps: [{ weight: 100 }] },
    }),
    { schema: inPlace },
  ));
