import { describe, expect, it } from 'vitest';
import { createInstanceHarness, type InstanceHarness, type Turn } from '../../testing/instanceHarness.ts';
import {
  abort,
  action,
  begin,
  done,
  paused,
  promote,
  release,
  sameEnd,
  settled,
  surviveDeaths,
  travel,
  type Act,
} from '../../testing/journey.ts';

/** What people do to an instance, each act once the one before has come to rest. */
const journeys: Record<string, Act[]> = {
  'a first rollout, a release and its promotion': [begin, release('00000002'), promote],
  'an abort and a retry': [
    begin,
    release('00000002'),
    abort,
    { does: action('retry'), until: paused },
    promote,
  ],
  'a rollback after the promotion': [
    begin,
    release('00000002'),
    promote,
    { does: action('rollback'), until: done('rollback') },
  ],
  'a newer release in the middle of a rollout': [
    begin,
    release('00000002'),
    {
      does: (h) => {
        h.publish('00000003');
      },
      until: (turn) => paused(turn) && turn.instance?.status?.candidate?.revision === 3,
    },
    promote,
  ],
  'hand edits of the traffic objects': [
    begin,
    release('00000002'),
    {
      does: (h) => {
        h.kube.remove({
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          namespace: 'shop',
          name: 'todo-canary',
        });
      },
      until: (turn, h) =>
        paused(turn) && h.cluster.dataPlane.does({ kind: 'weights', stable: 1, candidate: 2, weight: 10 }),
    },
    promote,
  ],
};

const live = (acts: readonly Act[]): Promise<InstanceHarness> => travel({ acts });

describe('an ApiInstance', { timeout: 60_000 }, () => {
  it.each(Object.entries(journeys))('%s: clients never meet a route without pods', async (_, acts) => {
    await live(acts);
  });

  it('is promoted in the order that is safe', async () => {
    const h = await live([begin, release('00000002'), promote]);
    const { status } = h.instance();
    expect(status?.stable?.revision).toBe(2);
    expect(status?.candidate).toBeUndefined();
    expect(status?.history?.map(({ revision, outcome }) => `${revision} ${outcome}`)).toEqual([
      '2 Promoted',
      '1 Promoted',
    ]);
  });
});

it('an operator upgrade with other default images rolls nothing, and the next revision has them', async () => {
  const h = await live([begin]);
  const templates = () =>
    h.kube.all('Deployment').map((object) => (object['spec'] as { template: unknown }).template);
  const before = templates();
  h.upgrade();
  await h.run(settled);
  await h.run(settled);
  expect(templates()).toEqual(before);
  h.publish('00000002');
  await h.run(paused);
  expect(JSON.stringify(templates())).toContain('gate:2');
}, 60_000);

describe('an object of somebody else under a name of ours', { timeout: 60_000 }, () => {
  const blocked = ({ outcome }: Turn) => outcome?.kind === 'blocked';
  const theirs = { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'shop', name: 'todo' };
  const pooler = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'todo-pooler' };
  const put = (h: InstanceHarness, { apiVersion, kind, namespace, name }: typeof theirs) =>
    h.kube.put({ apiVersion, kind, metadata: { namespace, name } });

  it('keeps a first rollout from beginning and is left alone', async () => {
    const h = createInstanceHarness([]);
    const before = put(h, theirs);
    await h.run(blocked);
    expect(h.instance().status?.conditions?.find(({ type }) => type === 'Ready')?.reason).toBe(
      'NameConflict',
    );
    expect(h.kube.read(theirs)).toEqual(before);
    expect(h.kube.all('Deployment')).toEqual([]);
  });

  it('is left alone too when it turns up later, while what serves goes on serving', async () => {
    const h = await live([begin]);
    h.kube.remove(pooler);
    const before = put(h, pooler);
    await h.run(blocked);
    expect(h.kube.read(pooler)).toEqual(before);
    expect(h.violations()).toEqual([]);
  });
});

describe('an ApiSchema', { timeout: 60_000 }, () => {
  const ref = { apiVersion: 'pgrst.dev/v1alpha1', kind: 'ApiSchema', namespace: 'shop', name: 'todo' };

  it('that ends a release for a contraction: its revision goes, nobody can go back to it, and what serves is not touched', async () => {
    const h = await live([begin, release('00000002'), promote]);
    const status = (h.kube.read(ref) as { status?: { releases: { id: string }[] } } | undefined)?.status;
    const ending = (id: string) => (id === '00000001' ? { ending: true } : {});
    h.kube.putStatus(ref, {
      ...status,
      releases: status?.releases.map((each) => ({ ...each, ...ending(each.id) })),
    });
    await h.run(() => h.kube.all('ControllerRevision').length === 1);
    await h.run(settled);
    const safe = h.instance().status?.conditions?.find(({ type }) => type === 'RollbackSafe');
    expect(safe).toMatchObject({ status: 'False', reason: 'NothingToRollBackTo' });
    expect(h.instance().status?.stable?.revision).toBe(2);
    expect(h.violations()).toEqual([]);
  });
});

describe('the revision that traffic leaves', { timeout: 60_000 }, () => {
  const replicas = (h: InstanceHarness, revision: number): unknown => {
    const found = h.kube
      .all('Deployment')
      .find(({ metadata }) => metadata.labels?.['pgrst.dev/revision'] === String(revision));
    return (found?.['spec'] as { replicas?: number } | undefined)?.replicas;
  };

  it('keeps its pods for warmFor after a promotion, and then none', async () => {
    const h = await live([begin, release('00000002'), promote]);
    expect(replicas(h, 1)).toBe(2);
    await h.clock.advance(16 * 60_000);
    await h.run(settled);
    expect(replicas(h, 1)).toBe(0);
    expect(replicas(h, 2)).toBe(2);
  });

  it('keeps none after an abort', async () => {
    const h = await live([begin, release('00000002'), abort]);
    expect(replicas(h, 1)).toBe(2);
    expect(replicas(h, 2)).toBe(0);
  });
});

// Hundreds of short lives: seconds on an idle machine, more on a busy one.
describe('an operator that dies after any of its writes', { timeout: 300_000 }, () => {
  const longest = 'a rollback after the promotion';

  it(`${longest}: whichever write was the last, the next operator reaches the same end`, async () => {
    const journey = { acts: journeys[longest] ?? [] };
    const undisturbed = await travel(journey);
    for (let life = 0; life < undisturbed.writes(); life += 1) await sameEnd(journey, [life], undisturbed);
  });

  it.each(Object.entries(journeys))('%s: three deaths anywhere, the same end', async (_, acts) => {
    await surviveDeaths({ acts }, await travel({ acts }), 6);
  });
});
