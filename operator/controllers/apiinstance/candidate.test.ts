import { describe, expect, it } from 'vitest';
import type { InstanceHarness } from '../../testing/instanceHarness.ts';
import {
  action,
  begin,
  condition,
  nothing,
  paused,
  publish,
  serves,
  setOut,
  settled,
  standsFor,
  surviveDeaths,
  travel,
  type Act,
  type Journey,
} from '../../testing/journey.ts';

const steps = [{ weight: 10 }, { pause: { duration: '1s' } }, { weight: 50 }, { pause: { duration: '2s' } }];
const failure = 'error rate 30 % of at most 5 % (60 of 200 requests)';
const judged = { rollout: { steps, analysis: { maxErrorRate: '5%' } } };
const left: Act = {
  does: publish('00000002'),
  until: (turn) => settled(turn) && turn.instance?.status?.rejected !== undefined,
};
const failsAt = (weight: number) => (h: InstanceHarness) => {
  h.script.analysis = (order) =>
    order.revision === 2 && order.weight >= weight
      ? { failure }
      : { verdict: 'Passed', message: 'all is well' };
};
const says = (verdict: 'TooFewRequests' | 'Inconclusive' | 'Passed') => (h: InstanceHarness) => {
  h.script.analysis = () => ({ verdict, message: `it is ${verdict}` });
};
const held: Journey['spec'] = { rollout: { steps: [{ weight: 10 }, { pause: {} }], breaking: 'Hold' } };
const loses = { total: 2, changes: ['GET /todos is gone', 'todos.due is gone'] };
const crash = (h: InstanceHarness) => {
  h.publish('00000002');
  h.cluster.crashing.add(2);
};
const deadline = { rollout: { steps, progressDeadline: '30s' } };
const journeys: Record<string, Journey> = {
  'a candidate that fails its analysis at 50 %': { spec: judged, script: failsAt(50), acts: [begin, left] },
  'a failed candidate that is retried once it is mended': {
    spec: judged,
    script: failsAt(10),
    acts: [
      begin,
      left,
      {
        does: (h) => {
          failsAt(101)(h);
          action('retry')(h);
        },
        until: serves(2),
      },
    ],
  },
  'too few requests, and a promotion all the same': {
    spec: judged,
    script: says('TooFewRequests'),
    acts: [
      begin,
      { does: publish('00000002'), until: standsFor('TooFewRequests') },
      { does: action('promote'), until: (turn, h) => standsFor('TooFewRequests')(turn) && weight(h) === 50 },
      {
        does: action('promote'),
        until: (turn, h) => standsFor('TooFewRequests')(turn) && weight(h) === 100,
      },
      { does: action('promote'), until: serves(2) },
    ],
  },
  'a judgement that nobody can make until it can be made': {
    spec: judged,
    script: says('Inconclusive'),
    acts: [
      begin,
      { does: publish('00000002'), until: standsFor('AnalysisInconclusive') },
      { does: says('Passed'), until: serves(2) },
    ],
  },
  'probes that fail before any traffic': {
    spec: { rollout: { steps, analysis: { probes: [{ path: '/todos' }] } } },
    script: (h) => {
      h.script.probes.set(2, 'GET /todos gave 500 instead of 200');
    },
    acts: [begin, left],
  },
  'a breaking change that somebody approves': {
    spec: held,
    script: (h) => {
      h.script.contracts.set(2, loses);
    },
    acts: [
      begin,
      { does: publish('00000002'), until: standsFor('BreakingChange') },
      { does: action('approve'), until: paused },
      { does: action('promote'), until: serves(2) },
    ],
  },
  'a contract that nobody knows, approved': {
    spec: held,
    script: (h) => {
      h.script.contracts.set(2, { unknown: 'stable answers 401' });
    },
    acts: [
      begin,
      { does: publish('00000002'), until: standsFor('ContractUnknown') },
      { does: action('approve'), until: paused },
      { does: action('promote'), until: serves(2) },
    ],
  },
  'a candidate that gets no further': { spec: deadline, acts: [begin, { ...left, does: crash }] },
  'a candidate that has its share of the pods': {
    spec: {
      replicas: 4,
      rollout: {
        steps: [{ weight: 10 }, { pause: {} }, { weight: 60 }, { pause: {} }],
        capacity: 'ByWeight',
      },
    },
    acts: [
      begin,
      { does: publish('00000002'), until: paused },
      { does: action('promote'), until: (turn, h) => paused(turn) && weight(h) === 60 },
      { does: action('promote'), until: serves(2) },
    ],
  },
};

function journey(name: string): Journey {
  const found = journeys[name];
  if (!found) throw new Error(`there is no journey "${name}"`);
  return found;
}

function weight({ cluster }: InstanceHarness): number | undefined {
  return cluster.route().canary?.weight;
}

/** The weights that the canary was given, in their order. */
function weights(h: InstanceHarness): readonly number[] {
  return h.kube.writes
    .filter(({ ref, changed }) => ref.kind === 'Ingress' && ref.name === 'todo-canary' && changed)
    .map(({ body }) => (body as { metadata: { annotations: Record<string, string> } }).metadata.annotations)
    .map((annotations) => Number(annotations['nginx.ingress.kubernetes.io/canary-weight']));
}

function replicas(h: InstanceHarness, revision: number): unknown {
  const found = h.kube
    .all('Deployment')
    .find(({ metadata }) => metadata.labels?.['pgrst.dev/revision'] === String(revision));
  return (found?.['spec'] as { replicas?: number } | undefined)?.replicas;
}

describe('a candidate', { timeout: 300_000 }, () => {
  it.each(Object.entries(journeys))('%s: whoever dies on the way, the same end', async (_, each) => {
    await surviveDeaths(each, await travel(each), 3);
  });

  it('that fails its analysis loses the traffic before anybody is told, and a spec that is applied again brings it not back', async () => {
    const h = await travel(journey('a candidate that fails its analysis at 50 %'));
    expect(weights(h)).toEqual([0, 10, 50, 0]);
    const wrote = (what: (write: InstanceHarness['kube']['writes'][number]) => boolean) =>
      h.kube.writes.findIndex(what);
    const told = wrote(
      ({ verb, body }) => verb === 'applyStatus' && JSON.stringify(body).includes('AnalysisFailed'),
    );
    const taken = h.kube.writes.findLastIndex(({ ref, changed }) => ref.name === 'todo-canary' && changed);
    expect(taken).toBeLessThan(told);
    expect(condition(h.instance(), 'Ready')).toMatchObject({ status: 'False', reason: 'AnalysisFailed' });
    expect(condition(h.instance(), 'Ready')?.message).toContain(failure);
    expect(condition(h.instance(), 'Degraded')).toMatchObject({ status: 'True', reason: 'AnalysisFailed' });
    expect(h.instance().status?.history?.[0]).toMatchObject({
      revision: 2,
      outcome: 'Aborted',
      from: 1,
      message: failure,
    });

    h.edit({ spec: h.instance()['spec'] as object, annotations: { 'example.test/applied': 'again' } });
    await h.run(settled);
    h.restart();
    await h.run(settled);
    expect(weights(h)).toEqual([0, 10, 50, 0]);
  });

  it('that is not judged yet keeps its share, and says why', async () => {
    const h = await travel({
      ...journey('too few requests, and a promotion all the same'),
      acts: [begin, { does: publish('00000002'), until: standsFor('TooFewRequests') }],
    });
    expect(weights(h)).toEqual([0, 10]);
    expect(condition(h.instance(), 'Ready')?.message).toContain('it is TooFewRequests');
  });

  it('whose probes fail gets nothing at all', async () => {
    const h = await travel(journey('probes that fail before any traffic'));
    expect(weights(h)).toEqual([0]);
    expect(h.instance().status?.rejected?.[0]).toMatchObject({
      reason: 'AnalysisFailed',
      message: 'GET /todos gave 500 instead of 200',
    });
  });

  it('that takes something from clients gets nothing before it is approved, and what that is can be read', async () => {
    const h = await travel({
      ...journey('a breaking change that somebody approves'),
      acts: [begin, { does: publish('00000002'), until: standsFor('BreakingChange') }],
    });
    expect(weights(h)).toEqual([0]);
    expect(h.instance().status?.breaking).toEqual({ revision: 2, stable: 1, ...loses });
    expect(condition(h.instance(), 'Ready')?.message).toContain('GET /todos is gone; todos.due is gone');
    h.edit({ annotations: { 'pgrst.dev/action': 'approve' } });
    await h.run(paused);
    expect(h.instance().status?.breaking?.approved).toBe(true);
    // Another one asks again.
    h.script.contracts.set(3, loses);
    h.publish('00000003');
    await h.run(
      (turn) => standsFor('BreakingChange')(turn) && turn.instance?.status?.candidate?.revision === 3,
    );
    expect(weight(h)).toBe(0);
  });

  it('that gets no further is sent back after its deadline, and not before', async () => {
    const h = await setOut({ spec: deadline, acts: [begin, { does: crash, until: standsFor('ScalingUp') }] });
    await h.clock.advance(20_000);
    await h.turn();
    expect(h.instance().status?.rejected).toBeUndefined();
    await h.clock.advance(20_000);
    await h.run(settled);
    expect(h.instance().status?.rejected?.[0]).toMatchObject({ reason: 'ProgressDeadlineExceeded', to: 1 });
    expect(condition(h.instance(), 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'ProgressDeadlineExceeded',
    });
  });

  it.each([
    ['of the steps', { does: nothing, until: paused }],
    ['by hand', { does: action('pause'), until: standsFor('ManuallyPaused') }],
  ] as [string, Act][])('that waits in a pause %s has no deadline', async (_, hold) => {
    const rollout = { steps: [{ weight: 10 }, { pause: {} }], progressDeadline: '30s' };
    const acts = [begin, { does: publish('00000002'), until: paused }, hold];
    const h = await travel({ spec: { rollout }, acts });
    await h.clock.advance(20 * 60_000);
    await h.turn();
    await h.turn();
    expect(h.instance().status?.rejected).toBeUndefined();
    expect(weight(h)).toBe(10);
  });

  it('of a first rollout has nowhere to go: it is Degraded, and goes on once it can', async () => {
    const h = await setOut({
      spec: deadline,
      script: ({ cluster }) => cluster.crashing.add(1),
      acts: [{ does: nothing, until: standsFor('ScalingUp') }],
    });
    await h.clock.advance(40_000);
    await h.run(({ instance }) => condition(instance, 'Degraded')?.status === 'True');
    expect(condition(h.instance(), 'Degraded')).toMatchObject({
      status: 'True',
      reason: 'ProgressDeadlineExceeded',
    });
    expect(h.instance().status?.rejected).toBeUndefined();
    h.cluster.crashing.clear();
    await h.run(serves(1));
    expect(condition(h.instance(), 'Degraded')?.status).toBe('False');
  });

  it('has as many pods as its share asks for, and all before it gets all', async () => {
    const { spec = {} } = journey('a candidate that has its share of the pods');
    const h = await travel({ spec, acts: [begin, { does: publish('00000002'), until: paused }] });
    expect(replicas(h, 2)).toBe(1);
    action('promote')(h);
    await h.run((turn) => paused(turn) && weight(h) === 60);
    expect(replicas(h, 2)).toBe(3);
    action('promote')(h);
    await h.run(serves(2));
    expect(replicas(h, 2)).toBe(4);
    expect(weights(h)).toEqual([0, 10, 60, 100, 0]);
  });
});
