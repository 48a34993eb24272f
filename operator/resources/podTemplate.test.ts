import { describe, expect, test } from 'vitest';
import { instanceContent } from '../testing/resourceCases.ts';
import { podTemplate } from './podTemplate.ts';

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
      PGRST_DB_SCHEMAS: 'api_12ab34cd',
      PGRST_APP_SETTINGS_REVISION: '3',
    });
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
    expect(env).not.toHaveProperty('PGRST_DB_PREPARED_STATEMENTS');
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
    const config = { 'server-trace-header': '$(POOLER_USERINFO)$' };
    expect(variables({ pooler: {}, postgrest: { config } })['PGRST_SERVER_TRACE_HEADER']).toBe(
      '$$(POOLER_USERINFO)$$',
    );
  });
});

test('a pod has time to be forgotten, to drain and to stop before it is killed', () => {
  const { terminationGracePeriodSeconds, containers } = podSpec();
  const preStop = containers[0].lifecycle?.preStop.sleep.seconds ?? 0;
  expect(preStop).toBeGreaterThanOrEqual(6);
  // 55 s: the longest that the gate waits for PostgREST (proxy_read_timeout).
  expect(terminationGracePeriodSeconds).toBeGreaterThan(preStop + 55);
});
