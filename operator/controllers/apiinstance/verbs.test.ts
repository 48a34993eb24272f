import { describe, expect, it } from 'vitest';
import type { InstanceHarness, Turn } from '../../testing/instanceHarness.ts';
import {
  abort,
  action,
  begin,
  condition,
  done,
  nothing,
  paused,
  promote,
  publish,
  quietAfter,
  release,
  sameEnd,
  serves,
  settled,
  setOut,
  standsFor,
  surviveDeaths,
  travel,
  type Act,
  type Journey,
} from '../../testing/journey.ts';

const steps = [{ weight: 10 }, { pause: { duration: '1s' } }, { weight: 50 }, { pause: { duration: '1s' } }];
const settings = (rows: number) => (h: InstanceHarness) => {
  h.edit({ spec: { postgrest: { config: { 'db-max-rows': String(rows) } } } });
};
const stableService = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'todo' };
/** The old revision keeps no pods. */
const cold: Act = {
  does: nothing,
  until: (turn, h) => settled(turn) && h.cluster.readyPods(1).length === 0,
};
const brief = { rollout: { steps: [{ weight: 10 }, { pause: {} }], warmFor: '1s' } };

const journeys: Record<string, Journey> = {
  'pause and resume': {
    spec: { rollout: { steps } },
    acts: [
      begin,
      { does: publish('00000002'), until: (turn) => turn.instance?.status?.candidate !== undefined },
      { does: action('pause'), until: standsFor('ManuallyPaused') },
      { does: action('resume'), until: serves(2) },
    ],
  },
  'promote-full in the first pause': {
    acts: [begin, release('00000002'), { does: action('promote-full'), until: serves(2) }],
  },
  'a restart': { acts: [begin, { does: action('restart'), until: quietAfter('restart') }] },
  'a restart in the middle of a rollout': {
    acts: [begin, release('00000002'), { does: action('restart'), until: paused }, promote],
  },
  'a rollback to a revision that has its pods': {
    acts: [begin, release('00000002'), promote, { does: action('rollback'), until: serves(1) }],
  },
  'a rollback to a revision without pods': {
    spec: brief,
    acts: [begin, release('00000002'), promote, cold, { does: action('rollback'), until: serves(1) }],
  },
  'a rollback by number, past one revision': {
    acts: [
      begin,
      release('00000002'),
      promote,
      release('00000003'),
      promote,
      { does: action('rollback=1'), until: serves(1) },
    ],
  },
  'the spec put back in the middle of a rollout': {
    acts: [
      { does: settings(1), until: settled },
      { does: settings(2), until: paused },
      { does: settings(1), until: settled },
    ],
  },
  'a stable Service that somebody deletes': {
    acts: [
      begin,
      release('00000002'),
      {
        does: (h) => {
          h.kube.remove(stableService);
          h.cluster.excuse();
        },
        until: (turn, h) => paused(turn) && h.cluster.route().selected === 1,
      },
      promote,
    ],
  },
};

const stages = [
  'ScalingUp',
  'ProvingPods',
  'ProvingTraffic',
  'ShiftingTraffic',
  'StepPaused',
  'Promoting',
] as const;
const outcomes = (h: InstanceHarness) =>
  h
    .instance()
    .status?.history?.map(({ revision, outcome, from }) => `${revision} ${outcome} from ${from ?? '-'}`);
const templates = (h: InstanceHarness) =>
  new Map(
    h.kube
      .all('Deployment')
      .map(({ metadata, ...rest }) => [
        metadata.name,
        JSON.stringify((rest['spec'] as { template: unknown }).template),
      ]),
  );
const podNames = (h: InstanceHarness, revision: number) =>
  h.cluster.readyPods(revision).map(({ metadata }) => metadata.name);
/** Runs until the candidate stands at a stage for the first time. */
const until = (h: InstanceHarness, stage: string) =>
  h.run((turn: Turn) => standsFor(stage)(turn) && turn.instance?.status?.candidate !== undefined);

describe('what people say to a rollout', { timeout: 300_000 }, () => {
  it.each(Object.entries(journeys))('%s: whoever dies on the way, the same end', async (_, each) => {
    await surviveDeaths(each, await travel(each), 3);
  });

  it('a rollback to a revision without pods: whichever write was the last, the same end', async () => {
    const journey = journeys['a rollback to a revision without pods'] ?? { acts: [] };
    const undisturbed = await travel(journey);
    for (let life = 0; life < undisturbed.writes(); life += 3) await sameEnd(journey, [life], undisturbed);
  });

  it.each(stages)(
    'a pause while it is %s keeps everything as it is until somebody says resume',
    async (stage) => {
      const h = await setOut({ spec: { rollout: { steps } }, acts: [begin] });
      h.publish('00000002');
      await until(h, stage);
      action('pause')(h);
      await h.run(({ instance }) => instance?.status?.heldSince !== undefined);
      const held = h.cluster.route();
      for (let turns = 0; turns < 25; turns += 1) await h.turn();
      const writes = h.writes();
      for (let turns = 0; turns < 5; turns += 1) await h.turn();
      expect(h.writes()).toBe(writes);
      const { canary, ...main } = h.cluster.route();
      // What has been promoted already is brought to its end.
      if (stage !== 'Promoting') expect(main).toEqual({ main: held.main, selected: held.selected });
      if (stage !== 'Promoting') expect(canary?.weight ?? 0).toBe(held.canary?.weight ?? 0);
      if (h.instance().status?.candidate) action('resume')(h);
      await h.run(serves(2));
      expect(outcomes(h)).toEqual(['2 Promoted from 1', '1 Promoted from -']);
      expect(h.violations()).toEqual([]);
    },
  );

  it.each(stages)('a newer spec while it is %s supersedes it, and serves in the end', async (stage) => {
    const h = await setOut({ spec: { rollout: { steps } }, acts: [begin] });
    h.publish('00000002');
    await until(h, stage);
    h.publish('00000003');
    await h.run(serves(3));
    // A promotion that has moved the stable Service already is one.
    const before = stage === 'Promoting' ? '2 Promoted from 1' : '2 Superseded from 1';
    const last = stage === 'Promoting' ? '3 Promoted from 2' : '3 Promoted from 1';
    expect(outcomes(h)).toEqual([last, before, '1 Promoted from -']);
    expect(h.violations()).toEqual([]);
  });

  it.each(stages)('an abort while it is %s ends at the revision that served', async (stage) => {
    const h = await setOut({ spec: { rollout: { steps } }, acts: [begin] });
    h.publish('00000002');
    await until(h, stage);
    action('abort')(h);
    await h.run(done('abort'));
    expect(h.instance().status?.stable?.revision).toBe(1);
    expect(h.cluster.route()).toMatchObject({ main: 'stable', selected: 1, canary: { weight: 0 } });
    expect(outcomes(h)?.filter((each) => each.startsWith('2'))).toEqual(['2 Aborted from 1']);
    expect(h.violations()).toEqual([]);
  });

  it.each([
    { verb: 'abort', acts: [begin, release('00000002')], last: 2, weight: 0 },
    { verb: 'rollback', acts: [begin, release('00000002'), promote], last: 1, weight: 100 },
  ])(
    'a $verb is accepted, moves the traffic and is remembered, in this order and in one reconcile',
    async (each) => {
      const h = await travel({ acts: each.acts });
      const before = h.writes();
      action(each.verb)(h);
      await h.turn();
      expect(h.kube.writes.slice(before).map(({ verb, ref }) => `${verb} ${ref.kind}`)).toEqual([
        'patch ApiInstance',
        'apply Ingress',
        'applyStatus ApiInstance',
      ]);
      expect(h.cluster.route().canary).toEqual({ revision: each.last, weight: each.weight });
      expect(h.instance().status?.lastAction?.verb).toBe(each.verb);
    },
  );

  it.each([
    { what: 'a restart', journey: { acts: [begin] }, verb: 'restart' },
    {
      what: 'a rollback that has to start pods',
      journey: { spec: brief, acts: [begin, release('00000002'), promote, cold] },
      verb: 'rollback',
    },
  ])('$what is remembered before any pod hears of it', async ({ journey, verb }) => {
    const h = await travel(journey);
    const before = h.writes();
    action(verb)(h);
    await h.turn();
    expect(h.kube.writes.slice(before).map((write) => `${write.verb} ${write.ref.kind}`)).toEqual([
      'patch ApiInstance',
      'applyStatus ApiInstance',
    ]);
    await h.turn();
    expect(h.kube.writes.slice(before).map(({ ref }) => ref.kind)).toContain('Deployment');
  });

  it('an action that a dead operator has accepted is carried out before the next one is looked at', async () => {
    const h = await travel({ acts: [begin, release('00000002')] });
    action('abort')(h);
    h.restart(1);
    await h.turn();
    expect(h.cluster.route().canary?.weight).toBe(10);
    action('retry')(h);
    await h.run((turn) => paused(turn) && turn.instance?.status?.lastAction?.verb === 'retry');
    expect(outcomes(h)).toEqual(['2 Aborted from 1', '1 Promoted from -']);
    expect(h.violations()).toEqual([]);
  });

  it('promote-full skips steps and checks, but no proof', async () => {
    const h = await travel({
      spec: { rollout: { steps: [{ weight: 10 }, { pause: {} }], analysis: { maxErrorRate: '5%' } } },
      script: ({ script }) => {
        script.analysis = () => ({ verdict: 'TooFewRequests', message: '0 requests of at least 20' });
      },
      acts: [begin, release('00000002'), { does: action('promote-full'), until: serves(2) }],
    });
    expect(outcomes(h)).toEqual(['2 FastPromoted from 1', '1 Promoted from -']);
  });

  it('a restart replaces the pods of the revision that serves, once, and those of no other', async () => {
    const h = await travel({ acts: [begin, release('00000002')] });
    const before = { templates: templates(h), one: podNames(h, 1), two: podNames(h, 2) };
    action('restart')(h);
    await h.run(({ instance }) => instance?.status?.lastAction?.verb === 'restart');
    for (let turns = 0; turns < 8; turns += 1) await h.turn();
    const changed = [...templates(h)].filter(([name, template]) => before.templates.get(name) !== template);
    expect(changed.map(([name]) => name)).toEqual([expect.stringMatching(/^todo-r1-/)]);
    const after = podNames(h, 1);
    expect(after.filter((name) => before.one.includes(name))).toEqual([]);
    expect(podNames(h, 2)).toEqual(before.two);

    h.upgrade();
    await promoteAll(h);
    for (let turns = 0; turns < 4; turns += 1) await h.turn();
    expect(podNames(h, 1)).toEqual(after);
    expect(podNames(h, 2)).toEqual(before.two);
    expect(h.violations()).toEqual([]);
  });

  it('a rollback to pods that are there is fast, and one that has to start them is not', async () => {
    const warm = await travel(journeys['a rollback to a revision that has its pods'] ?? { acts: [] });
    expect(outcomes(warm)?.[0]).toBe('1 FastRolledBack from 2');
    const late = await travel(journeys['a rollback to a revision without pods'] ?? { acts: [] });
    expect(outcomes(late)?.[0]).toBe('1 RolledBack from 2');
    for (const h of [warm, late]) {
      expect(condition(h.instance(), 'Ready')).toMatchObject({ status: 'False', reason: 'RolledBack' });
      expect(h.instance().status?.rejected).toMatchObject([{ revision: 2, to: 1, reason: 'RolledBack' }]);
    }
  });

  it('a rollback past a contraction is refused before anything is touched', async () => {
    const h = await travel({ acts: [begin, release('00000002'), promote] });
    const ref = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiSchema', namespace: 'shop', name: 'todo' };
    const status = h.kube.read(ref)?.['status'] as { releases: { id: string }[] };
    const releases = status.releases.map((each) =>
      each.id === '00000001' ? { ...each, ending: true } : each,
    );
    h.kube.putStatus(ref, { ...status, releases });
    const route = h.cluster.route();
    action('rollback=1')(h);
    await h.run(({ instance }) => instance?.metadata.annotations?.['pgrst.dev/action'] === undefined);
    await h.run(settled);
    expect(h.instance().status?.lastAction?.verb).toBe('promote');
    expect(h.cluster.route()).toEqual(route);
    expect(h.instance().status?.rejected).toBeUndefined();
  });

  it('every end says when it began, and the spec put back is an abort without a rejection', async () => {
    const h = await travel(journeys['the spec put back in the middle of a rollout'] ?? { acts: [] });
    expect(outcomes(h)).toEqual(['2 Aborted from 1', '1 Promoted from -']);
    expect(h.instance().status?.rejected).toBeUndefined();
    for (const { startedAt, at } of h.instance().status?.history ?? [])
      expect(Date.parse(startedAt ?? '')).toBeLessThan(Date.parse(at));
  });

  it('an abort ends at the revision that serves even if somebody has deleted its snapshot, and a promotion cleans up after it', async () => {
    const h = await travel({ acts: [begin] });
    const revisions = () => h.kube.all('ControllerRevision').map(({ metadata }) => metadata.name);
    const [name = ''] = revisions();
    h.kube.remove({ apiVersion: 'apps/v1', kind: 'ControllerRevision', namespace: 'shop', name });
    await h.run(paused);
    action('abort')(h);
    await h.run(done('abort'));
    expect(h.cluster.route()).toMatchObject({ selected: 1, canary: { weight: 0 } });
    expect(condition(h.instance(), 'Ready')).toMatchObject({ status: 'False', reason: 'Aborted' });
    action('retry')(h);
    await h.run(paused);
    action('promote')(h);
    await h.run(serves(2));
    for (let turns = 0; turns < 4; turns += 1) await h.turn();
    expect([...templates(h).keys()].filter((each) => each.startsWith('todo-r1-'))).toEqual([]);
    expect(h.violations()).toEqual([]);
  });

  it('an abort counts again when it is said again', async () => {
    const h = await travel({
      acts: [begin, release('00000002'), abort, { does: action('retry'), until: paused }, abort],
    });
    expect(outcomes(h)).toEqual(['2 Aborted from 1', '2 Aborted from 1', '1 Promoted from -']);
  });
});

async function promoteAll(h: InstanceHarness): Promise<void> {
  action('promote-full')(h);
  await h.run(serves(2));
}
