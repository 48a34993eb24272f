import { expect, inject, test } from 'vitest';
import { runCells } from '../bench/faults/index.ts';
import { allCells, nameOf, sampleCells } from '../bench/faults/matrix.ts';
import { lineOf } from '../bench/faults/report.ts';
import { nodeOf } from '../bench/faults/node.ts';
import './support/context.ts';

/** About half a minute each. All of the matrix: `npm run bench -- faults`. */
const count = 5;
const day = 24 * 60 * 60 * 1000;

test('faults in the middle of rollouts, aborts and rollbacks lose no request and end on the right revision', async ({
  signal,
}) => {
  // Another sample every day: three days meet every kind of fault.
  const seed = Number(process.env.PGRST_E2E_SEED ?? Math.floor(Date.now() / day));
  const cluster = inject('cluster');
  const node = nodeOf(cluster.kubeconfig);
  const cells = allCells().filter(({ fault }) => node !== undefined || !fault.needsNode);
  const chosen = sampleCells(cells, count, seed);
  console.info(`PGRST_E2E_SEED=${seed}: ${chosen.map(nameOf).join(', ')}`);
  const wrong: string[] = [];
  let run = 0;
  await runCells(cluster, chosen, {
    signal,
    lanes: 1,
    report(result) {
      run += 1;
      console.info(lineOf(result));
      if (result.problems.length > 0) wrong.push([lineOf(result), ...result.problems].join('\n  '));
    },
  });
  expect(wrong.join('\n')).toBe('');
  expect(run).toBe(chosen.length);
});
