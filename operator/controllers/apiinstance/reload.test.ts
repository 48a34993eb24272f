import { describe, expect, it } from 'vitest';
import type { InstanceHarness, Turn } from '../../testing/instanceHarness.ts';
import {
  action,
  begin,
  condition,
  done,
  paused,
  promote,
  quietAfter,
  sameEnd,
  serves,
  settled,
  setOut,
  surviveDeaths,
  travel,
  type Act,
  type Journey,
} from '../../testing/journey.ts';

const direct = { pooler: undefined };
const settings =
  (config: Record<string, string>) =>
  (h: InstanceHarness): void => {
    h.edit({ spec: { postgrest: { config } } });
  };
const rows = (count: number): Act['does'] => settings({ 'db-max-rows': String(count) });
/** A settings file of a workload, as its object has it. */
const fileOf = (h: InstanceHarness, workload: number): string => {
  const found = h.kube
    .all('ConfigMap')
    .find(
      ({ metadata }) =>
        metadata.name.endsWith('-settings') && metadata.labels?.['pgrst.dev/revision'] === String(workload),
    );
  return (found?.['data'] as Record<string, string> | undefined)?.['postgrest.conf'] ?? '';
};
const podNames = (h: InstanceHarness): string[] => h.kube.all('Pod').map(({ metadata }) => metadata.name);
const tokenIn = (file: string): string => /X-Pgrst-Settings-([0-9a-f]{12})/.exec(file)?.[1] ?? '';
const revisions = (h: InstanceHarness): number[] =>
  h.kube.all('ControllerRevision').map((object) => object['revision'] as number);

const journeys: Record<string, Journey> = {
  'a setting that is read anew': { spec: direct, acts: [begin, { does: rows(5), until: serves(2) }] },
  'a setting that is read anew, and put back': {
    spec: direct,
    acts: [
      begin,
      { does: rows(5), until: serves(2) },
      { does: rows(7), until: serves(3) },
      { does: settings({}), until: serves(1) },
    ],
  },
  'a rollback of a setting': {
    spec: direct,
    acts: [begin, { does: rows(5), until: serves(2) }, { does: action('rollback'), until: serves(1) }],
  },
  'a rollback past a setting, to pods that wear another one': {
    spec: { ...direct, rollout: { steps: [{ weight: 10 }, { pause: {} }], warmFor: '1s' } },
    acts: [
      begin,
      { does: rows(5), until: serves(2) },
      { does: settings({ 'db-max-rows': '5', 'db-pool': '3' }), until: paused },
      promote,
      { does: action('rollback=1'), until: serves(1) },
    ],
  },
  'a setting in the middle of a rollout': {
    spec: direct,
    acts: [begin, { does: settings({ 'db-pool': '3' }), until: paused }, { does: rows(5), until: serves(3) }],
  },
  'the action reload': {
    spec: direct,
    acts: [begin, { does: action('reload'), until: quietAfter('reload') }],
  },
};

describe.each(Object.entries(journeys))('%s', (_, journey) => {
  it('ends the same wherever operators die', { timeout: 60_000 }, async () => {
    const undisturbed = await travel(journey);
    await sameEnd(journey, [1], undisturbed);
    await surviveDeaths(journey, undisturbed, 12);
  });
});

it('a setting that is read anew makes a revision in the pods that are there', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  const before = podNames(h);
  rows(5)(h);
  await h.run(serves(2));
  expect(podNames(h)).toEqual(before);
  expect(fileOf(h, 1)).toContain('db-max-rows = "5"');
  expect(fileOf(h, 1)).toContain('app.settings.revision = "2"');
  expect([...h.script.loaded]).toEqual(before.map((name) => [name, tokenIn(fileOf(h, 1))]));
  expect(h.kube.all('Deployment')).toHaveLength(1);
  expect(revisions(h)).toEqual([1, 2]);
  expect(h.instance().status?.history?.[0]).toMatchObject({ revision: 2, from: 1, outcome: 'Promoted' });
});

it('is not done before every pod has loaded it, and says so', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  const [first = ''] = podNames(h);
  h.script.deaf.add(first);
  rows(5)(h);
  await h.run(({ instance }: Turn) => condition(instance, 'Progressing')?.reason === 'Reloading');
  expect(condition(h.instance(), 'Ready')?.status).toBe('False');
  expect(h.instance().status).toMatchObject({ stable: { revision: 1 }, candidate: { revision: 2 } });
  h.script.deaf.clear();
  await h.run(serves(2));
  expect(condition(h.instance(), 'Ready')?.status).toBe('True');
});

it('tells one pod after the other', async () => {
  const h = await setOut({ spec: { ...direct, replicas: 3 }, acts: [begin] });
  const [first = ''] = podNames(h).sort();
  h.script.deaf.add(first);
  rows(5)(h);
  for (let turns = 0; turns < 20; turns += 1) await h.turn();
  expect(h.script.loaded.size).toBe(0);
});

it('replaces a pod that hears nothing', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  const before = podNames(h).sort();
  const [first = ''] = before;
  h.script.givesUp.add(first);
  rows(5)(h);
  await h.run(serves(2));
  expect(podNames(h)).not.toContain(first);
  expect(podNames(h)).toContain(before[1]);
});

it('a setting that a pod starts with makes new pods, and status says so before', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  h.edit({ spec: { suspend: true } });
  settings({ 'db-pool': '3' })(h);
  await h.run(({ instance }) => instance?.status?.change !== undefined);
  expect(h.instance().status?.change).toEqual({ from: 1, to: 2, effect: 'NewPods', what: ['db-pool'] });
  rows(5)(h);
  await h.run(({ instance }) => instance?.status?.change?.effect === 'Reload');
  h.edit({ spec: { suspend: false } });
  await h.run(serves(2));
  expect(h.instance().status?.change).toBeUndefined();
});

it('makes new pods where nobody can see which settings a pod has', async () => {
  const h = await setOut({
    spec: direct,
    script: ({ script }) => void (script.version = undefined),
    acts: [begin],
  });
  rows(5)(h);
  await h.run(paused);
  expect(h.kube.all('Deployment')).toHaveLength(2);
});

it('behind a pooler the action reload replaces the pods', async () => {
  const h = await setOut({ acts: [begin, { does: action('reload'), until: done('reload') }] });
  expect(h.instance().status).toMatchObject({ reload: { way: 'Replace' }, restart: { revision: 1 } });
});

it('says when a reload is done, and not before every pod has done it', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  const [first = ''] = podNames(h);
  h.script.deaf.add(first);
  action('reload')(h);
  for (let turns = 0; turns < 20; turns += 1) await h.turn();
  expect(h.instance().status?.reload).toMatchObject({ way: 'Notify' });
  expect(h.instance().status?.reload).not.toHaveProperty('doneAt');
  h.script.deaf.clear();
  await h.run(({ instance }) => instance?.status?.reload?.doneAt !== undefined);
});

it('keeps the images of the pods that are there, whatever a newer operator has by default', async () => {
  const h = await setOut({ spec: direct, acts: [begin] });
  h.upgrade();
  rows(5)(h);
  await h.run(serves(2));
  const [, second] = h.kube.all('ControllerRevision') as unknown as {
    data: { content: { postgrest: { image: object } } };
  }[];
  expect(second?.data.content.postgrest.image).toEqual({ name: 'postgrest:1', isDefault: true });
});

it('a new operator tells nobody anything again', async () => {
  const h = await setOut({ spec: direct, acts: [begin, { does: rows(5), until: serves(2) }] });
  h.script.loaded.forEach((token, pod) => h.script.loaded.set(pod, token));
  const told = [...h.script.loaded];
  h.restart();
  await h.run(settled);
  expect([...h.script.loaded]).toEqual(told);
});
