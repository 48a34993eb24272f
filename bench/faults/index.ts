import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCluster, loadOperator } from '../../hack/cluster/index.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import { createKubectl } from '../../hack/kube/kubectl.ts';
import { installOperator } from '../../hack/kube/operator.ts';
import { createLog } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { allCells, nameOf, sampleCells, type Cell } from './matrix.ts';
import { lineOf, page, totals } from './report.ts';
import { nodeOf } from './node.ts';
import { twoIngressReplicas } from './pods.ts';
import { isRight, runCell, type CellResult } from './runCell.ts';
import { setStage } from './stage.ts';

/** See `Benchmark`. */
export const title =
  'every fault in every phase of rollout, abort and rollback, on a cluster; nothing is measured (132 cells, an hour)';

/** See `Benchmark`. */
export const options = {
  /** A regular expression over `operation/phase/fault`. */
  only: { type: 'string' },
  /** Runs so many cells, drawn by the seed. */
  sample: { type: 'string' },
  seed: { type: 'string' },
  /** So many cells at once; default 1. */
  lanes: { type: 'string' },
  /** Brings docs/reference/faults.md up to date with what was run. */
  write: { type: 'boolean' },
} as const;

const document = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'faults.md');

/** Prints a line for each cell, with its history where it went wrong; sets the exit code when there is one. */
export async function run({ own, signal }: BenchmarkOptions): Promise<void> {
  const cells = choose(own);
  const log = createLog();
  const cluster = await ensureCluster({ yes: true, log });
  const operator = await loadOperator(cluster, log);
  await installOperator({ ...cluster, images: { ...cluster.images, operator } }, log);

  const results: CellResult[] = [];
  const report = (result: CellResult): void => {
    results.push(result);
    console.log([lineOf(result), ...result.problems].join('\n    '));
    if (own.write === true) {
      const before = existsSync(document) ? readFileSync(document, 'utf8') : '';
      writeFileSync(document, page(before, [result]));
    }
  };
  try {
    await runCells(cluster, cells, { signal, lanes: Number(own.lanes ?? 1), report });
  } finally {
    console.log(totals(results));
  }
  if (!results.every(isRight)) process.exitCode = 1;
}

/** How cells are run. */
export interface CellRun {
  readonly signal: AbortSignal;
  /** So many at once, each on a stage of its own; faults that all of the cluster feels are made one by one afterwards. */
  readonly lanes: number;
  /** Called with each result as soon as it is known. */
  readonly report: (result: CellResult) => void;
}

/** Runs cells; those that this cluster cannot have are named and left out. */
export async function runCells(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig' | 'ingressUrl'>,
  cells: readonly Cell[],
  { signal, lanes, report }: CellRun,
): Promise<void> {
  const onNode = nodeOf(cluster.kubeconfig) !== undefined;
  for (const cell of cells)
    if (cell.fault.needsNode && !onNode)
      console.log(`- ${nameOf(cell)}: not on this cluster, whose machine is out of reach`);
  const possible = cells.filter(({ fault }) => onNode || !fault.needsNode);
  const alone = lanes === 1 ? [] : possible.filter(isGlobal);
  const beside = possible.filter((cell) => !alone.includes(cell));
  let number = 0;
  const lane = async (queue: Cell[]): Promise<void> => {
    const stage = await setStage(cluster);
    try {
      for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
        signal.throwIfAborted();
        number += 1;
        report(await runCell(stage, cell, `c${number}`));
      }
    } finally {
      await stage.strike();
    }
  };

  const restore = await twoIngressReplicas(createKubectl(cluster));
  try {
    // All lanes come to their end before an error of one is passed on: each has a stage to strike.
    const ends = await Promise.allSettled(
      Array.from({ length: Math.min(lanes, beside.length) }, () => lane(beside)),
    );
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
    if (alone.length > 0) await lane(alone);
  } finally {
    await restore();
  }
}

function isGlobal({ fault }: Cell): boolean {
  return fault.isGlobal;
}

function choose({ only, sample, seed }: BenchmarkOptions['own']): Cell[] {
  const pattern = new RegExp(typeof only === 'string' ? only : '');
  const cells = allCells().filter((cell) => pattern.test(nameOf(cell)));
  if (cells.length === 0) throw new Error(`--only ${String(only)} leaves nothing of the matrix`);
  if (sample === undefined) return cells;
  const start = seed === undefined ? Date.now() : Number(seed);
  if (!Number.isSafeInteger(Number(sample)) || !Number.isSafeInteger(start))
    throw new Error('--sample and --seed take whole numbers');
  console.log(`--sample ${String(sample)} --seed ${start}`);
  return sampleCells(cells, Number(sample), start);
}
