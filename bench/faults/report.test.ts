import { expect, test } from 'vitest';
import { allCells, nameOf, type Cell } from './matrix.ts';
import { page, totals } from './report.ts';
import type { CellResult } from './runCell.ts';

const named = (name: string): Cell => {
  const cell = allCells().find((each) => nameOf(each) === name);
  if (cell === undefined) throw new Error(`there is no cell ${name}`);
  return cell;
};

const result = (name: string, over: Partial<CellResult> = {}): CellResult => ({
  cell: named(name),
  hit: 'a pod',
  requests: 1000,
  failed: 0,
  excused: 0,
  seconds: 3.4,
  problems: [],
  ...over,
});

const row = (text: string, title: string): string | undefined =>
  text.split('\n').find((line) => line.startsWith(`| ${title} |`));

test('a page keeps what was not run this time, and takes what was', () => {
  const first = page('', [
    result('abort/settled/operator-killed'),
    result('abort/settled/spec-changed', { excused: 2 }),
  ]);
  const second = page(first, [
    result('abort/settled/operator-killed', { failed: 4, problems: ['failed: GET /tasks'] }),
  ]);
  expect(row(first, 'abort: settled')).toMatch(/^\| abort: settled \| ✓ 3 s \| –.* \| ✓ 3 s \+2 \|$/);
  expect(row(second, 'abort: settled')).toMatch(/^\| abort: settled \| ✗ 4 failed \| –.* \| ✓ 3 s \+2 \|$/);
  expect(page(second, [])).toBe(second);
});

test('what did not converge is not right, though no request failed', () => {
  const stuck = result('rollout/paused/stable-evicted', {
    seconds: undefined,
    problems: ['did not converge'],
  });
  expect(row(page('', [stuck]), 'rollout: paused')).toContain('| ✗ |');
  expect(JSON.parse(totals([stuck, result('rollout/paused/canary-edited', { excused: 3 })]))).toEqual({
    cells: 2,
    converged: 1,
    failedRequests: 0,
    excused: 3,
  });
});
