import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCluster, loadOperator } from '../../hack/cluster/index.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import { installOperator } from '../../hack/kube/operator.ts';
import { createLog } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import { allCells, nameOf, sampleCells, type Cell } from './matrix.ts';
import { lineOf, page, totals } from './report.ts';
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
  await runCells(cluster, cells, { signal, report });
  console.log(totals(results));
  if (!results.every(isRight)) process.exitCode = 1;
}

/** Runs cells one after the other on one stage, and reports each as soon as it is known. */
export async function runCells(
  cluster: Pick<Cluster, 'kubectl' | 'kubeconfig' | 'ingressUrl'>,
  cells: readonly Cell[],
  { signal, report }: { signal: AbortSignal; report: (result: CellResult) => void },
): Promise<void> {
  const stage = await setStage(cluster);
  try {
    for (const [index, cell] of cells.entries()) {
      signal.throwIfAborted();
      if (cell.fault.needsNode && stage.node === undefined)
        console.log(`- ${nameOf(cell)}: not on this cluster, whose machine is out of reach`);
      else report(await runCell(stage, cell, `c${index + 1}`));
    }
  } finally {
    await stage.strike();
  }
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
