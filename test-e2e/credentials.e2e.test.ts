import { expect, inject, test } from 'vitest';
import { startLoad, type LoadRequest } from '../hack/load/load.ts';
import { failed } from '../hack/load/sample.ts';
import { ask } from './support/ask.ts';
import { condition, ready } from './support/conditions.ts';
import { createKey, sign, type SigningKey } from './support/jwt.ts';
import { exampleRequests, runJourney, type Journey } from './support/journey.ts';
import { asList, type Manifest, type WrittenInstance } from './support/manifests.ts';
import { allPods } from './support/pods.ts';

const secret = (namespace: string, name: string, stringData: Record<string, string>): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  stringData,
});

/** A role without the pooler: each pod reads the database's credentials when it starts. */
const direct = (spec: WrittenInstance): WrittenInstance => {
  const { pooler: _, ...rest } = spec;
  return rest;
};

/** Writes the Secret, has the operator look, and waits until these revisions have other pods, and none of the old ones. */
async function change(journey: Journey, manifest: Manifest, revisions: readonly number[]): Promise<void> {
  const { kubectl, namespace } = journey;
  const pods = () => Promise.all(revisions.map((revision) => allPods(journey, revision)));
  const before = new Set((await pods()).flat().map(({ name }) => name));
  await kubectl(['apply', '-f', '-'], asList([manifest]));
  const rotated = `rotated-at=${String(Date.now())}`;
  await kubectl(['annotate', '-n', namespace, 'apiinstance/tasks', rotated, '--overwrite']);
  const replaced = async () => {
    const now = await pods();
    return now.every((all) => all.length === 2 && !all.some(({ name }) => before.has(name)));
  };
  await expect.poll(replaced, { timeout: 180_000, interval: 500 }).toBe(true);
  await journey.instance.until('all pods are ready and proved', ({ status }) => {
    return [status?.stable, status?.candidate].every((each) => each === undefined || each.ready === 2);
  });
}

const get = (token: string): LoadRequest => ({
  method: 'GET',
  path: '/tasks?limit=5',
  headers: { authorization: `Bearer ${token}` },
});

test('a JWT key is replaced by way of a JWKS with both, in the middle of a paused rollout, and no token is refused', () => {
  const [first, second, third] = ['first', 'second', 'third'].map(createKey) as [
    SigningKey,
    SigningKey,
    SigningKey,
  ];
  const [old, young] = [first, second].map((key) => sign(key, { role: 'web_anon' })) as [string, string];
  const jwks = (namespace: string, ...keys: readonly SigningKey[]) =>
    secret(namespace, 'tasks-jwt', { jwks: JSON.stringify({ keys }) });
  return runJourney(
    'jwt',
    async (journey) => {
      const { namespace, instance, host } = journey;
      const { ingressUrl } = inject('cluster');
      const status = async (token: string) =>
        (await ask(ingressUrl, host, '/tasks?limit=1', get(token))).status;
      expect(await status(young)).toBe(401);

      await journey.applySchema('v2');
      const paused = await instance.until('50 % is proved, and held by the steps', (object) => {
        return object.status?.traffic?.provedWeight === 50 && object.status.pausedSince !== undefined;
      });
      // The journey's own clients have tokens of the first key all the time.
      await change(journey, jwks(namespace, first, second), [1, 2]);
      const after = instance.current();
      expect(after?.status?.pausedSince).toBe(paused.status?.pausedSince);
      expect(after?.status?.traffic).toMatchObject({ revision: 2, weight: 50 });
      expect(await journey.answering(300)).toEqual(['1', '2']);

      // From here on others have tokens of the second one, while a third comes in.
      const load = startLoad({
        url: ingressUrl,
        host,
        requests: [get(young)],
        ratePerSecond: 40,
        maxSeconds: 300,
      });
      try {
        await change(journey, jwks(namespace, first, second, third), [1, 2]);
        await journey.action('promote');
        await instance.until('revision 2 is stable and Ready', (object) => {
          return object.status?.stable?.revision === 2 && ready(object);
        });
        await journey.stopTraffic();
        // Nobody has a token of the first key any more: it goes.
        await change(journey, jwks(namespace, second), [2]);
      } finally {
        const samples = await load.stop();
        expect(samples.filter(failed)).toEqual([]);
        expect(samples.length).toBeGreaterThan(500);
      }
      await expect.poll(() => status(old), { timeout: 30_000, interval: 500 }).toBe(401);
      expect(instance.current()?.status?.history?.map(({ revision }) => revision)).toEqual([2, 1]);
    },
    (spec) => ({
      ...spec,
      postgrest: { ...spec.postgrest, jwtSecretRef: { name: 'tasks-jwt', key: 'jwks' } },
      rollout: { steps: [{ weight: 50 }, { pause: {} }, { weight: 100 }] },
    }),
    {
      requests: [...exampleRequests, get(old)],
      beside: (namespace) => [jwks(namespace, first)],
    },
  );
});

test('without a pooler a second role takes the place of the first, and the connections of a cutover are counted', () =>
  runJourney(
    'roles',
    async (journey) => {
      const { namespace, instance, sql } = journey;
      const budget = await instance.until('the connections are counted', (object) => {
        return condition(object, 'ConnectionBudget')?.message.startsWith('2 revisions') === true;
      });
      expect(condition(budget, 'ConnectionBudget')).toMatchObject({
        status: 'True',
        reason: 'BudgetFits',
        message: expect.stringMatching(
          /^2 revisions x 2 pods x \(10 \+ 1\) = 44, 3 of the operator: 47 connections; \d+ of the server's \d+ are free \(3 reserved, \d+ in use by others\)\.$/,
        ) as string,
      });

      await sql(`create role authenticator_b login noinherit password 'another-throw-away';
        grant connect on database tasks to authenticator_b; grant web_anon to authenticator_b;`);
      const uri = `postgres://authenticator_b:another-throw-away@tasks-db.${namespace}.svc:5432/tasks`;
      await change(journey, secret(namespace, 'tasks-authenticator', { uri }), [1]);
      const sessions = () => sql(`select count(*) from pg_stat_activity where usename = 'authenticator'`);
      await expect.poll(sessions, { timeout: 120_000, interval: 1000 }).toBe('0');
      await sql('alter role authenticator nologin');
      expect(await journey.answering(500)).toEqual(['1']);
      expect(instance.current()?.status?.stable?.revision).toBe(1);
    },
    direct,
  ));
