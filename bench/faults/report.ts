import { faults } from './faults.ts';
import { nameOf } from './matrix.ts';
import { phases, type Phase } from './phases.ts';
import { isRight, type CellResult } from './runCell.ts';

/** One line about a cell that was run. */
export function lineOf(result: CellResult): string {
  const { cell, hit, requests, failed, excused, seconds } = result;
  const time = seconds === undefined ? 'never' : `${seconds.toFixed(1)} s`;
  return `${isRight(result) ? '✓' : '✗'} ${nameOf(cell).padEnd(38)} ${time.padStart(7)}  ${requests} requests, ${failed} failed, ${excused} excused  (${hit})`;
}

/** The last line of the benchmark. */
export function totals(results: readonly CellResult[]): string {
  const sum = (count: (result: CellResult) => number): number =>
    results.reduce((total, result) => total + count(result), 0);
  return JSON.stringify({
    cells: results.length,
    converged: results.filter(({ seconds }) => seconds !== undefined).length,
    failedRequests: sum(({ failed }) => failed),
    excused: sum(({ excused }) => excused),
  });
}

const notRun = '–';

/**
 * The page docs/reference/faults.md with these results in its table. What was not run this time stays as the page had
 * it, so that the matrix can be run in parts.
 */
export function page(before: string, results: readonly CellResult[]): string {
  const known = readTable(before);
  for (const result of results) known.set(nameOf(result.cell), cellText(result));
  const rows = phases.map((phase) => [
    titleOf(phase),
    ...faults.map((fault) => known.get(nameOf({ phase, fault })) ?? notRun),
  ]);
  return [
    '# What was broken in which phase',
    '',
    '<!-- Written by `npm run bench -- faults --write`; not by hand. -->',
    '',
    'Each cell is an ApiInstance of its own with two pods, a PgBouncer and 100 requests a second, half of them over',
    'connections that are kept alive, through two replicas of ingress-nginx. In the phase of the row the fault of the column',
    'is made; then the right revision has to come to serve everything: after a rollout revision 2, after an abort or a',
    'rollback revision 1, after a second change of the spec revision 3. A request over 4.9 s counts as failed.',
    '',
    '`✓ 3 s`: the right revision served everything, by its status and by every response, 3 s after the fault was over (a',
    'pause is promoted at once), and no request failed. `+2`: so many requests failed that the fault explains: in flight in',
    'a process that was killed, or while the database was away. `✗`: something was not as it should be. `–`: not run yet.',
    '',
    `| phase | ${faults.map(({ name }) => name).join(' | ')} |`,
    `|${' --- |'.repeat(faults.length + 1)}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
    '',
    '## Phases',
    '',
    ...phases.map((phase) => `- **${titleOf(phase)}**: ${phase.when}.`),
    '',
    '## Faults',
    '',
    ...faults.map(({ name, what, allowed }) => `- **${name}**: ${what}. ${allowance[allowed]}`),
    '',
  ].join('\n');
}

const allowance = {
  '0': 'No request may fail.',
  'in flight': 'Requests that were in flight in these processes may fail.',
  window: 'Requests that were under way while it was gone, or in the 1.5 s after, may fail.',
};

function titleOf({ operation, name }: Phase): string {
  return `${operation}: ${name}`;
}

function cellText(result: CellResult): string {
  const { seconds, failed, excused } = result;
  if (!isRight(result)) return failed > 0 ? `✗ ${failed} failed` : '✗';
  return `✓ ${Math.round(seconds ?? 0)} s${excused > 0 ? ` +${excused}` : ''}`;
}

/** The cells of the table as a page has them, by name. */
function readTable(text: string): Map<string, string> {
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  const [head, ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((word) => word.trim()),
  );
  const cells = new Map<string, string>();
  for (const [title, ...values] of rows)
    for (const [index, value] of values.entries())
      cells.set(`${title?.replace(': ', '/') ?? ''}/${head?.[index + 1] ?? ''}`, value);
  return cells;
}
