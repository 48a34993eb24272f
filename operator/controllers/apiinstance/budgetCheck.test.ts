import { describe, expect, it } from 'vitest';
import type { ConnectionLimits, SessionCount } from '../../database/connectionLimits.ts';
import type { InstanceHarness, Turn } from '../../testing/instanceHarness.ts';
import {
  abort,
  action,
  begin,
  condition,
  done,
  paused,
  promote,
  release,
  serves,
  settled,
  setOut,
  travel,
} from '../../testing/journey.ts';
import { roomy } from '../../testing/scriptedWork.ts';

const blocked = ({ outcome }: Turn): boolean => outcome?.kind === 'blocked';
const budget = (h: InstanceHarness) => condition(h.instance(), 'ConnectionBudget');
const room = (maxConnections: number, more: Partial<ConnectionLimits> = {}) => ({
  limits: { ...roomy, maxConnections, ...more },
});
const session = (of: Partial<SessionCount>): SessionCount => ({
  application: 'PostgREST 12.0.2',
  address: undefined,
  isRole: true,
  isDatabase: true,
  count: 1,
  ...of,
});

const direct = { pooler: undefined };
const pool = (size: number) => (h: InstanceHarness) => {
  h.edit({ spec: { postgrest: { config: { 'db-pool': String(size) } } } });
};
const sum = '2 revisions x 2 pods x (10 + 1) = 44, 3 of the operator: 47 connections';
const publish = (id: string) => (h: InstanceHarness) => {
  h.publish(id);
};

describe('the condition ConnectionBudget', { timeout: 60_000 }, () => {
  it('shows the sum of the next cutover before it begins, and the database is not asked at rest', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    await h.run(() => budget(h)?.message.startsWith(sum) === true);
    expect(budget(h)).toMatchObject({ status: 'True', reason: 'BudgetFits' });
    await h.run(settled);
    const { asked } = h.script;
    for (let turns = 0; turns < 5; turns += 1) await h.turn();
    await h.clock.advance(60 * 60_000);
    h.restart();
    await h.run(settled);
    expect(h.script.asked).toBe(asked);
  });

  it('stays what it is through a rollout, for which the database was asked once', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    await h.run(() => budget(h)?.message.startsWith(sum) === true);
    await h.run(settled);
    const { asked } = h.script;
    const before = budget(h);
    h.publish('00000002');
    await h.run(paused);
    expect(h.script.asked).toBe(asked + 1);
    action('promote')(h);
    await h.run(done('promote'));
    expect(h.script.asked).toBe(asked + 1);
    expect(budget(h)).toEqual(before);
  });

  it('counts no pods that are about to go: neither an abort nor a newer candidate changes anything', async () => {
    const h = await setOut({ spec: direct, acts: [begin, release('00000002')] });
    const { asked } = h.script;
    const before = budget(h);
    abort.does(h);
    await h.run(done('abort'));
    for (let turns = 0; turns < 5; turns += 1) await h.turn();
    expect(h.script.asked).toBe(asked);
    expect(budget(h)).toEqual(before);
    h.publish('00000003');
    await h.run(paused);
    h.publish('00000004');
    await h.run((turn) => paused(turn) && turn.instance?.status?.candidate?.revision === 4);
    expect(budget(h)).toEqual(before);
  });

  it('is asked for anew when pods or pools become more', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    h.edit({ spec: { replicas: 5 } });
    await h.run(() => budget(h)?.message.includes('2 revisions x 5 pods x (10 + 1) = 110') === true);
    pool(20)(h);
    await h.run(paused);
    expect(budget(h)?.message).toContain(
      '1 revision x 5 pods x (20 + 1) = 105, 1 revision x 5 pods x (10 + 1) = 55',
    );
  });

  it('behind the pooler speaks of its cap, whatever the number of pods', async () => {
    const h = await setOut({ acts: [begin, release('00000002')] });
    h.edit({ spec: { replicas: 50 } });
    await h.run(paused);
    expect(budget(h)?.message).toMatch(/^at most 40 of PgBouncer, 3 of the operator: 43 connections;/);
  });

  it('is Unknown while the database cannot be asked, which holds nothing up', async () => {
    const script = (h: InstanceHarness) => {
      h.script.limits = { unknown: 'No connection to database app.' };
    };
    const h = await travel({ spec: direct, script, acts: [begin, release('00000002'), promote] });
    expect(budget(h)).toMatchObject({
      status: 'Unknown',
      reason: 'BudgetUnknown',
      message: `${sum}; whether so many are free is not known, which holds nothing up. No connection to database app.`,
    });
  });
});

describe('a rollout that does not fit', { timeout: 60_000 }, () => {
  const tight = (h: InstanceHarness) => {
    h.script.limits = room(45);
  };

  it('does not begin, says why, and begins by itself once there is room', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    tight(h);
    h.publish('00000002');
    await h.run(blocked);
    const message = `${sum}; only 42 of the server's 45 are free (3 reserved, 0 in use by others): 5 too many. Lower spec.replicas or db-pool in spec.postgrest.config, or set spec.pooler, whose maxServerConnections is then the sum, or raise max_connections of the server to 50.`;
    expect(budget(h)).toMatchObject({ status: 'False', reason: 'BudgetExceeded', message });
    expect(condition(h.instance(), 'Ready')).toMatchObject({ status: 'False', reason: 'BudgetExceeded' });
    expect(condition(h.instance(), 'Stalled')).toMatchObject({ status: 'True', reason: 'BudgetExceeded' });
    expect(condition(h.instance(), 'Available')?.status).toBe('True');
    expect(h.cluster.readyPods(1)).toHaveLength(2);
    expect(h.cluster.readyPods(2)).toHaveLength(0);
    expect(h.kube.all('ControllerRevision')).toHaveLength(1);

    const writes = h.writes();
    for (let turns = 0; turns < 10; turns += 1) await h.turn();
    expect(h.writes()).toBe(writes);
    h.script.limits = room(100);
    await h.clock.advance(60_000);
    await h.run(paused);
    expect(h.cluster.readyPods(2)).toHaveLength(2);
    expect(h.violations()).toEqual([]);
  });

  it('is a first one too, and one that would supersede another: that one goes on', async () => {
    const first = await setOut({
      spec: direct,
      script: (h) => {
        h.script.limits = room(20);
      },
      acts: [{ does: () => undefined, until: blocked }],
    });
    expect(budget(first)?.message).toMatch(/^1 revision x 2 pods x \(10 \+ 1\) = 22, .*: 8 too many/);
    expect(first.kube.all('Deployment')).toEqual([]);
    first.script.limits = room(100);
    await first.clock.advance(60_000);
    await first.run(serves(1));

    const second = await setOut({ spec: direct, acts: [begin, release('00000002')] });
    second.script.limits = room(100);
    pool(90)(second);
    await second.run(() => budget(second)?.status === 'False');
    expect(second.instance().status?.candidate?.revision).toBe(2);
    action('promote')(second);
    await second.run(() => second.instance().status?.stable?.revision === 2);
    expect(second.violations()).toEqual([]);
  });

  it('holds up neither a rollout that runs, nor an abort, a restart, a rollback or more pods', async () => {
    const h = await setOut({ spec: direct, acts: [begin, release('00000002')] });
    tight(h);
    action('promote')(h);
    await h.run(done('promote'));
    action('restart')(h);
    await h.run(done('restart'));
    action('rollback')(h);
    await h.run(serves(1));
    h.edit({ spec: { replicas: 3 } });
    await h.run(() => h.cluster.readyPods(1).length === 3);
    const cold = { ...direct, rollout: { steps: [{ weight: 10 }, { pause: {} }], warmFor: '1s' } };
    const late = await setOut({ spec: cold, acts: [begin, release('00000002'), promote] });
    await late.run((turn) => settled(turn) && late.cluster.readyPods(1).length === 0);
    tight(late);
    action('rollback')(late);
    await late.run(serves(1));
    const other = await setOut({ spec: direct, acts: [begin, release('00000002')] });
    tight(other);
    abort.does(other);
    await other.run(done('abort'));
    expect([...h.violations(), ...late.violations(), ...other.violations()]).toEqual([]);
  });

  it('holds up no change that PostgREST reads anew: it opens nothing', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    const { message } = budget(h) ?? {};
    tight(h);
    h.edit({ spec: { postgrest: { config: { 'db-max-rows': '5' } } } });
    await h.run(serves(2));
    expect(budget(h)).toMatchObject({ status: 'True', message });
    expect(h.kube.all('Deployment')).toHaveLength(1);
  });

  it('does not hold up a rollout of which only the objects tell, because its status was lost', async () => {
    const h = await setOut({ spec: direct, acts: [begin, release('00000002')] });
    tight(h);
    const { apiVersion, kind, metadata } = h.instance();
    h.kube.putStatus({ apiVersion, kind, namespace: 'shop', name: metadata.name }, {});
    await h.run(paused);
    expect(h.cluster.route().canary).toEqual({ revision: 2, weight: 10 });
    expect(h.violations()).toEqual([]);
  });

  it('waits for a warm revision to go, and says so', async () => {
    const h = await setOut({ spec: direct, acts: [begin, release('00000002'), promote] });
    h.script.limits = room(60);
    h.publish('00000003');
    await h.run(blocked);
    expect(budget(h)?.message).toMatch(/^3 revisions x 2 pods .*: 12 too many\. Wait until rollout\.warmFor/);
    await h.clock.advance(16 * 60_000);
    await h.run((turn) => paused(turn) && turn.instance?.status?.candidate?.revision === 3);
    expect(h.violations()).toEqual([]);
  });
});

describe('who else is connected', { timeout: 60_000 }, () => {
  const others = async (sessions: (h: InstanceHarness) => readonly SessionCount[]): Promise<string> => {
    const h = await setOut({ spec: direct, acts: [begin] });
    h.script.limits = room(200, { sessions: sessions(h) });
    await h.run(settled);
    publish('00000002')(h);
    await h.run(paused);
    return /\(3 reserved, (\d+) in use/.exec(budget(h)?.message ?? '')?.[1] ?? '';
  };
  const ipOf = (h: InstanceHarness): string | undefined => h.cluster.readyPods(1)[0]?.status?.podIP;

  it.each<[string, (h: InstanceHarness) => readonly SessionCount[], string]>([
    [
      'sessions from our pods are ours, also of a pod that has no name for itself',
      (h) => [session({ address: ipOf(h), count: 20 }), session({ address: '10.9.9.9', count: 7 })],
      '7',
    ],
    [
      'sessions that name one of our pods are ours, wherever they seem to come from',
      (h) => {
        const application = h.cluster.readyPods(1)[0]?.metadata.name ?? '';
        return [
          session({ application, address: '192.0.2.1', count: 20 }),
          session({ address: '192.0.2.1', count: 5 }),
        ];
      },
      '5',
    ],
    [
      'where addresses are translated and nobody is named, those of our role in our database are ours',
      () => [
        session({ address: '192.0.2.1', count: 20 }),
        session({ isDatabase: false, address: '192.0.2.1', count: 2 }),
        session({ isRole: false, count: 4 }),
      ],
      '6',
    ],
    [
      'another role is somebody else, whatever it calls itself',
      (h) => [
        session({ address: ipOf(h), count: 20 }),
        session({ isRole: false, application: 'todo-r1-08515-x', count: 3 }),
      ],
      '3',
    ],
    [
      'the operator itself is counted already',
      (h) => [
        session({ address: ipOf(h), count: 20 }),
        session({ isRole: false, application: 'postgrest-operator abc', count: 3 }),
      ],
      '0',
    ],
  ])('%s', async (_, sessions, count) => {
    expect(await others(sessions)).toBe(count);
  });

  it('knows pods by the number of the revision that they were made for, when that is gone', async () => {
    const rollout = { steps: [{ weight: 50 }, { pause: {} }], revisionHistoryLimit: 1 };
    const h = await setOut({ spec: { ...direct, rollout }, acts: [begin] });
    for (const rows of [5, 6, 7]) {
      h.edit({ spec: { postgrest: { config: { 'db-max-rows': String(rows) } } } });
      await h.run(serves(rows - 3));
    }
    await h.run(
      () => !h.kube.all('ControllerRevision').some(({ metadata }) => metadata.name.includes('-r1-')),
    );
    const application = h.kube.all('Pod')[0]?.metadata.name ?? '';
    expect(application).toContain('-r1-');
    const sessions = [
      session({ application, address: '192.0.2.1', count: 22 }),
      session({ address: '192.0.2.1', count: 5 }),
      // Somebody else's, so that the rule for translated addresses has nothing to say.
      session({ address: h.cluster.readyPods(1)[0]?.status?.podIP, count: 1 }),
    ];
    h.script.limits = room(200, { sessions });
    publish('00000002')(h);
    await h.run(paused);
    expect(budget(h)?.message).toContain('5 in use by others');
  });

  it('counts for the database and the role only where they are', async () => {
    const h = await setOut({ spec: direct, acts: [begin] });
    h.script.limits = room(1000, {
      role: { name: 'authenticator', limit: 60 },
      database: { name: 'app', limit: 70 },
      sessions: [
        session({ isRole: false, count: 30 }),
        session({ isRole: false, isDatabase: false, count: 300 }),
        session({ address: '10.9.9.9', isDatabase: false, count: 1 }),
        session({ address: ipOf(h), count: 22 }),
      ],
    });
    h.publish('00000002');
    await h.run(blocked);
    expect(budget(h)?.message).toContain(
      'only 40 of the 70 of database app are free (30 in use by others): 7 too many',
    );
  });
});
