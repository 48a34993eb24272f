import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { Condition } from '../../api/v1alpha1/shared.ts';

/** What a condition says, before it has a type and a time. */
export interface Answer {
  readonly status: Condition['status'];
  readonly reason: Reason;
  readonly message: string;
}
