import {
  downCluster,
  ensureCluster,
  ensureGateway,
  loadOperator,
  selectProvider,
  type Cluster,
} from '../../hack/cluster/index.ts';
import { gatewayService } from '../../hack/cluster/manifests/traefik.ts';
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
import { setStage, type Router } from './stage.ts';

/** See `Benchmark`. */
export const title =
  'cutover, abort and rollback under 200 requests/s beside Argo Rollouts on the local cluster (4 min a round)';

/** See `Benchmark`. */
export const defaultRounds = 3;

/** See `Benchmark`. */
export const options = { router: { type: 'string', default: 'ingress-nginx' } } as const;

/**
 * Both contenders on one cluster, one after the other in each round, the other one first in the next. With
 * `--router gateway` ours alone: Argo Rollouts has no router for Gateway API of its own.
 */
export async function run({ rounds, own, signal }: BenchmarkOptions): Promise<void> {
  const router = readRouter(own.router);
  const log = createLog();
  const undo: (() => Promise<unknown>)[] = [];
  try {
    const { cluster, url } = await prepareCluster(router, undo, log);
    signal.throwIfAborted();
    if (router === 'ingress-nginx') undo.unshift(await installArgo(cluster, log));
    const stage = await log.step('publishing two releases of examples/tasks', () =>
      setStage(cluster, router, signal),
    );
    undo.unshift(() => log.step('removing them', stage.remove));
    const contenders = [createOurs(stage, signal)];
    undo.unshift(() => {
      for (const contender of contenders) contender.stop();
      return Promise.resolve();
    });
    if (router === 'ingress-nginx') contenders.push(await createArgo(stage, signal));
    const quiet = await createQuiet(cluster.kubeconfig, router, signal);
    undo.unshift(() => {
      quiet.stop();
      return Promise.resolve();
    });

    const all: Record<Contender['name'], Round[]> = { ours: [], argo: [] };
    for (let round = 0; round < rounds; round += 1) {
      log.say(`Round ${String(round + 1)} of ${String(rounds)}`);
      const order = round % 2 === 0 ? contenders : contenders.toReversed();
      for (const contender of order)
        all[contender.name].push(await runRound(contender, { stage, url, quiet, log, signal }));
    }
    console.log(report(all).join('\n'));
  } finally {
    for (const step of undo) await step();
  }
}

function readRouter(text: unknown): Router {
  if (text === 'ingress-nginx' || text === 'gateway') return text;
  throw new Error(`--router takes ingress-nginx or gateway, not ${String(text)}`);
}

/**
 * A cluster with this working copy's operator, and where the router answers; `undo` gets what takes away what was not
 * there before.
 */
async function prepareCluster(
  router: Router,
  undo: (() => Promise<unknown>)[],
  log: Log,
): Promise<{ cluster: Cluster; url: string }> {
  const existed = (await (await selectProvider({})).status()).exists;
  if (!existed) undo.unshift(() => downCluster({ log }));
  const cluster = await ensureCluster({ yes: true, log });
  if (existed && !(await operatorInstalled(cluster))) undo.unshift(() => uninstallOperator(cluster, log));
  const images = { ...cluster.images, operator: await loadOperator(cluster, log) };
  const url = router === 'gateway' ? await ensureGateway(cluster, log) : cluster.ingressUrl;
  await installOperator({ ...cluster, images }, log, router === 'gateway' ? { gateway: gatewayService } : {});
  return { cluster, url };
}
