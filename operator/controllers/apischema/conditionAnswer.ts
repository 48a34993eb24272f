import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { Condition } from '../../api/v1alpha1/shared.ts';

/** What a condition says. */
export type ConditionAnswer = Pick<Condition, 'status' | 'message'> & { readonly reason: Reason };
