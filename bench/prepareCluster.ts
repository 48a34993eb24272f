import { downCluster, ensureCluster, loadOperator, selectProvider } from '../hack/cluster/index.ts';
import type { Cluster } from '../hack/cluster/types.ts';
import { installOperator, operatorInstalled, uninstallOperator } from '../hack/kube/operator.ts';
import type { Log } from '../hack/lib/log.ts';

/** A cluster with this working copy's operator; `undo` gets what takes away what was not there before. */
export async function prepareCluster(undo: (() => Promise<unknown>)[], log: Log): Promise<Cluster> {
  const existed = (await (await selectProvider({})).status()).exists;
  if (!existed) undo.unshift(() => downCluster({ log }));
  const cluster = await ensureCluster({ yes: true, log });
  if (existed && !(await operatorInstalled(cluster))) undo.unshift(() => uninstallOperator(cluster, log));
  const images = { ...cluster.images, operator: await loadOperator(cluster, log) };
  await installOperator({ ...cluster, images }, log);
  return cluster;
}
