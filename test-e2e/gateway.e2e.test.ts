import { beforeAll, expect, inject, test } from 'vitest';
import { ensureGateway } from '../hack/cluster/index.ts';
import { gatewayRef } from '../hack/cluster/manifests/traefik.ts';
import { countByRevision, within } from '../hack/load/sample.ts';
import { condition, notReady, ready } from './support/conditions.ts';
import { runJourney, type InstanceObject, type Journey } from './support/journey.ts';
import type { WrittenInstance } from './support/manifests.ts';

const steps = [{ weight: 10 }, { pause: { duration: '2s' } }, { weight: 50 }, { pause: {} }, { weight: 100 }];

const throughGateway = (spec: WrittenInstance): WrittenInstance => {
  const { className: _, annotations: __, ...expose } = spec.expose ?? {};
  return {
    ...spec,
    expose: { ...expose, router: 'GatewayAPI', parentRefs: [gatewayRef] },
    rollout: { steps },
  };
};

const provedAt = (weight: number) => (object: InstanceObject) =>
  object.status?.candidate?.revision === 2 && object.status.traffic?.provedWeight === weight;

/** The weights of the plain rule, main first. */
async function weights({ kubectl, namespace }: Journey): Promise<string> {
  const path = '{.spec.rules[-1:].backendRefs[*].weight}';
  return kubectl(['get', 'httproute', 'tasks', '-n', namespace, '-o', `jsonpath=${path}`]);
}

let url: string;
beforeAll(async () => {
  url = await ensureGateway(inject('cluster'));
});

test('through a Gateway: steps, an abort at 50 %, a retry, a promotion and a rollback', () =>
  runJourney(
    'gateway',
    async (journey) => {
      const { instance, kubectl, namespace } = journey;
      expect(await journey.answering(100)).toEqual(['1']);
      const ingresses = ['get', 'ingresses', '-n', namespace, '-o', 'name'];
      expect(await kubectl(ingresses), 'one HTTPRoute, and no Ingress beside it').toBe('');

      await journey.applySchema('v2');
      await instance.until('10 % is proved', provedAt(10));
      const from = Date.now();
      await instance.until('50 % is proved', provedAt(50));
      expect(await weights(journey)).toBe('50 50');
      expect(await journey.answering(200)).toEqual(['1', '2']);
      expect(Object.keys(countByRevision(within(journey.samples, from)))).toContain('2');

      const aborted = Date.now();
      await journey.action('abort');
      const back = await instance.until('the abort is over', (object) => {
        return notReady(object, 'Aborted') && object.status?.candidate === undefined;
      });
      console.info(`aborted after ${String(Date.now() - aborted)} ms`);
      expect(back.status?.stable?.revision).toBe(1);
      expect(await journey.answering(200)).toEqual(['1']);

      await journey.action('retry');
      await instance.until('50 % is proved again', provedAt(50));
      await journey.action('promote');
      await instance.until('revision 2 is promoted', (object) => {
        return object.status?.stable?.revision === 2 && ready(object);
      });
      expect(await journey.answering(200)).toEqual(['2']);

      const rolledBack = Date.now();
      await journey.action('rollback');
      const last = await instance.until('revision 1 is stable again', (object) => {
        const { stable, candidate } = object.status ?? {};
        return stable?.revision === 1 && candidate === undefined && notReady(object, 'RolledBack');
      });
      console.info(`rolled back after ${String(Date.now() - rolledBack)} ms`);
      expect(condition(last, 'TrafficProved')?.status).toBe('True');
      expect(await journey.answering(200)).toEqual(['1']);
    },
    throughGateway,
    { url },
  ));
