// Vitest global setup of the project `e2e`: a cluster with this working copy's operator in it.
import type { TestProject } from 'vitest/node';
import {
  downCluster,
  ensureCluster,
  ensureGatewayApi,
  loadOperator,
  selectProvider,
} from '../hack/cluster/index.ts';
import { gatewayService } from '../hack/cluster/manifests/traefik.ts';
import { installOperator, operatorInstalled, uninstallOperator } from '../hack/kube/operator.ts';
import { createLog } from '../hack/lib/log.ts';
import './support/context.ts';

/**
 * Brings the cluster up where there is none, and installs the operator; throws when either is not possible. What it
 * brought up is removed at the end, what was there before stays.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = createLog();
  const existed = (await (await selectProvider({})).status()).exists;
  const cluster = await ensureCluster({ yes: true, log });
  const operatorExisted = await operatorInstalled(cluster);
  const images = { ...cluster.images, operator: await loadOperator(cluster, log) };
  // The operator knows of a Gateway from the start; the one journey that needs it brings it up.
  await ensureGatewayApi(cluster, log);
  await installOperator({ ...cluster, images }, log, { gateway: gatewayService });
  const { provider, kubectl, kubeconfig, ingressUrl } = cluster;
  project.provide('cluster', { provider, kubectl, kubeconfig, ingressUrl, images });
  return async () => {
    if (!existed) await downCluster({ log });
    else if (!operatorExisted) await uninstallOperator(cluster, log);
  };
}
