import type { Cost } from '../measure.ts';
import { median, rounded } from '../statistics.ts';

/** Who applies the migrations. */
export type Tool = 'ours' | 'floor' | 'psql';

/** What one round has measured. */
export interface Round extends Readonly<Record<Tool, Cost>> {
  /** CPU time of a check that finds everything applied, in milliseconds. */
  readonly noopMs: number;
}

const names: Readonly<Record<Tool, string>> = {
  ours: 'ours',
  floor: 'floor: node-postgres, one transaction and ledger row each',
  psql: 'psql -1',
};

/** The lines to print: a table and the JSON object. */
export function report(rounds: readonly Round[]): string[] {
  // Of each round and then the median: what the machine does meanwhile hits both sides of a ratio.
  const ratio = (tool: Tool): number =>
    rounded(median(rounds.map((round) => round[tool].seconds / round.floor.seconds)), 2);
  const seconds = (tool: Tool): readonly number[] => rounds.map((round) => round[tool].seconds);
  const figures = (tool: Tool) => ({
    seconds: rounded(median(seconds(tool)), 2),
    rssMb: rounded(median(rounds.map((round) => round[tool].rssMb)), 0),
  });
  const noopMs = rounded(median(rounds.map((round) => round.noopMs)), 1);
  const row = (tool: Tool): readonly string[] => {
    const spread = [Math.min(...seconds(tool)), Math.max(...seconds(tool))];
    return [
      names[tool],
      figures(tool).seconds.toFixed(2),
      spread.map((value) => value.toFixed(2)).join(' - '),
      ratio(tool).toFixed(2),
      figures(tool).rssMb.toFixed(0),
    ];
  };
  return [
    ...table([
      ['1,000 migrations', 's', 'min - max', 'x floor', 'RSS MiB'],
      row('ours'),
      row('floor'),
      row('psql'),
    ]),
    '',
    `Check of 1,000 applied migrations: ${noopMs.toFixed(1)} ms of CPU. Medians of ${rounds.length} rounds.`,
    '',
    JSON.stringify({
      ratioToFloor: ratio('ours'),
      ours: figures('ours'),
      floor: figures('floor'),
      psql: figures('psql'),
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
