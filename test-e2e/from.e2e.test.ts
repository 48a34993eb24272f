import { beforeAll, expect, inject, test } from 'vitest';
import { loadPart } from '../hack/cluster/index.ts';
import type { Kubectl } from '../hack/kube/kubectl.ts';
import type { Sample } from '../hack/load/sample.ts';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney } from './support/journey.ts';
import { fastapiManifests, fromFastapi, type WrittenInstance } from './support/manifests.ts';
import { provedShares } from './support/shares.ts';

/** examples/from-fastapi with shorter waits, and a latency that holds on a busy machine too. */
const awayFromFastapi = (spec: WrittenInstance): WrittenInstance => {
  const example = fromFastapi();
  return {
    ...example,
    expose: { ...example.expose, host: spec.expose?.host ?? '' },
    rollout: {
      ...example.rollout,
      steps: [{ weight: 10 }, { pause: { duration: '2s' } }, { weight: 50 }, { pause: {} }, { weight: 100 }],
      analysis: { ...example.rollout?.analysis, maxP95: '4s' },
    },
  };
};

/** What clients of the application ask for, and go on asking for. */
const requests = [
  { method: 'GET', path: '/v1/tasks?order=id.desc&limit=10' },
  { method: 'POST', path: '/v1/add-task', body: '{"title":"from the load client"}' },
  { method: 'GET', path: '/v1/report' },
] as const;

/** How long after a reload the workers before it may still be closing their connections, on a busy machine. */
const oldWorkersMs = 1000;

beforeAll(async () => {
  await loadPart(inject('cluster'), 'fastapi');
});

/** When the replicas of ingress-nginx had loaded a configuration anew, in epoch milliseconds. */
async function reloadsOf(kubectl: Kubectl): Promise<readonly number[]> {
  const pods = ['-n', 'ingress-nginx', '-l', 'app.kubernetes.io/name=ingress-nginx'];
  const log = await kubectl(['logs', ...pods, '--timestamps', '--since=10m', '--tail=-1']);
  return log
    .split('\n')
    .filter((line) => line.includes('Backend successfully reloaded'))
    .map((line) => Date.parse(line.split(' ', 1)[0] ?? ''));
}

/**
 * An Ingress that comes, goes or leads elsewhere makes ingress-nginx reload, and the nginx workers before it close the
 * connections that they hold for idle, with what has arrived on them and was not read yet (nginx has a setting against
 * it, keepalive_min_timeout, from 1.27.4 on). Clients send such a request again by themselves; the load client does not.
 */
function isCutByReload({ keepAlive, error, dueAt, endedAt }: Sample, reloads: readonly number[]): boolean {
  const isCut = keepAlive && error === 'ECONNRESET';
  return isCut && reloads.some((at) => endedAt >= at && dueAt <= at + oldWorkersMs);
}

test('away from a FastAPI service: 10 %, 50 %, back at once, again, and for good once its own Ingress is gone', () =>
  runJourney(
    'from',
    async (journey) => {
      const { instance, kubectl, namespace } = journey;
      expect(await journey.answering(50), 'FastAPI has no gate').toEqual(['none']);

      await journey.applyInstance();
      const half = () =>
        instance.until('half of the traffic is proved to be on revision 1, and held', ({ status }) => {
          return status?.traffic?.provedWeight === 50 && status.pausedSince !== undefined;
        });
      const shared = await half();
      expect(shared.status?.stable, 'nothing of ours is stable yet').toBeUndefined();
      expect(condition(shared, 'Available')?.message).toContain('Service fastapi');
      expect(await journey.answering(200)).toEqual(['1', 'none']);

      await journey.action('abort');
      const aborted = await instance.until('the abort is over', (object) => {
        return notReady(object, 'Aborted') && object.status?.candidate === undefined;
      });
      expect(aborted.status?.rejected?.[0]).toMatchObject({ revision: 1, to: 0 });
      expect(condition(aborted, 'Ready')?.message).toContain('the service of rollout.from serves');
      expect(await journey.answering(200)).toEqual(['none']);

      await journey.action('retry');
      await half();
      await journey.action('promote');
      // The older Ingress would keep clients on the old way, so the main route waits for it to go.
      const waiting = await instance.until('the Ingress of the application is in the way', (object) => {
        return notReady(object, 'HostTaken');
      });
      expect(condition(waiting, 'Ready')?.message).toContain(`${namespace}/fastapi`);
      expect(await journey.answering(200), 'who asks is not kept waiting').toEqual(['1']);

      await kubectl(['delete', 'ingress', 'fastapi', '-n', namespace]);
      const promoted = await instance.until('revision 1 is stable and Ready', (object) => {
        return object.status?.stable?.revision === 1 && ready(object);
      });
      expect(promoted.status?.history?.map(({ outcome, from }) => `${outcome} from ${String(from)}`)).toEqual(
        ['Promoted from 0', 'Aborted from 0'],
      );

      // The field has done its work: without it nothing changes.
      const generation = await journey.applyInstance((spec) => {
        const { from: _, ...rollout } = spec.rollout ?? {};
        return { ...spec, rollout };
      });
      const last = await instance.until('the new spec was seen', ({ status }) => {
        return status?.observedGeneration === generation;
      });
      expect(ready(last)).toBe(true);
      expect(last.status).toMatchObject({ stable: { revision: 1 } });
      expect(await journey.answering(200), 'the report is the application by a route of the gate').toEqual([
        '1',
      ]);

      const reloads = await reloadsOf(journey.kubectl);
      journey.excuse((sample) => isCutByReload(sample, reloads));

      const shares = provedShares(journey, 1);
      expect(shares.map(({ weight }) => weight)).toEqual([10, 50, 10, 50]);
      for (const { requests: all, fromCandidate, low, high, weight } of shares) {
        const what = `${String(fromCandidate)} of ${String(all)} requests at ${String(weight)} %`;
        expect(fromCandidate, what).toBeGreaterThanOrEqual(low);
        expect(fromCandidate, what).toBeLessThanOrEqual(high);
      }
    },
    awayFromFastapi,
    { requests, beside: fastapiManifests, servedBy: 'fastapi' },
  ));
