import { expect, test } from 'vitest';
import { ready } from './support/conditions.ts';
import { runJourney } from './support/journey.ts';

test('a newer spec in the middle of a rollout takes its place', () =>
  runJourney('supersede', async (journey) => {
    const { instance } = journey;
    await journey.applySchema('v2');
    await instance.until('half of the traffic is proved to be on revision 2', ({ status }) => {
      return status?.traffic?.revision === 2 && status.traffic.provedWeight === 50;
    });

    await journey.applyInstance((spec) => ({
      ...spec,
      postgrest: { config: { ...spec.postgrest?.config, 'db-max-rows': '500' } },
    }));
    const after = await instance.until('revision 3 is stable and Ready', (object) => {
      return object.status?.stable?.revision === 3 && ready(object);
    });
    expect(after.status?.history?.map(({ revision, outcome }) => `${String(revision)} ${outcome}`)).toEqual([
      '3 Promoted',
      '2 Superseded',
      '1 Promoted',
    ]);
    expect(await journey.answering(200)).toEqual(['3']);
  }));
