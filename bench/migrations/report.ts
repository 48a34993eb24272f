import type { Cost } from '../measure.ts';
import { median, rounded } from '../statistics.ts';
import type { AbsentPeer, ReadyPeer } from './peers/all.ts';

/** What one round has measured. */
export interface Round {
  /** By the contestant's name; `ours`, `floor`, both once more with `Warm` behind it, `psql` and the peers. */
  readonly costs: ReadonlyMap<string, Cost>;
  /** CPU time of a check that finds everything applied, in milliseconds. */
  readonly noopMs: number;
}

const titles: Readonly<Record<string, string>> = {
  oursWarm: 'ours, in a process that has done it before',
  floorWarm: 'floor, in a process that has done it before',
  floor: 'floor: node-postgres, one transaction and ledger row each',
  psql: 'psql -1, one transaction, no ledger',
};

/** The lines to print: a table, who could not take part, and the JSON object. */
export function report(
  rounds: readonly Round[],
  peers: { readonly ready: readonly ReadyPeer[]; readonly absent: readonly AbsentPeer[] },
): string[] {
  const each = (name: string, value: 'seconds' | 'rssMb'): readonly number[] =>
    rounds.map(({ costs }) => costs.get(name)?.[value] ?? NaN);
  // Of each round and then the median: what the machine does meanwhile hits both sides of a ratio.
  const ratio = (name: string): number => {
    const floor = each(name.endsWith('Warm') ? 'floorWarm' : 'floor', 'seconds');
    return rounded(median(each(name, 'seconds').map((seconds, round) => seconds / (floor[round] ?? NaN))), 2);
  };
  const figures = (name: string) => ({
    seconds: rounded(median(each(name, 'seconds')), 2),
    rssMb: rounded(median(each(name, 'rssMb')), 0),
  });
  const row = (name: string, title: string): readonly string[] => {
    const seconds = each(name, 'seconds');
    return [
      title,
      figures(name).seconds.toFixed(2),
      `${Math.min(...seconds).toFixed(2)} - ${Math.max(...seconds).toFixed(2)}`,
      ratio(name).toFixed(2),
      figures(name).rssMb.toFixed(0),
    ];
  };
  const noopMs = rounded(median(rounds.map((round) => round.noopMs)), 1);
  return [
    ...table([
      ['1,000 migrations', 's', 'min - max', 'x floor', 'RSS MiB'],
      ...['oursWarm', 'floorWarm', 'ours', 'floor', 'psql'].map((name) => row(name, titles[name] ?? name)),
      ...peers.ready.map(({ name, version }) => row(name, `${name} ${version}`)),
    ]),
    ...peers.absent.map(({ name, reason }) => `${name} could not take part: ${reason}`),
    '',
    `Check of 1,000 applied migrations: ${noopMs.toFixed(1)} ms of CPU. Medians of ${rounds.length} rounds.`,
    '',
    JSON.stringify({
      ratioToFloor: ratio('oursWarm'),
      coldRatioToFloor: ratio('ours'),
      ours: figures('ours'),
      peers: [
        ...peers.ready.map(({ name }) => ({ name, ...figures(name) })),
        ...peers.absent.map(({ name }) => ({ name, seconds: null, rssMb: null })),
      ],
      noopMs,
    }),
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
