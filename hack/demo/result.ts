import { countByRevision, settledAt, summarise, within, type Sample } from '../load/sample.ts';
import { count } from './render.ts';

/** What happened when, in epoch milliseconds of the client's clock. */
export interface Times {
  /** Just before `kubectl apply` of version 2. */
  readonly releaseCommand: number;
  /** Just before the rollback annotation. */
  readonly rollbackCommand: number;
  /** Just before `kubectl apply` of the broken migration. */
  readonly brokenCommand: number;
}

/** The demo in numbers; what it prints as its last line. */
export interface Result {
  readonly requests: number;
  readonly failed: number;
  /** From the command to the moment from which all responses came from version 2, by the clients' clock. */
  readonly cutoverSeconds: number | null;
  /** From the command to the moment from which all responses came from version 1 again, by the clients' clock. */
  readonly rollbackSeconds: number | null;
  readonly revisions: Readonly<Record<string, number>>;
  /** Whether the broken migration was refused and version 1 went on answering everything. */
  readonly brokenMigration: 'refused' | 'not refused';
}

/** Adds the demo up. `refused`: whether the ApiSchema said so. A time is null when the traffic never got there. */
export function resultOf(input: {
  readonly samples: readonly Sample[];
  readonly times: Times;
  readonly versionOne: string;
  readonly versionTwo: string;
  readonly refused: boolean;
}): Result {
  const { samples, times, versionOne, versionTwo } = input;
  const summary = summarise(samples);
  const afterBroken = countByRevision(within(samples, times.brokenCommand));
  const keptServing = Object.keys(afterBroken).join() === versionOne;
  return {
    requests: summary.requests,
    failed: summary.failed,
    cutoverSeconds: secondsUntil(samples, versionTwo, times.releaseCommand, times.rollbackCommand),
    rollbackSeconds: secondsUntil(samples, versionOne, times.rollbackCommand, times.brokenCommand),
    revisions: summary.byRevision,
    brokenMigration: input.refused && keptServing ? 'refused' : 'not refused',
  };
}

/** Whether everything went as promised. */
export function succeeded(result: Result): boolean {
  return (
    result.requests > 0 &&
    result.failed === 0 &&
    result.cutoverSeconds !== null &&
    result.rollbackSeconds !== null &&
    result.brokenMigration === 'refused'
  );
}

/** The result as a table for people; the failures, if any, are listed by what went wrong. */
export function renderResult(result: Result, samples: readonly Sample[]): string[] {
  const summary = summarise(samples);
  const seconds = (value: number | null): string => (value === null ? 'never' : `${value.toFixed(1)} s`);
  const rows: [string, string][] = [
    ['requests', `${count(result.requests)} (half of them over kept-alive connections)`],
    ['failed', count(result.failed)],
    ...Object.entries(result.revisions).map(([revision, responses]): [string, string] => [
      `answered by ${revision === 'none' ? 'none' : `r${revision}`}`,
      `${count(responses)} (${((100 * responses) / result.requests).toFixed(1)} %)`,
    ]),
    [
      'latency',
      `p50 ${summary.p50.toFixed(0)} ms, p95 ${summary.p95.toFixed(0)} ms, max ${summary.max.toFixed(0)} ms`,
    ],
    ['release to all traffic', seconds(result.cutoverSeconds)],
    ['rollback to all traffic', seconds(result.rollbackSeconds)],
    ['broken migration', result.brokenMigration],
    ...Object.entries(summary.byFailure).map(([failure, times]): [string, string] => [
      `failed ${count(times)} times`,
      failure,
    ]),
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}

function secondsUntil(samples: readonly Sample[], revision: string, from: number, to: number): number | null {
  const settled = settledAt(
    samples.filter(({ dueAt, endedAt }) => endedAt >= from && dueAt < to),
    revision,
  );
  return settled === undefined ? null : Math.round(settled - from) / 1000;
}
