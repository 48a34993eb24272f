import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKubectl } from '../kube/kubectl.ts';
import type { Kubectl } from '../kube/kubectl.ts';
import { run } from '../lib/exec.ts';
import { createLog } from '../lib/log.ts';
import { ensureTool } from '../toolchain/index.ts';
import { root } from './paths.ts';

const namespace = `chart-${randomBytes(4).toString('hex')}`;
const account = `system:serviceaccount:${namespace}:postgrest-operator`;
let kubectl: Kubectl;
let helm: string;

const render = (installCrds: boolean): Promise<string> =>
  run(helm, [
    ...[
      'template',
      'postgrest-operator',
      join(root, 'charts', 'postgrest-operator'),
      '--namespace',
      namespace,
    ],
    ...['--kube-version', '1.34.0', '--set', `crds.install=${String(installCrds)}`],
  ]);

beforeAll(async () => {
  const { PGRST_TEST_KUBECONFIG: kubeconfig, PGRST_TEST_KUBECTL: program } = process.env;
  if (kubeconfig === undefined || program === undefined)
    throw new Error('run these tests with `npm run test:api`');
  kubectl = createKubectl({ kubectl: program, kubeconfig });
  helm = await ensureTool('helm', createLog());
  await kubectl(['create', 'namespace', namespace]);
  // What a cluster that enforces the standard would say to the pods comes back as a warning.
  await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted']);
  // The CRDs are left to the tests that are about them: all test files share this server.
  await kubectl(['apply', '--server-side', '-f', '-'], await render(false));
}, 600_000);

afterAll(async () => {
  await kubectl.attempt(['delete', '--wait=false', '--ignore-not-found', '-f', '-'], await render(false));
  await kubectl.attempt(['delete', 'namespace', namespace, '--wait=false']);
});

test('the API server takes every field, and the pods satisfy the restricted standard', async () => {
  const dryRun = [
    'apply',
    '--server-side',
    '--force-conflicts',
    '--dry-run=server',
    '--validate=strict',
    '-f',
    '-',
  ];
  expect(await kubectl.attempt(dryRun, await render(true))).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ['get', 'secrets', 'yes'],
  ['list', 'secrets', 'no'],
  ['watch', 'secrets', 'no'],
  ['delete', 'secrets', 'no'],
  ['patch', 'deployments.apps', 'yes'],
  ['create', 'pods', 'no'],
  ['create', 'pods/exec', 'no'],
  ['get', 'namespaces/kube-system', 'yes'],
  ['get', 'namespaces/default', 'no'],
  ['create', 'clusterroles.rbac.authorization.k8s.io', 'no'],
  ['impersonate', 'users', 'no'],
])('may the operator %s %s in any namespace? %s', async (verb, resource, expected) => {
  const { stdout } = await kubectl.attempt([
    'auth',
    'can-i',
    verb,
    resource,
    '--as',
    account,
    '-n',
    'default',
  ]);
  expect(stdout.trim()).toBe(expected);
});

test.each([
  ['leases.coordination.k8s.io/postgrest-operator', 'operator namespace', namespace, 'yes'],
  ['leases.coordination.k8s.io/another', 'operator namespace', namespace, 'no'],
  ['leases.coordination.k8s.io/postgrest-operator', 'default', 'default', 'no'],
])('may the operator update %s in the %s? %s', async (resource, _place, where, expected) => {
  const { stdout } = await kubectl.attempt([
    'auth',
    'can-i',
    'update',
    resource,
    '--as',
    account,
    '-n',
    where,
  ]);
  expect(stdout.trim()).toBe(expected);
});
