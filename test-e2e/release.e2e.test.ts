import { expect, test } from 'vitest';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney } from './support/journey.ts';
import { provedShares } from './support/shares.ts';

test('a release goes 10 % -> 50 % -> 100 %, and a rollback goes back at once', () =>
  runJourney('release', async (journey) => {
    const { instance, schema } = journey;
    const before = await instance.until(
      'revision 1 is stable',
      (object) => object.status?.stable?.revision === 1,
    );

    await journey.applySchema('v2');
    await journey.kubectl([
      ...['wait', '-n', journey.namespace, '--for=condition=Served', 'apischema/tasks', '--timeout=180s'],
    ]);
    const after = await instance.until('revision 2 is stable and Ready', (object) => {
      const { stable } = object.status ?? {};
      return stable?.revision === 2 && ready(object);
    });
    expect(after.status?.stable?.release).toBe(schema.current()?.status?.release?.id);
    expect(after.status?.stable?.release).not.toBe(before.status?.stable?.release);
    expect(await journey.answering(200)).toEqual(['2']);

    const shares = provedShares(journey, 2);
    expect(shares.map(({ weight }) => weight)).toEqual([10, 50]);
    for (const { requests, fromCandidate, low, high, weight } of shares) {
      const what = `${String(fromCandidate)} of ${String(requests)} requests at ${String(weight)} %`;
      console.info(`${what} (bounds ${String(low)}..${String(high)})`);
      expect(requests, what).toBeGreaterThan(200);
      expect(fromCandidate, what).toBeGreaterThanOrEqual(low);
      expect(fromCandidate, what).toBeLessThanOrEqual(high);
    }

    const provedAll = instance.history.some(({ object }) => object.status?.traffic?.provedWeight === 100);
    expect(provedAll, '100 % was proved before the promotion').toBe(true);

    const warm = [
      '-l',
      'pgrst.dev/instance=tasks,pgrst.dev/revision=1',
      '-o',
      'jsonpath={.items[*].status.readyReplicas}',
    ];
    expect(await journey.kubectl(['get', 'deployments', '-n', journey.namespace, ...warm]), 'kept warm').toBe(
      '2',
    );
    await journey.action('rollback');
    const back = await instance.until('revision 1 is stable again', (object) => {
      const { stable, candidate } = object.status ?? {};
      return stable?.revision === 1 && candidate === undefined && notReady(object, 'RolledBack');
    });
    expect(condition(back, 'Ready')?.message, 'names the rejected revision').toMatch(/\brevision 2\b/i);
    expect(condition(back, 'Available')?.status).toBe('True');
    expect(back.status?.rejected?.[0]).toMatchObject({ revision: 2, to: 1, reason: 'RolledBack' });
    expect(await journey.answering(200)).toEqual(['1']);
  }));
