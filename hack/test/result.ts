import { duration } from '../lib/log.ts';
import type { Part } from './arguments.ts';

/** Something a person must hear about at the end of the run. */
export interface Finding {
  readonly name: string;
  readonly message: string;
}

/** What came of a part, or of the part's run of vitest. */
export interface Counts {
  readonly passed: number;
  readonly failures: readonly Finding[];
  readonly skips: readonly Finding[];
}

/** The result of one part, with its wall-clock time. */
export interface PartResult extends Counts {
  readonly part: Part;
  readonly ms: number;
}

const total = (results: readonly PartResult[], of: (result: PartResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0);

/** The number of failed tests of all parts. */
export function failed(results: readonly PartResult[]): number {
  return total(results, (result) => result.failures.length);
}

/** The last line of a test run; other programs read it, so its form is a contract. */
export function lastLine(results: readonly PartResult[]): string {
  const passed = total(results, (result) => result.passed);
  const skipped = total(results, (result) => result.skips.length);
  return `${passed} passed, ${failed(results)} failed, ${skipped} skipped`;
}

/** A table with a row for each part, above it what failed and what was skipped, by name. */
export function summary(results: readonly PartResult[]): string {
  const list = (title: string, of: (result: PartResult) => readonly Finding[]): string[] => {
    const lines = results.flatMap((result) =>
      of(result).map(
        ({ name, message }) => `  ${result.part}: ${name}\n      ${message.split('\n')[0] ?? ''}`,
      ),
    );
    return lines.length === 0 ? [] : [`${title}:`, ...lines, ''];
  };
  const row = (cells: readonly (string | number)[]): string =>
    cells
      .map((cell, column) =>
        column === 0 ? String(cell).padEnd(6) : String(cell).padStart(column === 4 ? 14 : 9),
      )
      .join('');
  return [
    ...list('Skipped', (result) => result.skips),
    ...list('Failed', (result) => result.failures),
    row(['part', 'passed', 'failed', 'skipped', 'time']),
    ...results.map(({ part, passed, failures, skips, ms }) =>
      row([part, passed, failures.length, skips.length, duration(ms)]),
    ),
  ].join('\n');
}
