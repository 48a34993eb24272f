import { failed, type Sample } from './sample.ts';

/**
 * What a fault may cost: the requests that were under way at some moment of [from, to], epoch milliseconds. For a process
 * that is killed that is the time from the signal until it is gone, so that what fails was in flight in it.
 */
export interface Excuse {
  readonly from: number;
  readonly to: number;
  /** Addresses of the pods that were killed: a failure that is known to have met none of them is not excused. */
  readonly pods?: readonly string[];
}

/** Whether a fault explains that this request failed. */
export function isExcused(sample: Sample, excuses: readonly Excuse[]): boolean {
  return excuses.some(
    ({ from, to, pods }) =>
      sample.dueAt <= to &&
      sample.endedAt >= from &&
      (pods === undefined ||
        sample.upstream === undefined ||
        pods.some((pod) => sample.upstream?.split(', ').some((address) => address.startsWith(`${pod}:`)))),
  );
}

/** The failed requests, apart by whether a fault explains them. */
export function judgeFailures(
  samples: readonly Sample[],
  excuses: readonly Excuse[],
): { readonly excused: readonly Sample[]; readonly unexcused: readonly Sample[] } {
  const failures = samples.filter(failed);
  return {
    excused: failures.filter((sample) => isExcused(sample, excuses)),
    unexcused: failures.filter((sample) => !isExcused(sample, excuses)),
  };
}
