import { describe, expect, test } from 'vitest';
import { instanceContent, owner } from '../testing/resourceCases.ts';
import { deployment, podTemplate, restartedAt } from './podTemplate.ts';

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly startupProbe?: unknown;
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly topologySpreadConstraints: readonly Record<string, unknown>[];
  readonly initContainers: readonly [Container];
  readonly containers: readonly [Container];
}

function podSpec(more: Record<string, unknown> = {}): PodSpec {
  return podTemplate('todo', 3, instanceContent(more))['spec'] as PodSpec;
}

function variables(more: Record<string, unknown> = {}): Record<string, unknown> {
  const env = podSpec(more).initContainers[0].env ?? [];
  return Object.fromEntries(env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom]));
}

describe('PostgREST', () => {
  test('is a native sidecar without a probe of its own: the gate drains before it stops', () => {
    const [postgrest] = podSpec().initContainers;
    expect(postgrest).toMatchObject({ name: 'postgrest', restartPolicy: 'Always' });
    for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe'])
      expect(postgrest).not.toHaveProperty(probe);
  });

  test('listens on loopback, serves the release and knows its revision', () => {
    expect(variables()).toMatchObject({
      PGRST_SERVER_HOST: '127.0.0.1',
      PGRST_SERVER_PORT: '3000',
      PGRST_ADMIN_SERVER_PORT: '3001',
    });
    expect(variables({ pooler: {} })).toMatchObject({
      PGRST_DB_SCHEMAS: 'api_12ab34cd',
      PGRST_APP_SETTINGS_REVISION: '3',
    });
  });

  test('reads from a file, where it listens, whatever it can read anew: its environment would beat the file', () => {
    const postgrest = { config: { 'db-max-rows': '5', 'db-pool': '3' } };
    expect(variables({ postgrest })).toMatchObject({ PGRST_DB_POOL: '3', PGRST_DB_CHANNEL: '$(POD_NAME)' });
    for (const name of ['PGRST_DB_MAX_ROWS', 'PGRST_DB_SCHEMAS', 'PGRST_APP_SETTINGS_REVISION'])
      expect(variables({ postgrest })).not.toHaveProperty(name);
    expect(variables({ postgrest, pooler: {} })).toMatchObject({ PGRST_DB_MAX_ROWS: '5' });
  });

  test('connects by the Secret of the user and listens for reloads where there is no pooler', () => {
    expect(variables()).toMatchObject({
      PGRST_DB_URI: { secretKeyRef: { name: 'todo-db', key: 'uri' } },
      PGRST_DB_CHANNEL_ENABLED: 'true',
    });
    expect(variables()).not.toHaveProperty('POOLER_USERINFO');
  });

  test('asks the pooler for a database of its own revision, and does not listen where nothing is heard', () => {
    const env = variables({ pooler: {} });
    expect(env).toMatchObject({
      POOLER_USERINFO: { secretKeyRef: { name: 'todo-pooler', key: 'userinfo' } },
      PGRST_DB_CHANNEL_ENABLED: 'false',
    });
    expect(env['PGRST_DB_URI']).toMatch(/^postgres:\/\/\$\(POOLER_USERINFO\)@todo-pooler:6432\/r3\?/);
    // Else what a client mistypes is a 503, and the pod's schema cache is read again.
    expect(env).toMatchObject({ PGRST_DB_PREPARED_STATEMENTS: 'false' });
    expect(variables()).not.toHaveProperty('PGRST_DB_PREPARED_STATEMENTS');
    // The kubelet only replaces variables that come before.
    const order = Object.keys(env);
    expect(order.indexOf('POOLER_USERINFO')).toBeLessThan(order.indexOf('PGRST_DB_URI'));
  });

  test('gets the parameters of the user under their variables, but none that the operator owns', () => {
    const config = { 'db-max-rows': '10', 'db-pool-max-lifetime': '7', 'db-pre-request': 'api.check' };
    expect(variables({ pooler: {}, postgrest: { config } })).toMatchObject({
      PGRST_DB_MAX_ROWS: '10',
      PGRST_DB_POOL_MAX_LIFETIME: '7',
      PGRST_DB_PRE_REQUEST: 'api_12ab34cd.check',
    });
  });

  test("cannot be made to show a credential by a parameter that names the kubelet's variable", () => {
    const config = { 'jwt-aud': '$(POOLER_USERINFO)$' };
    expect(variables({ pooler: {}, postgrest: { config } })['PGRST_JWT_AUD']).toBe('$$(POOLER_USERINFO)$$');
  });
});

test('a pod has time to be forgotten, to drain and to stop before it is killed', () => {
  const { terminationGracePeriodSeconds, containers } = podSpec();
  const preStop = containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
  expect(preStop).toBeGreaterThanOrEqual(6);
  // 55 s: the longest that the gate waits for PostgREST (proxy_read_timeout).
  expect(terminationGracePeriodSeconds).toBeGreaterThan(preStop + 55);
});

describe('time-outs of the spec', () => {
  const host = 'todo.example.com';
  const expose = { host, timeouts: { statement: '1m500ms', request: '2m' } };

  test('reach direct connections as options that libpq reads', () => {
    expect(variables({ expose })).toMatchObject({ PGOPTIONS: '-c statement_timeout=60500' });
    expect(variables()).not.toHaveProperty('PGOPTIONS');
  });

  test("are the pooler's to set where there is one: it ignores the options of its clients", () => {
    expect(variables({ expose, pooler: {} })).not.toHaveProperty('PGOPTIONS');
  });

  test('make the grace period longer, and leave it alone at their default', () => {
    expect(podSpec({ expose }).terminationGracePeriodSeconds).toBe(136);
    expect(podSpec().terminationGracePeriodSeconds).toBe(71);
  });

  test('shorten the wait for a connection where the gate would give up first, unless the user says how long', () => {
    const wait = 'PGRST_DB_POOL_ACQUISITION_TIMEOUT';
    const short = { host, timeouts: { request: '6s' } };
    expect(variables({ expose: short })).toMatchObject({ [wait]: '5' });
    const config = { 'db-pool-acquisition-timeout': '2' };
    expect(variables({ expose: short, postgrest: { config } })).toMatchObject({ [wait]: '2' });
    expect(variables({ expose })).not.toHaveProperty(wait);
  });
});

test('the origins of the spec beat the parameter that would say the same', () => {
  const cors = { allowOrigins: ['https://a.example', 'https://b.example'] };
  const postgrest = { config: { 'server-cors-allowed-origins': 'https://c.example' } };
  expect(variables({ postgrest, expose: { host: 'todo.example.com', cors } })).toMatchObject({
    PGRST_SERVER_CORS_ALLOWED_ORIGINS: 'https://a.example,https://b.example',
  });
});

describe('what a user adds to the pods', () => {
  const templateOf = (additions: Record<string, unknown>) =>
    podTemplate('todo', 3, instanceContent({ postgrest: { podTemplate: additions } }));
  const own = { 'pgrst.dev/instance': 'todo', 'pgrst.dev/revision': '3' };

  test('stands beside what the operator gives them', () => {
    const additions = {
      nodeSelector: { pool: 'api' },
      tolerations: [{ key: 'spot', operator: 'Exists' }],
      affinity: { nodeAffinity: {} },
      priorityClassName: 'high',
      imagePullSecrets: [{ name: 'registry' }],
    };
    const template = templateOf({ ...additions, labels: { team: 'web' }, annotations: { 'a.io/b': 'c' } });
    expect(template['spec']).toMatchObject({ ...additions, terminationGracePeriodSeconds: 71 });
    expect(template['metadata']).toMatchObject({
      labels: { team: 'web', ...own },
      annotations: { 'a.io/b': 'c' },
    });
  });

  test('never replaces a label by which Services and budgets find the pods', () => {
    // The API server refuses it; a content that was kept before a label became the operator's own would not be asked.
    const content = { ...instanceContent(), podTemplate: { labels: { 'pgrst.dev/revision': '9' } } };
    expect(podTemplate('todo', 3, content)['metadata']).toMatchObject({ labels: own });
  });

  test('spreads the pods of the revision, unless it says whose', () => {
    const zone = {
      maxSkew: 1,
      topologyKey: 'topology.kubernetes.io/zone',
      whenUnsatisfiable: 'DoNotSchedule',
    };
    const labelSelector = { matchLabels: { team: 'web' } };
    const topologySpreadConstraints = [zone, { ...zone, labelSelector }];
    const { spec } = templateOf({ topologySpreadConstraints }) as { spec?: PodSpec };
    expect(spec?.topologySpreadConstraints).toEqual([
      { ...zone, labelSelector: { matchLabels: own } },
      { ...zone, labelSelector },
    ]);
    expect(podSpec().topologySpreadConstraints).toHaveLength(1);
  });
});

describe('a restart', () => {
  const at = '2026-11-21T12:00:00.000Z';
  const additions = { podTemplate: { annotations: { 'a.io/b': 'c' } } };
  const template = podTemplate('todo', 3, instanceContent({ postgrest: additions }));

  test('shows on the Deployment, which rolls its pods for it, and can be read back', () => {
    const restarted = deployment(owner, 3, template, 2, at);
    expect(restartedAt(restarted)).toBe(at);
    expect(restarted['spec']).toMatchObject({
      template: { metadata: { annotations: { 'a.io/b': 'c', 'pgrst.dev/restarted-at': at } } },
    });
  });

  test('changes nothing else, and nothing of a Deployment that was never restarted', () => {
    const plain = deployment(owner, 3, template, 2);
    expect(plain['spec']).toMatchObject({ template });
    expect(restartedAt(plain)).toBeUndefined();
    expect(template).toEqual(podTemplate('todo', 3, instanceContent({ postgrest: additions })));
  });
});
