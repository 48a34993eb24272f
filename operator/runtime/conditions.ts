/** A condition as metav1.Condition has it. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly observedGeneration?: number | undefined;
  /** RFC 3339: when `status` last changed. */
  readonly lastTransitionTime: string;
  readonly reason: string;
  readonly message: string;
}

/** A condition before it has a time. */
export type ConditionDraft = Omit<Condition, 'lastTransitionTime'>;

/**
 * The list with this condition in it: in its place when the type was there, else at the end. `lastTransitionTime` is
 * kept unless the status changed, so that deciding the same again gives an equal list and nothing is written.
 * `nowMs`: milliseconds since the epoch. The given list is not changed.
 */
export function setCondition(list: readonly Condition[], draft: ConditionDraft, nowMs: number): Condition[] {
  const earlier = list.find((condition) => condition.type === draft.type);
  const { observedGeneration, ...rest } = draft;
  const condition: Condition = {
    ...rest,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: earlier?.status === draft.status ? earlier.lastTransitionTime : rfc3339(nowMs),
  };
  return earlier === undefined
    ? [...list, condition]
    : list.map((each) => (each === earlier ? condition : each));
}

/** The condition of this type, if there is one. */
export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((condition) => condition.type === type);
}

/** Whether the condition of this type is there and True. */
export function isTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

/** Milliseconds since the epoch as metav1.Time writes them: RFC 3339, UTC, whole seconds. */
export function rfc3339(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');
}
