import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readConfig } from '../../operator/config.ts';
import { attempt, run } from '../lib/exec.ts';
import { createLog } from '../lib/log.ts';
import { ensureTool } from '../toolchain/index.ts';
import { root } from './paths.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}
interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  rules?: Rule[];
  spec?: unknown;
}
interface PodSpec {
  containers: { env: { name: string; value?: string }[]; image: string }[];
}

const chart = join(root, 'charts', 'postgrest-operator');
let helm: string;
// Helm is built from source the first time.
beforeAll(async () => {
  helm = await ensureTool('helm', createLog());
}, 600_000);

function helmArguments(values: Readonly<Record<string, unknown>>): string[] {
  const settings = Object.entries(values).flatMap(([name, value]) => [
    '--set-json',
    `${name}=${JSON.stringify(value)}`,
  ]);
  return [
    'template',
    'postgrest-operator',
    chart,
    '--namespace',
    'operators',
    '--kube-version',
    '1.34.0',
    ...settings,
  ];
}

async function render(values: Readonly<Record<string, unknown>> = {}): Promise<string> {
  return run(helm, helmArguments({ 'crds.install': false, ...values }));
}

const parse = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);

const rulesOf = (manifests: readonly Manifest[]): Rule[] => manifests.flatMap(({ rules = [] }) => rules);

/** The verbs that the rules give for one resource, wherever they stand. */
function verbs(rules: readonly Rule[], group: string, resource: string): string {
  const granted = rules
    .filter((rule) => rule.apiGroups.includes(group) && rule.resources.includes(resource))
    .flatMap((rule) => rule.verbs);
  return [...new Set(granted)].sort().join(' ');
}

const gateway = { service: { namespace: 'traefik', name: 'traefik' } };

test('helm lint finds nothing', async () => {
  const { code, stdout } = await attempt(helm, ['lint', '--strict', chart]);
  expect({ code, stdout }).toMatchObject({ code: 0 });
});

test.each([
  ['for all namespaces', 'all-namespaces', {}],
  ['for one namespace', 'one-namespace', { watchNamespace: 'team' }],
  ['for one namespace and a Gateway', 'gateway', { watchNamespace: 'team', gateway }],
  [
    'with everything that has a place of its own',
    'scheduling',
    {
      replicas: 1,
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { pool: 'system' },
      tolerations: [{ key: 'system', operator: 'Exists' }],
    },
  ],
])('the manifests %s are as reviewed', async (_sentence, golden, values) => {
  await expect(await render(values)).toMatchFileSnapshot(`__golden__/chart-${golden}.yaml`);
});

test('the operator accepts the environment that the chart gives it', async () => {
  const deployment = parse(await render({ watchNamespace: 'team', gateway })).find(
    ({ kind }) => kind === 'Deployment',
  );
  const { template } = deployment?.spec as { template: { spec: PodSpec } };
  const [container] = template.spec.containers;
  const environment = Object.fromEntries(
    (container?.env ?? []).map(({ name, value }) => [name, value ?? 'pod-1']),
  );
  expect(readConfig(environment)).toMatchObject({
    WATCH_NAMESPACE: 'team',
    LEADER_ELECTION: true,
    INGRESS_SERVICE: { namespace: 'ingress-nginx', name: 'ingress-nginx-controller' },
    GATEWAY_SERVICE: gateway.service,
  });
});

test("routes of a Gateway are the operator's business only where a Gateway is named", async () => {
  const granted = async (values: Record<string, unknown>) =>
    verbs(rulesOf(parse(await render(values))), 'gateway.networking.k8s.io', 'httproutes');
  await expect(granted({})).resolves.toBe('');
  await expect(granted({ gateway })).resolves.toBe('create delete get list patch watch');
});

describe.each([
  ['for all namespaces', {}],
  ['for one namespace', { watchNamespace: 'team' }],
])('RBAC %s', (_sentence, values) => {
  let rules: Rule[];
  beforeAll(async () => {
    rules = rulesOf(parse(await render(values)));
  });

  test.each([
    ['', 'secrets', 'create get patch'],
    ['', 'configmaps', 'create delete get list patch watch'],
    ['', 'services', 'create delete get list patch watch'],
    ['', 'serviceaccounts', 'create delete get list patch watch'],
    ['', 'pods', 'delete get list patch watch'],
    ['', 'namespaces', 'get'],
    ['', 'events', ''],
    ['', 'nodes', ''],
    ['apps', 'deployments', 'create delete get list patch watch'],
    ['apps', 'controllerrevisions', 'create delete get list patch watch'],
    ['networking.k8s.io', 'ingresses', 'create delete get list patch watch'],
    ['networking.k8s.io', 'networkpolicies', 'create delete get list patch watch'],
    ['networking.k8s.io', 'ingressclasses', ''],
    ['policy', 'poddisruptionbudgets', 'create delete get list patch watch'],
    ['discovery.k8s.io', 'endpointslices', 'get list watch'],
    ['events.k8s.io', 'events', 'create patch'],
    ['coordination.k8s.io', 'leases', 'create get update'],
    ['pgrst.dev', 'apischemas', 'get list patch watch'],
    ['pgrst.dev', 'apiinstances', 'get list patch watch'],
    ['pgrst.dev', 'apischemas/status', 'patch'],
    ['pgrst.dev', 'apiinstances/status', 'patch'],
    ['pgrst.dev', 'apischemas/finalizers', 'update'],
    ['pgrst.dev', 'apiinstances/finalizers', 'update'],
  ])('%s/%s: %s', (group, resource, expected) => {
    expect(verbs(rules, group, resource)).toBe(expected);
  });

  test('has no wildcard and names every group it uses', () => {
    const words = rules.flatMap(({ apiGroups, resources, verbs }) => [...apiGroups, ...resources, ...verbs]);
    expect(words.filter((word) => word.includes('*'))).toEqual([]);
    expect(new Set(rules.flatMap(({ apiGroups }) => apiGroups))).toEqual(
      new Set([
        ...['', 'apps', 'batch', 'coordination.k8s.io', 'discovery.k8s.io', 'events.k8s.io'],
        ...['networking.k8s.io', 'pgrst.dev', 'policy'],
      ]),
    );
  });

  test('reads one namespace object, and reads and writes one Lease', () => {
    const named = rules.filter(
      ({ resources }) => resources.includes('namespaces') || resources.includes('leases'),
    );
    expect(named.map(({ verbs, resourceNames }) => [verbs, resourceNames])).toEqual([
      [['get'], ['kube-system']],
      [['create'], undefined],
      [['get', 'update'], ['postgrest-operator']],
    ]);
  });
});

test('with one namespace nothing but one small read reaches the whole cluster', async () => {
  const manifests = parse(await render({ watchNamespace: 'team' }));
  const rules = rulesOf(manifests.filter(({ kind }) => kind === 'ClusterRole'));
  expect(rules.flatMap(({ resources, verbs }) => [...resources, ...verbs])).toEqual(['namespaces', 'get']);
  const places = manifests.filter(({ kind }) => kind === 'Role').map(({ metadata }) => metadata.namespace);
  expect(places).toEqual(['operators', 'team', 'ingress-nginx']);
  const withGateway = parse(await render({ watchNamespace: 'team', gateway }));
  expect(
    withGateway.filter(({ kind }) => kind === 'RoleBinding').map(({ metadata }) => metadata.namespace),
  ).toEqual([...places, 'traefik']);
});

describe('CRDs', () => {
  // A chart with a CRD of its own, so that the test holds whatever the generated ones contain.
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pgrst-test-chart-'));
    await cp(chart, folder, { recursive: true });
    mkdirSync(join(folder, 'files', 'crds'), { recursive: true });
    const crd = [
      'apiVersion: v1',
      'kind: CustomResourceDefinition',
      'metadata:',
      '  name: things.example.com',
    ];
    writeFileSync(
      join(folder, 'files', 'crds', 'things.yaml'),
      [...crd, 'spec:', '  max: 9007199254740991', ''].join('\n'),
    );
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  const things = async (...settings: string[]): Promise<Manifest | undefined> =>
    parse(await run(helm, ['template', 'x', folder, '--kube-version', '1.34.0', ...settings])).find(
      ({ metadata }) => metadata.name === 'things.example.com',
    );

  test('are part of the release, kept when it goes, and no number in them changes', async () => {
    const crd = await things();
    expect(crd?.metadata.annotations).toEqual({ 'helm.sh/resource-policy': 'keep' });
    expect(crd?.spec).toEqual({ max: 9_007_199_254_740_991 });
  });

  test('go with the release when they are not to be kept', async () => {
    expect((await things('--set', 'crds.keep=false'))?.metadata).toEqual({ name: 'things.example.com' });
  });

  test('stay out when somebody else installs them', async () => {
    expect(await things('--set', 'crds.install=false')).toBeUndefined();
  });
});

test.each([
  ['a misspelt value', { replica: 3 }, "'replica' not allowed"],
  ['a nested misspelt value', { 'operands.pgBouncer': 'x' }, "'pgBouncer' not allowed"],
  ['replicas as text', { replicas: 'two' }, '/replicas'],
  ['too many replicas', { replicas: 6 }, '/replicas'],
  ['an unknown log level', { logLevel: 'trace' }, '/logLevel'],
  ['a list of namespaces', { watchNamespace: 'a,b' }, '/watchNamespace'],
  ['an empty image', { 'operands.gate': '' }, '/operands/gate'],
  ['a Gateway without a namespace', { 'gateway.service.name': 'x' }, '/gateway/service/namespace'],
  ['no ingress namespace', { 'ingressService.namespace': '' }, '/ingressService/namespace'],
  ['a resource quantity without a number', { 'resources.limits.memory': 'much' }, '/resources/limits/memory'],
])('values.schema.json refuses %s', async (_sentence, values, message) => {
  const { code, stderr } = await attempt(helm, helmArguments(values));
  expect(code).not.toBe(0);
  expect(stderr).toContain(message);
});
