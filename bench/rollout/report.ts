import { summarise, within } from '../../hack/load/sample.ts';
import { median } from '../statistics.ts';
import type { Contender } from './contender.ts';
import { exposureOf } from './exposure.ts';
import { figuresOf, operations, timingOf, type Operation, type Round } from './figures.ts';

const names: Readonly<Record<Operation, string>> = {
  cutover: 'cutover (10, 50, 100 %)',
  abort: 'abort at 50 %',
  warmRollback: 'rollback, warm',
  coldRollback: 'rollback, cold',
};

/** The table, and the line of JSON; a contender that took no part is null in it. */
export function report(rounds: Readonly<Record<Contender['name'], readonly Round[]>>): string[] {
  const present = (['ours', 'argo'] as const).filter((name) => rounds[name].length > 0);
  const lines = ['                                  s to 100 %   min .. max   s to the word   failed'];
  for (const operation of operations)
    for (const name of present) lines.push(row(operation, name, rounds[name]));
  lines.push('');
  for (const name of present) lines.push(exposure(name, rounds[name]));
  for (const name of present) {
    const summary = summarise(rounds[name].flatMap(({ samples }) => samples));
    lines.push(
      `${name}: ${String(summary.requests)} requests, ${String(summary.failed)} failed, ` +
        `${String(summary.keepAlive)} kept alive, p95 ${summary.p95.toFixed(0)} ms, max ${summary.max.toFixed(0)} ms` +
        (summary.failed === 0 ? '' : `, ${JSON.stringify(summary.byFailure)}`),
    );
  }
  const json = {
    ours: figuresOf(rounds.ours),
    argo: rounds.argo.length > 0 ? figuresOf(rounds.argo) : null,
  };
  return [...lines, '', JSON.stringify(json)];
}

/** The pauses are 5 s each: what clients had of them. */
function exposure(name: Contender['name'], rounds: readonly Round[]): string {
  const all = rounds.flatMap(({ passages, samples }) =>
    passages
      .filter(({ operation }) => operation === 'cutover')
      .flatMap(({ commandAt, endedAt, revision }) => {
        const seen = exposureOf(within(samples, commandAt, endedAt), revision);
        return seen === undefined ? [] : [seen];
      }),
  );
  const shortest = (values: readonly number[]): string =>
    `${median(values).toFixed(1)} s (shortest ${Math.min(...values).toFixed(1)})`;
  return `${name}: in a cutover clients had 10 % for ${shortest(all.map(({ at10 }) => at10))} and 50 % for ${shortest(all.map(({ at50 }) => at50))}`;
}

function row(operation: Operation, name: Contender['name'], rounds: readonly Round[]): string {
  const timings = rounds
    .flatMap(({ passages, samples }) => passages.map((passage) => timingOf(passage, samples)))
    .filter((timing) => timing.operation === operation);
  const seconds = timings.map((timing) => timing.seconds);
  const range = `${Math.min(...seconds).toFixed(1)} .. ${Math.max(...seconds).toFixed(1)}`;
  return [
    `${names[operation].padEnd(26)}${name}`.padEnd(34),
    median(seconds).toFixed(2).padStart(10),
    range.padStart(13),
    median(timings.map((timing) => timing.wordSeconds))
      .toFixed(2)
      .padStart(16),
    String(timings.reduce((sum, timing) => sum + timing.failed, 0)).padStart(9),
  ].join('');
}
