import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, test } from 'vitest';
import { startLoad } from '../hack/load/load.ts';
import { summarise } from '../hack/load/sample.ts';
import { condition } from './support/conditions.ts';
import { takeInventory } from './support/inventory.ts';
import { runJourney } from './support/journey.ts';

/** How long nothing may be written while nothing changes. */
const restMs = 20_000;

test('at rest the operator writes nothing, and a deleted instance leaves nothing but 404', () =>
  runJourney('rest', async (journey) => {
    const { kubeconfig, ingressUrl } = inject('cluster');
    const inventory = await takeInventory(kubeconfig, journey.namespace, 'tasks');
    try {
      expect(inventory.owned().length, 'the label pgrst.dev/instance finds what is owned').toBeGreaterThan(8);
      // The ApiSchema says that it is served a moment after the instance says that it serves.
      const served = await journey.schema.until(
        'it is served',
        (object) => condition(object, 'Served')?.reason === 'Served',
      );
      await inventory.caughtUp('ApiSchema', served);
      // Not a wait for something to happen: the time in which nothing may.
      inventory.forget();
      await delay(restMs);
      expect(inventory.changes()).toEqual([]);

      await journey.stopTraffic();
      await journey.kubectl([
        'delete',
        '-n',
        journey.namespace,
        'apiinstance/tasks',
        '--wait',
        '--timeout=60s',
      ]);
      await inventory.empty(60_000);

      const load = startLoad({
        url: ingressUrl,
        host: journey.host,
        requests: [{ method: 'GET', path: '/tasks' }],
        ratePerSecond: 100,
        maxSeconds: 60,
      });
      // The ingress controller syncs at most every 3.3 s; from then on there is no other answer than 404.
      await delay(4000);
      const settled = load.samples.length;
      await delay(3000);
      const samples = (await load.stop()).slice(settled);
      expect(summarise(samples).byStatus).toEqual({ 404: samples.length });
      expect(samples.length).toBeGreaterThan(200);
    } finally {
      inventory.stop();
    }
  }));
