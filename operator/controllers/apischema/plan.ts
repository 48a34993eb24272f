import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { finalizer } from '../../api/v1alpha1/shared.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import type { Plan } from '../../runtime/reconciler.ts';
import { notesFor } from './notes.ts';
import { statusFor, type Verdict } from './status.ts';
import type { Work, World } from './world.ts';

/** A plan of this controller. */
export type SchemaPlan = Plan<ApiSchemaStatus, Work>;

/** How often to look whether a Secret has come, since Secrets are not watched; in milliseconds. */
export const secretPollMs = 15_000;

/** The plan that only says the verdict: status, Events, and our finalizer. Work that runs is left as it is. */
export function planFor(world: World, verdict: Verdict, outcome: Outcome): SchemaPlan {
  const { deletionTimestamp, finalizers = [] } = world.object.metadata;
  const claimsObject = deletionTimestamp === undefined && !finalizers.includes(finalizer);
  return {
    ...(claimsObject ? { metadata: { finalizers: [...finalizers, finalizer] } } : {}),
    apply: [],
    prune: [],
    status: statusFor(world, verdict),
    notes: notesFor(world, verdict),
    outcome,
  };
}

/** The outcome of a verdict that a person must act on. */
export function blockedOutcome({ reason, message }: Verdict, recheckAfterMs?: number): Outcome {
  return { kind: 'blocked', reason, message, ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }) };
}
