import { downCluster, ensureCluster, loadOperator, selectProvider } from '../../hack/cluster/index.ts';
import type { Cluster } from '../../hack/cluster/index.ts';
import { installOperator, operatorInstalled, uninstallOperator } from '../../hack/kube/operator.ts';
import { createLog, type Log } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { createArgo } from './argo.ts';
import type { Contender } from './contender.ts';
import type { Round } from './figures.ts';
import { installArgo } from './installArgo.ts';
import { createOurs } from './ours.ts';
import { createQuiet } from './quiet.ts';
import { report } from './report.ts';
import { runRound } from './round.ts';
import { setStage } from './stage.ts';

/** See `Benchmark`. */
export const title =
  'cutover, abort and rollback under 200 requests/s beside Argo Rollouts on the local cluster (4 min a round)';

/** See `Benchmark`. */
export const defaultRounds = 3;

/** Both contenders on one cluster, one after the other in each round, the other one first in the next. */
export async function run({ rounds, signal }: BenchmarkOptions): Promise<void> {
  const log = createLog();
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const cluster = await prepareCluster(undo, log);
    signal.throwIfAborted();
    undo.unshift(await installArgo(cluster, log));
    const stage = await log.step('publishing two releases of examples/tasks', () =>
      setStage(cluster, signal),
    );
    undo.unshift(() => log.step('removing them', stage.remove));
    const contenders = [createOurs(stage, signal), await createArgo(stage, signal)];
    const quiet = await createQuiet(cluster.kubeconfig, signal);
    undo.unshift(() => {
      quiet.stop();
      for (const contender of contenders) contender.stop();
      return Promise.resolve();
    });
    const all: Record<Contender['name'], Round[]> = { ours: [], argo: [] };
    const context = { stage, ingressUrl: cluster.ingressUrl, quiet, log, signal };
    for (let round = 0; round < rounds; round += 1) {
      log.say(`Round ${String(round + 1)} of ${String(rounds)}`);
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order) all[contender.name].push(await runRound(contender, context));
    }
    console.log(report(all).join('\n'));
  } finally {
    for (const step of undo) await step();
  }
}

/** A cluster with this working copy's operator; `undo` gets what takes away what was not there before. */
async function prepareCluster(undo: (() => Promise<unknown>)[], log: Log): Promise<Cluster> {
  const existed = (await (await selectProvider({})).status()).exists;
  if (!existed) undo.unshift(() => downCluster({ log }));
  const cluster = await ensureCluster({ yes: true, log });
  if (existed && !(await operatorInstalled(cluster))) undo.unshift(() => uninstallOperator(cluster, log));
  const images = { ...cluster.images, operator: await loadOperator(cluster, log) };
  await installOperator({ ...cluster, images }, log);
  return cluster;
}
