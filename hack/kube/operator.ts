import { join } from 'node:path';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';
import type { Cluster } from '../cluster/types.ts';

/** Namespace and release name under which the demo and the journeys install the chart. */
export const operatorNamespace = 'postgrest-operator-system';
const release = 'postgrest-operator';
const chart = join(import.meta.dirname, '..', '..', 'charts', 'postgrest-operator');

/** What the cluster must have loaded already. */
type Target = Pick<Cluster, 'helm' | 'kubeconfig' | 'images'>;

/** Whether the chart is installed. */
export async function operatorInstalled(target: Target): Promise<boolean> {
  const list = await helm(target, [
    'list',
    '--namespace',
    operatorNamespace,
    '--short',
    '--filter',
    `^${release}$`,
  ]);
  return list.trim() !== '';
}

/**
 * Installs or upgrades the chart with the images of this cluster, and waits until both replicas are ready. `gateway`:
 * the Service of a Gateway, in a cluster that knows the kinds of Gateway API.
 */
export async function installOperator(
  target: Target,
  log: Log,
  { gateway }: { gateway?: { readonly namespace: string; readonly name: string } } = {},
): Promise<void> {
  const { images } = target;
  const colon = images.operator.lastIndexOf(':');
  const values = {
    'image.repository': images.operator.slice(0, colon),
    'image.tag': images.operator.slice(colon + 1),
    'operands.postgrest': images.postgrest,
    'operands.gate': images.gate,
    'operands.pgbouncer': images.pgbouncer,
    'operands.pgbouncerExporter': images['pgbouncer-exporter'],
    ...(gateway && { 'gateway.service.namespace': gateway.namespace, 'gateway.service.name': gateway.name }),
  };
  const settings = Object.entries(values).flatMap(([key, value]) => ['--set-string', `${key}=${value}`]);
  await log.step('helm upgrade --install postgrest-operator', () =>
    helm(target, [
      ...['upgrade', '--install', release, chart, '--namespace', operatorNamespace, '--create-namespace'],
      ...['--wait', '--timeout', '3m', ...settings],
    ]),
  );
}

/** Removes the release; the CustomResourceDefinitions stay, as the chart says. */
export async function uninstallOperator(target: Target, log: Log): Promise<void> {
  await log.step('helm uninstall postgrest-operator', () =>
    helm(target, ['uninstall', release, '--namespace', operatorNamespace, '--ignore-not-found', '--wait']),
  );
}

function helm(target: Target, args: readonly string[]): Promise<string> {
  return run(target.helm, args, { env: { KUBECONFIG: target.kubeconfig } });
}
