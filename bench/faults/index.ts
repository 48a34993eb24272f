import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureCluster, loadOperator } from '../../hack/cluster/index.ts';
import type { Cluster } from '../../hack/cluster/types.ts';
import { createKubectl } from '../../hack/kube/kubectl.ts';
import { installOperator } from '../../hack/kube/operator.ts';
import { createLog } from '../../hack/lib/log.ts';
import type { BenchmarkOptions } from '../benchmark.ts';
import type { Case } from './case.ts';
import { allCells, nameOf, sampleCells, type Cell } from './matrix.ts';
import { lineOf, page, totals } from './report.ts';
import { nodeOf } from './node.ts';
import { twoIngressReplicas } from './pods.ts';
import { isRight, runCell, type CellResult } from './runCell.ts';
import { setStage, type Stage } from './stage.ts';

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
  /** So many at once, each on a stage of its own; faults that all of the cluster feels come afterwards, one by one. */
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
  const restore = await twoIngressReplicas(createKubectl(cluster));
  const stages: Stage[] = [];
  try {
    for (let lane = 0; lane < Math.min(lanes, possible.length); lane += 1)
      stages.push(await setStage(cluster));
    for (const wave of [...chunks(beside, lanes), ...chunks(alone, 1)]) {
      signal.throwIfAborted();
      for (const result of await runWave(stages, wave)) report(result);
    }
  } finally {
    await Promise.allSettled(stages.map((stage) => stage.strike()));
    await restore();
  }
}

/** For names that are new for each. */
let instances = 0;

/**
 * Runs one cell on each stage. Traffic starts when all their instances are there and none is deleted before the last has
 * been played: each Ingress that comes or goes makes nginx close connections, which would be felt by the others.
 */
async function runWave(stages: readonly Stage[], wave: readonly Cell[]): Promise<CellResult[]> {
  const opened = await Promise.all(
    wave.map(async (cell, index) => ({ cell, ...(await openCase(stages[index], cell)) })),
  );
  const running = opened.map(({ stage, start, ...rest }) => ({ ...rest, stage, run: start?.() }));
  try {
    return await Promise.all(
      running.map(async ({ cell, run, problem }) =>
        run === undefined ? neverReady(cell, problem) : runCell(run, cell),
      ),
    );
  } finally {
    await Promise.all(
      running.map(async ({ stage, run }) => {
        if (run !== undefined) await stage?.close(run);
      }),
    );
  }
}

interface Opened {
  readonly stage: Stage | undefined;
  readonly start?: () => Case;
  /** Why its instance was never Ready. */
  readonly problem?: string;
}

async function openCase(stage: Stage | undefined, { phase }: Cell): Promise<Opened> {
  instances += 1;
  try {
    const start = await stage?.open(`c${instances}`, phase.warmFor);
    return { stage, ...(start && { start }) };
  } catch (error) {
    return { stage, problem: error instanceof Error ? error.message : String(error) };
  }
}

function neverReady(cell: Cell, problem = ''): CellResult {
  const problems = [`its instance was never Ready: ${problem}`];
  return { cell, hit: '', requests: 0, failed: 0, excused: 0, seconds: undefined, problems };
}

function chunks(cells: readonly Cell[], size: number): Cell[][] {
  return Array.from({ length: Math.ceil(cells.length / size) }, (_, index) =>
    cells.slice(index * size, (index + 1) * size),
  );
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
