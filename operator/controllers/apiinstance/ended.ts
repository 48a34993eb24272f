import type { ApiInstanceStatus, RolloutOutcome } from '../../api/v1alpha1/apiInstanceStatus.ts';

/** A rollout that ended. */
export interface EndedRollout {
  readonly outcome: RolloutOutcome;
  /** From its beginning to its end; undefined where the beginning is not known. */
  readonly seconds: number | undefined;
}

/** The rollouts whose end is in the new status and was not in the old one. */
export function endedRollouts(
  before: ApiInstanceStatus,
  after: ApiInstanceStatus | undefined,
): readonly EndedRollout[] {
  const known = new Set(before.history?.map(({ at, revision, outcome }) => `${at} ${revision} ${outcome}`));
  return (after?.history ?? [])
    .filter(({ at, revision, outcome }) => !known.has(`${at} ${revision} ${outcome}`))
    .map(({ outcome, at, startedAt }) => ({
      outcome,
      seconds: startedAt === undefined ? undefined : (Date.parse(at) - Date.parse(startedAt)) / 1000,
    }));
}
