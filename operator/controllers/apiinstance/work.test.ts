import { describe, expect, it } from 'vitest';
import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import type { Expectation } from '../../rollout/types.ts';
import { createFakeRouter } from '../../testing/fakeRouter.ts';
import { instanceSpec, owner } from '../../testing/resourceCases.ts';
import { trafficOrder } from './work.ts';
import type { World } from './world.ts';

const condition = (type: string, status: 'True' | 'False', observedGeneration = 3) => ({
  type,
  status,
  reason: 'Whatever',
  message: '',
  observedGeneration,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});
const atRest = [condition('Progressing', 'False'), condition('TrafficProved', 'True')];
/** Revision 2 serves, revision 1 had the traffic before and is still behind the canary. */
const settled: ApiInstanceStatus = {
  conditions: atRest,
  stable: { revision: 2, release: '00000002', replicas: 2, ready: 2 },
  traffic: { revision: 1, weight: 0, provedWeight: 0 },
};
const all: Expectation = { kind: 'weights', stable: 2, candidate: 1, weight: 0 };

function ordered(status: ApiInstanceStatus, expectation: Expectation) {
  const metadata = { ...owner, resourceVersion: '7', generation: 3 };
  const world = {
    metadata,
    status,
    router: createFakeRouter(),
    places: '',
    settings: new Map(),
    revisions: [],
  } as unknown as World;
  const [order] = trafficOrder(expectation, world, owner, instanceSpec());
  return order?.spec.kind === 'traffic' && { isStanding: order.spec.isStanding, priority: order.priority };
}

describe('the order to prove traffic', () => {
  it('of what was proved before and stands is small, and nobody waits for it', () => {
    expect(ordered(settled, all)).toEqual({ isStanding: true, priority: 'resync' });
  });

  it.each<[string, ApiInstanceStatus, Expectation]>([
    ['nothing is there yet', {}, all],
    [
      'a rollout runs',
      { ...settled, conditions: [condition('Progressing', 'True'), ...atRest.slice(1)] },
      all,
    ],
    [
      'the spec is newer',
      { ...settled, conditions: atRest.map((c) => ({ ...c, observedGeneration: 2 })) },
      all,
    ],
  ])('is urgent and whole where %s', (_, status, expectation) => {
    expect(ordered(status, expectation)).toEqual({ isStanding: false, priority: 'changed' });
  });

  it.each<[string, ApiInstanceStatus, Expectation]>([
    ['it was only taken for done', { ...settled, conditions: atRest.slice(0, 1) }, all],
    ['another revision served', settled, { ...all, stable: 3 }],
    ['another revision was behind the canary', settled, { ...all, candidate: 3 }],
    ['it had a share', { ...settled, traffic: { revision: 1, weight: 10 } }, all],
    ['a share is to be proved', settled, { ...all, weight: 10 }],
    ['the stable Service is to be proved', settled, { kind: 'stable', revision: 2 }],
  ])('is whole where %s', (_, status, expectation) => {
    expect(ordered(status, expectation)).toMatchObject({ isStanding: false });
  });
});
