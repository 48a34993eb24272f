import { expect, test } from 'vitest';
import { condition, ready } from './support/conditions.ts';
import { runJourney, type InstanceObject, type Journey } from './support/journey.ts';
import type { WrittenInstance } from './support/manifests.ts';

type Pooler = NonNullable<WrittenInstance['pooler']>;

const cap = 20;
const minutes = 60_000;

const withPooler =
  (change: Pooler) =>
  (spec: WrittenInstance): WrittenInstance => ({ ...spec, pooler: { ...spec.pooler, ...change } });

interface Pod {
  readonly metadata: { readonly uid: string; readonly deletionTimestamp?: string };
  readonly status: {
    readonly phase?: string;
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

/** The pooler's pods that run, `uid restarts` of each, sorted; the stopping ones too. */
async function poolerPods({ kubectl, namespace }: Journey): Promise<readonly string[]> {
  const selector = 'pgrst.dev/instance=tasks,app.kubernetes.io/component=pooler';
  const answer = await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'json']);
  const { items } = JSON.parse(answer) as { readonly items: readonly Pod[] };
  return items
    .filter(({ status }) => status.phase === 'Running')
    .map(({ metadata, status }) => `${metadata.uid} ${String(status.containerStatuses?.[0]?.restartCount)}`)
    .sort();
}

/** What the exporter beside one PgBouncer says, asked through the API server. */
async function metrics({ kubectl, namespace }: Journey): Promise<string> {
  const selector = 'pgrst.dev/instance=tasks,app.kubernetes.io/component=pooler';
  const names = await kubectl(['get', 'pods', '-n', namespace, '-l', selector, '-o', 'name']);
  const [name = ''] = names.trim().replaceAll('pod/', '').split('\n');
  return await kubectl(['get', '--raw', `/api/v1/namespaces/${namespace}/pods/${name}:9127/proxy/metrics`]);
}

/** PoolerReady speaks of the spec as it is now, with so many processes and no more. */
const settledWith =
  (processes: number, generation: number) =>
  (object: InstanceObject): boolean => {
    const pooler = condition(object, 'PoolerReady');
    return (
      pooler?.status === 'True' &&
      pooler.observedGeneration === generation &&
      object.status?.pooler?.processes === processes &&
      ready(object)
    );
  };

/** Counts the connections of the authenticator every 50 ms, for so long as `during` takes; gives the most. */
async function mostConnections(journey: Journey, during: () => Promise<void>): Promise<number> {
  await journey.sql('create table if not exists public.seen (count int); truncate public.seen;');
  let stopped = false;
  const sampling = (async () => {
    while (!stopped) {
      await journey.sql(
        "do $$ begin for i in 1..20 loop perform pg_stat_clear_snapshot(); insert into public.seen select count(*) from pg_stat_activity where usename = 'authenticator'; perform pg_sleep(0.05); end loop; end $$",
      );
    }
  })();
  try {
    await during();
  } finally {
    stopped = true;
    await sampling;
  }
  return Number(await journey.sql('select max(count) from public.seen'));
}

test('PgBouncer is reloaded, scaled and replaced under load, and no request is lost', () =>
  runJourney(
    'pooler',
    async (journey) => {
      const { instance } = journey;
      let spec: Pooler = {};
      const settle = async (processes: number, change: Pooler): Promise<void> => {
        spec = { ...spec, ...change };
        const generation = await journey.applyInstance(withPooler(spec));
        await instance.until(
          `PgBouncer is settled with ${String(processes)} processes`,
          settledWith(processes, generation),
          4 * minutes,
        );
      };
      await instance.until('PgBouncer is settled', settledWith(1, 1));
      const first = await poolerPods(journey);
      await expect(metrics(journey), 'the exporter sees its PgBouncer').resolves.toMatch(/^pgbouncer_up 1$/m);

      const most = await mostConnections(journey, async () => {
        await settle(1, { parameters: { server_lifetime: '1800' } });
        expect(await poolerPods(journey), 'a reload replaces and restarts nothing').toEqual(first);

        await settle(5, { replicas: 5 });
        await settle(2, { replicas: 2 });

        const before = await poolerPods(journey);
        await settle(2, { parameters: { pkt_buf: '8192' } });
        const after = await poolerPods(journey);
        expect(after.filter((pod) => before.includes(pod))).toEqual([]);
      });
      expect(most).toBeGreaterThan(0);
      expect(most, 'connections of all processes together').toBeLessThanOrEqual(cap);

      const kept = await poolerPods(journey);
      const configuration = instance.current()?.status?.pooler?.configuration;
      await journey.sql("alter role authenticator password 'another-password'");
      await changePassword(journey, 'another-password');
      await instance.until('the password has reached PgBouncer', (object) => {
        const now = object.status?.pooler?.configuration;
        return now !== configuration && condition(object, 'PoolerReady')?.status === 'True';
      });
      expect(await poolerPods(journey)).toEqual(kept);
      // A process that logs in anew, for clients that know nothing of it.
      await settle(3, { replicas: 3 });
      expect(await journey.answering(200)).toEqual(['1']);
    },
    (spec) => ({ ...spec, pooler: { replicas: 1, poolSize: 10, maxServerConnections: cap } }),
  ));

/** Puts another password into the Secret with the URI, and has the operator look at it. */
async function changePassword({ kubectl, namespace }: Journey, password: string): Promise<void> {
  const secret = ['-n', namespace, 'secret/tasks-authenticator'];
  const encoded = await kubectl(['get', ...secret, '-o', 'jsonpath={.data.uri}']);
  const uri = new URL(Buffer.from(encoded, 'base64').toString());
  uri.password = password;
  const patch = JSON.stringify({ stringData: { uri: uri.href } });
  await kubectl(['patch', ...secret, '--type=merge', '-p', patch]);
  await kubectl(['annotate', '-n', namespace, 'apiinstance/tasks', 'example.test/look=now', '--overwrite']);
}
