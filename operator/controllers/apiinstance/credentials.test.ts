import { describe, expect, it } from 'vitest';
import type { InstanceHarness } from '../../testing/instanceHarness.ts';
import {
  begin,
  paused,
  promote,
  quietWhile,
  release,
  sameEnd,
  settled,
  setOut,
  surviveDeaths,
  travel,
  type Act,
  type Journey,
} from '../../testing/journey.ts';
import type { RevisionContent } from '../../resources/revision.ts';
import { createSecretMemory, credentialMarks, refText, type SecretRef } from './credentials.ts';
import type { SecretValue } from './world.ts';

const jwt: SecretRef = { name: 'jwt', key: 'jwks' };
const uri: SecretRef = { name: 'database', key: 'uri' };
const annotation = 'pgrst.dev/credentials';

/** Somebody writes a Secret: another value, or other labels beside it. */
const write =
  ({ name, key }: SecretRef, value: string, labels: Record<string, string> = {}) =>
  (h: InstanceHarness): void => {
    const data = { [key]: Buffer.from(value).toString('base64') };
    h.kube.put({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'shop', labels }, data });
  };

const keys = write(jwt, 'one key');
const spec = { postgrest: { jwtSecretRef: jwt } };
const start: Act = { does: keys, until: settled };
const uriOf = (user: string) => `postgres://${user}:secret@db:5432/app`;

const podNames = (h: InstanceHarness, revision: number): readonly string[] =>
  h.kube
    .all('Pod')
    .filter(({ metadata }) => metadata.labels?.['pgrst.dev/revision'] === String(revision))
    .map(({ metadata }) => metadata.name);

const deployments = (h: InstanceHarness) =>
  h.kube.all('Deployment').filter(({ metadata }) => metadata.labels?.['pgrst.dev/revision'] !== undefined);

const templates = (h: InstanceHarness): string =>
  JSON.stringify(deployments(h).map((object) => (object['spec'] as { template: unknown }).template));

/** Enough reconciles for everything that is to happen, and the rolling update that it brings. */
async function rest(h: InstanceHarness): Promise<void> {
  for (let turns = 0; turns < 12; turns += 1) await h.turn();
}

async function expectReplaced(h: InstanceHarness, revisions: readonly number[], change: () => void) {
  const before = revisions.map((revision) => podNames(h, revision));
  change();
  await rest(h);
  for (const [index, revision] of revisions.entries()) {
    const after = podNames(h, revision);
    expect(after).toHaveLength(before[index]?.length ?? 0);
    expect(after.filter((name) => before[index]?.includes(name))).toEqual([]);
  }
}

async function expectKept(h: InstanceHarness, change: () => void) {
  const before = templates(h);
  change();
  await rest(h);
  expect(templates(h)).toBe(before);
}

describe('a credential that changes', { timeout: 60_000 }, () => {
  it('in the middle of a paused rollout: the pods of both revisions are replaced, and the pause goes on', async () => {
    const h = await setOut({ spec, acts: [start, release('00000002')] });
    const before = h.instance().status;
    const route = h.cluster.route();
    await expectReplaced(h, [1, 2], () => {
      write(jwt, 'two keys')(h);
    });
    await h.run(paused);
    const after = h.instance().status;
    expect(after?.pausedSince).toBe(before?.pausedSince);
    expect(after?.step).toBe(before?.step);
    expect(after?.candidate).toEqual(before?.candidate);
    expect(after?.stable).toEqual(before?.stable);
    expect(h.cluster.route()).toEqual(route);
    expect(h.kube.all('ControllerRevision')).toHaveLength(2);
    expect(h.violations()).toEqual([]);
  });

  it('reaches a revision that is kept warm, and one without pods says so without rolling', async () => {
    const h = await setOut({ spec, acts: [start, release('00000002'), promote] });
    await expectReplaced(h, [1, 2], () => {
      write(jwt, 'two keys')(h);
    });
    await h.clock.advance(16 * 60_000);
    await h.run(settled);
    expect(podNames(h, 1)).toEqual([]);
    const cold = () =>
      JSON.stringify(deployments(h).find(({ metadata }) => metadata.name.includes('-r1-'))?.['spec']);
    const before = cold();
    await expectReplaced(h, [2], () => {
      write(jwt, 'the new key')(h);
    });
    expect(cold()).toBe(before);
  });

  it('of the database: pods that connect directly are replaced, pods behind the pooler are not', async () => {
    const direct = await setOut({ spec: { pooler: undefined }, acts: [begin] });
    await expectReplaced(direct, [1], () => {
      write(uri, uriOf('another'))(direct);
    });
    const pooled = await setOut({ acts: [begin] });
    await expectKept(pooled, () => {
      write(uri, uriOf('another'))(pooled);
    });
  });

  it('is told from another label on its Secret, by the process that has seen both', async () => {
    const h = await setOut({ spec, acts: [start] });
    await expectKept(h, () => {
      write(jwt, 'one key', { team: 'web' })(h);
    });
    // Another process has seen only one of them: better once too often than a key that nobody knows.
    await expectReplaced(h, [1], () => {
      h.restart();
      write(jwt, 'one key', { team: 'app' })(h);
    });
  });

  it('is nothing that an operator upgrade brings: Deployments that say nothing are taken as they are', async () => {
    const h = await setOut({ spec, acts: [start] });
    for (const object of deployments(h)) {
      expect(object.metadata.annotations?.[annotation]).toMatch(/^jwt\/jwks=\d+$/);
      const annotations = {};
      h.kube.put({ ...object, metadata: { ...object.metadata, annotations } });
    }
    await expectKept(h, () => {
      h.upgrade();
    });
    expect(deployments(h)[0]?.metadata.annotations?.[annotation]).toMatch(/^jwt\/jwks=\d+$/);
  });

  it('stays in the template once it was rolled in: neither an upgrade nor a Secret that is gone rolls it back', async () => {
    const h = await setOut({ spec, acts: [start] });
    await expectReplaced(h, [1], () => {
      write(jwt, 'two keys')(h);
    });
    expect(templates(h)).toContain(annotation);
    await expectKept(h, () => {
      h.upgrade();
      h.kube.remove({ apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: jwt.name });
    });
  });
});

describe(
  'an operator that dies after any of its writes while credentials change',
  { timeout: 300_000 },
  () => {
    const rolled = quietWhile((_, h) => templates(h).includes(annotation));
    const journeys: Record<string, Journey> = {
      'at rest': { spec, acts: [start, { does: write(jwt, 'two keys'), until: rolled }] },
      'in a paused rollout': {
        spec,
        acts: [start, release('00000002'), { does: write(jwt, 'two keys'), until: rolled }, promote],
      },
    };

    it.each(Object.entries(journeys))('%s: the same end', async (_, journey) => {
      const undisturbed = await travel(journey);
      for (let life = 0; life < undisturbed.writes(); life += 3) await sameEnd(journey, [life], undisturbed);
      await surviveDeaths(journey, undisturbed, 4);
    });
  },
);

describe('what is remembered of Secrets', () => {
  const found = (value: string, version: string): ReadonlyMap<string, SecretValue> =>
    new Map([[refText(jwt), { state: 'found', value, version }]]);

  it('tells a value that came back, and forgets what no Deployment speaks of any more', () => {
    const memory = createSecretMemory();
    memory.see('shop/todo', found('a', '1'), []);
    const marks = ['jwt/jwks=1'];
    expect(memory.see('shop/todo', found('b', '2'), marks).same).toEqual(new Set(['jwt/jwks=2']));
    expect(memory.see('shop/todo', found('a', '3'), marks).same).toEqual(
      new Set(['jwt/jwks=1', 'jwt/jwks=3']),
    );
    memory.see('shop/todo', found('b', '4'), ['jwt/jwks=4']);
    expect(memory.see('shop/todo', found('a', '5'), marks).same).toEqual(new Set(['jwt/jwks=5']));
  });

  it('holds no value that anybody could read', () => {
    const credentials = createSecretMemory().see('shop/todo', found('very secret', '1'), []);
    expect(JSON.stringify([[...credentials.versions], [...credentials.same]])).toBe(
      '[[["jwt/jwks","1"]],["jwt/jwks=1"]]',
    );
  });

  it('is about one key: another Secret with the same value is another credential', () => {
    const content = { postgrest: { jwtSecretRef: jwt }, database: { pooled: true } } as RevisionContent;
    const before = { replicas: 2, restartAt: undefined, credentials: { seen: 'other/jwks=1' } };
    const marks = credentialMarks(
      { number: 1, content, workload: 1 },
      {
        credentials: { versions: new Map([[refText(jwt), '2']]), same: new Set(['jwt/jwks=2']) },
        deployments: new Map([[1, before]]),
      },
    );
    expect(marks).toEqual({ seen: 'jwt/jwks=2', rolled: 'jwt/jwks=2' });
  });
});
