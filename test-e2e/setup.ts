// Vitest global setup of the project `e2e`: a cluster with this working copy's operator in it.
import type { TestProject } from 'vitest/node';
import { ensureCluster, loadOperator } from '../hack/cluster/index.ts';
import { installOperator } from '../hack/kube/operator.ts';
import { createLog } from '../hack/lib/log.ts';
import './support/context.ts';

/** Brings the cluster up where there is none, and installs the operator; throws when either is not possible. */
export async function setup(project: TestProject): Promise<void> {
  const log = createLog();
  const cluster = await ensureCluster({ yes: true, log });
  const images = { ...cluster.images, operator: await loadOperator(cluster, log) };
  await installOperator({ ...cluster, images }, log);
  const { kubectl, kubeconfig, ingressUrl } = cluster;
  project.provide('cluster', { kubectl, kubeconfig, ingressUrl });
}
