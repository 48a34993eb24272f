import { failed, settledAt, within, type Sample } from '../../hack/load/sample.ts';
import { median, rounded } from '../statistics.ts';

/** What is measured. */
export const operations = ['cutover', 'abort', 'warmRollback', 'coldRollback'] as const;
/** One of them. */
export type Operation = (typeof operations)[number];

/** One command and what followed, until the next one. Times are epoch milliseconds of this process. */
export interface Passage {
  readonly operation: Operation;
  readonly commandAt: number;
  /** When the controller said that it was done. */
  readonly wordAt: number;
  /** The revision that was to get all traffic. */
  readonly revision: string;
  readonly endedAt: number;
}

/** What one passage comes to. */
export interface Timing {
  readonly operation: Operation;
  /** From the command until all answers came from the target for good, by the clients' clock. */
  readonly seconds: number;
  /** From the command until the controller said so. */
  readonly wordSeconds: number;
  readonly failed: number;
}

/** What one round of a contender is: its passages, and every answer that its clients had. */
export interface Round {
  readonly passages: readonly Passage[];
  readonly samples: readonly Sample[];
}

/** The line of JSON of one contender. */
export interface Figures {
  readonly failed: number;
  readonly cutoverFailed: number;
  readonly cutoverSeconds: number;
  readonly abortSeconds: number;
  readonly warmRollbackSeconds: number;
  readonly coldRollbackSeconds: number;
  /** How long before the traffic the word came, where that was worst; 0 when it never came early. */
  readonly earlyWordSeconds: number;
}

/** So long all answers must have come from the target: at a share of 50 % a short row of them means nothing. */
const forGoodMs = 2000;

/** Whether the clients were seen to have all traffic at the target, long enough to believe it. */
export function isForGood(passage: Passage, all: readonly Sample[]): boolean {
  return passage.endedAt - (settled(passage, all) ?? Infinity) >= forGoodMs;
}

/** Throws when the clients never saw all traffic at the target. */
export function timingOf(passage: Passage, all: readonly Sample[]): Timing {
  const { operation, commandAt, wordAt, revision, endedAt } = passage;
  const at = settled(passage, all);
  if (at === undefined)
    throw new Error(`${operation}: the clients never saw all traffic at revision ${revision}`);
  return {
    operation,
    seconds: (at - commandAt) / 1000,
    wordSeconds: (wordAt - commandAt) / 1000,
    failed: within(all, commandAt, endedAt).filter(failed).length,
  };
}

/** A failed request has no revision; it counts as failed, not as traffic that is still elsewhere. */
function settled({ commandAt, endedAt, revision }: Passage, all: readonly Sample[]): number | undefined {
  const answered = within(all, commandAt, endedAt).filter((sample) => sample.revision !== '');
  return settledAt(answered, revision);
}

/** Medians of the seconds, sums of the failures, the worst early word. */
export function figuresOf(rounds: readonly Round[]): Figures {
  const timings = rounds.flatMap(({ passages, samples }) =>
    passages.map((passage) => timingOf(passage, samples)),
  );
  const of = (operation: Operation): Timing[] => timings.filter((timing) => timing.operation === operation);
  const seconds = (operation: Operation): number =>
    rounded(median(of(operation).map((timing) => timing.seconds)), 2);
  return {
    failed: rounds.flatMap(({ samples }) => samples).filter(failed).length,
    cutoverFailed: of('cutover').reduce((sum, timing) => sum + timing.failed, 0),
    cutoverSeconds: seconds('cutover'),
    abortSeconds: seconds('abort'),
    warmRollbackSeconds: seconds('warmRollback'),
    coldRollbackSeconds: seconds('coldRollback'),
    earlyWordSeconds: rounded(
      Math.max(0, ...timings.map((timing) => timing.seconds - timing.wordSeconds)),
      2,
    ),
  };
}
