import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { moduleFolder } from './index.ts';
import type { Tool } from './index.ts';
import { gatewayApiVersion } from './gatewayApi.ts';
import { recipes } from './recipes.ts';

const modules: readonly [Tool, string][] = [
  ['kubernetes', 'k8s.io/kubernetes'],
  ['etcd', 'go.etcd.io/etcd/server/v3'],
  ['coredns', 'github.com/coredns/coredns'],
  ['helm', 'helm.sh/helm/v4'],
  ['kind', 'sigs.k8s.io/kind'],
  ['traefik', 'github.com/traefik/traefik/v3'],
  ['pgbouncer-exporter', 'github.com/prometheus-community/pgbouncer_exporter'],
  ['argo-rollouts', 'github.com/argoproj/argo-rollouts'],
];

it.each(modules)('%s: the name in the cache says the version that go.mod pins', (tool, module) => {
  const lines = readFileSync(join(moduleFolder(tool), 'go.mod'), 'utf8').split('\n');
  const pinned = lines
    .map((line) => line.trim().replace(/^require /, ''))
    .find((line) => line.startsWith(`${module} v`));
  expect(pinned?.split(' ')[1]).toBe(recipes[tool].version);
});

it("takes Gateway API's definitions of the version that Traefik is built against", () => {
  const folder = moduleFolder('traefik');
  for (const file of [join(folder, 'go.mod'), join(folder, '..', 'gateway-api', 'go.mod')])
    expect(readFileSync(file, 'utf8')).toContain(`sigs.k8s.io/gateway-api ${gatewayApiVersion}`);
});

it('takes the version that its own flags announce', () => {
  expect(recipes.kubernetes.flags).toContain(
    `k8s.io/client-go/pkg/version.gitVersion=${recipes.kubernetes.version}`,
  );
  expect(recipes.helm.flags).toContain(`version.version=${recipes.helm.version}`);
});
