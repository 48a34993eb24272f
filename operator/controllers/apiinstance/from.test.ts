import { describe, expect, it } from 'vitest';
import type { InstanceHarness } from '../../testing/instanceHarness.ts';
import {
  abort,
  action,
  condition,
  nothing,
  paused,
  publish,
  serves,
  settled,
  surviveDeaths,
  travel,
  type Act,
  type Journey,
} from '../../testing/journey.ts';

const from = { service: { name: 'old-api', port: 8000 } };
const spec = { rollout: { from, steps: [{ weight: 10 }, { pause: {} }] } };
const start: Act = { does: nothing, until: paused };
const forward: Act = { does: action('promote'), until: serves(1) };
const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', namespace: 'shop', name: 'todo' };

const journeys: Record<string, Journey> = {
  'away from a service of somebody else': { spec, acts: [start, forward] },
  'back to that service': { spec, acts: [start, abort] },
  'back, and once more': {
    spec,
    acts: [start, abort, { does: action('retry'), until: paused }, forward],
  },
  'a main Ingress that somebody deletes meanwhile': {
    spec,
    acts: [
      start,
      {
        does: (h) => {
          h.kube.remove(ingress);
        },
        until: (turn, h) => paused(turn) && h.cluster.route().main === 'from',
      },
      forward,
    ],
  },
  'a newer release meanwhile': {
    spec,
    acts: [
      start,
      {
        does: publish('00000002'),
        until: (turn) => paused(turn) && turn.instance?.status?.candidate?.revision === 2,
      },
      { does: action('promote'), until: serves(2) },
    ],
  },
  'a release after it, and back': {
    spec,
    acts: [
      start,
      forward,
      { does: publish('00000002'), until: paused },
      { does: action('promote'), until: serves(2) },
      { does: action('rollback'), until: serves(1) },
    ],
  },
};

/** What was changed of the way in for clients, in its order. */
function moves(h: InstanceHarness): readonly string[] {
  return h.kube.writes
    .filter(({ ref, changed }) => changed && ['Ingress', 'Service'].includes(ref.kind))
    .flatMap(({ ref, body }) => {
      const text = JSON.stringify(body);
      if (ref.name === 'todo-canary')
        return [`canary ${/"[^"]*canary-weight":"([0-9]+)"/.exec(text)?.[1] ?? '?'}`];
      if (ref.name !== 'todo') return [];
      if (ref.kind === 'Service')
        return [`Service ${/"pgrst.dev\/revision":"([0-9]+)"/.exec(text)?.[1] ?? '?'}`];
      return [`main ${text.includes('"name":"old-api"') ? 'old-api' : 'todo'}`];
    });
}

describe('a first rollout away from a service that we do not manage', { timeout: 300_000 }, () => {
  it.each(Object.entries(journeys))('%s: whoever dies on the way, the same end', async (_, each) => {
    await surviveDeaths(each, await travel(each), 3);
  });

  it('moves the stable Service first, and the main route once the router knows it', async () => {
    const h = await travel({ spec, acts: [start, forward] });
    expect(moves(h)).toEqual([
      'main old-api',
      'canary 0',
      'canary 10',
      'canary 100',
      'Service 1',
      'main todo',
      'canary 0',
    ]);
    expect(h.instance().status?.history).toMatchObject([{ revision: 1, from: 0, outcome: 'Promoted' }]);
  });

  it('goes back to it in one write', async () => {
    const h = await travel({ spec, acts: [start, abort] });
    expect(moves(h)).toEqual(['main old-api', 'canary 0', 'canary 10', 'canary 0']);
    expect(condition(h.instance(), 'Ready')).toMatchObject({ status: 'False', reason: 'Aborted' });
    expect(condition(h.instance(), 'Available')).toMatchObject({ status: 'True' });
    expect(h.instance().status?.rejected).toMatchObject([{ revision: 1, to: 0, reason: 'Aborted' }]);
    expect(h.instance().status?.history).toMatchObject([{ revision: 1, from: 0, outcome: 'Aborted' }]);
  });

  it('goes back to it when a check fails, and says why', async () => {
    const failure = 'error rate 30 % of at most 5 %';
    const h = await travel({
      spec: { rollout: { ...spec.rollout, analysis: { maxErrorRate: '5%' } } },
      script: ({ script }) => {
        script.analysis = () => ({ failure });
      },
      acts: [
        { does: nothing, until: (turn) => settled(turn) && turn.instance?.status?.rejected !== undefined },
      ],
    });
    expect(moves(h)).toEqual(['main old-api', 'canary 0', 'canary 10', 'canary 0']);
    expect(condition(h.instance(), 'Ready')).toMatchObject({ reason: 'AnalysisFailed' });
    expect(h.instance().status?.rejected).toMatchObject([{ to: 0, message: failure }]);
  });

  it('leaves a revision for a newer one without ever moving the main route', async () => {
    const h = await travel({
      ...journeys['a newer release meanwhile'],
      acts: journeys['a newer release meanwhile']?.acts.slice(0, 2) ?? [],
    });
    expect(h.cluster.route()).toMatchObject({ main: 'from', canary: { revision: 2, weight: 10 } });
    expect(h.instance().status?.history).toMatchObject([{ revision: 1, from: 0, outcome: 'Superseded' }]);
  });
});
