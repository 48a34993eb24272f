import { expect, inject, test } from 'vitest';
import { ask } from './support/ask.ts';
import { condition, ready } from './support/conditions.ts';
import { runJourney, type Journey } from './support/journey.ts';
import type { WrittenInstance } from './support/manifests.ts';
import { podsOf } from './support/pods.ts';

/** Without a pooler PostgREST listens. */
const direct = ({ pooler: _, ...spec }: WrittenInstance): WrittenInstance => ({ ...spec, replicas: 3 });
const withRows =
  (rows: string) =>
  (spec: WrittenInstance): WrittenInstance => ({
    ...direct(spec),
    postgrest: { ...spec.postgrest, config: { ...spec.postgrest?.config, 'db-max-rows': rows } },
  });

/** How many rows a client gets of a list that has more. */
async function rowsOf(journey: Journey): Promise<number> {
  const { ingressUrl } = inject('cluster');
  const counts = new Set<number>();
  for (let asked = 0; asked < 9; asked += 1) {
    const { status, body } = await ask(ingressUrl, journey.host, '/tasks?select=id&id=lte.20');
    expect(status).toBe(200);
    counts.add((JSON.parse(body) as unknown[]).length);
  }
  expect([...counts], 'every pod answers alike').toHaveLength(1);
  return [...counts][0] ?? 0;
}

test('settings reach the pods that are there, come back with a rollback, and no request is lost', () =>
  runJourney(
    'reload',
    async (journey) => {
      const { instance } = journey;
      await journey.sql("insert into data.tasks (title) select 'task ' || n from generate_series(1, 20) n");
      const before = await podsOf(journey, 1);
      expect(instance.current()?.status?.stable?.version).toBe('12.0.2');

      await journey.applyInstance(withRows('7'));
      const told = await instance.until('revision 2 serves', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
      expect(told.status?.history?.[0]).toMatchObject({ revision: 2, from: 1, outcome: 'Promoted' });
      expect(await podsOf(journey, 1), 'the same pods').toEqual(before);
      expect(await rowsOf(journey)).toBe(7);

      await journey.action('rollback');
      const back = await instance.until('revision 1 serves again', ({ status }) => {
        return status?.stable?.revision === 1 && status.candidate === undefined;
      });
      expect(condition(back, 'Ready')).toMatchObject({ status: 'False', reason: 'RolledBack' });
      expect(await rowsOf(journey)).toBeGreaterThan(7);
      expect(await podsOf(journey, 1), 'the same pods').toEqual(before);

      await journey.action('reload');
      await instance.until('every pod has loaded everything anew', ({ status }) => {
        return status?.reload?.way === 'Notify' && status.reload.doneAt !== undefined;
      });
      expect(await podsOf(journey, 1), 'the same pods').toEqual(before);
    },
    direct,
  ));
