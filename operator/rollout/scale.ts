import type { ApiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';
import type { RevisionState, Route } from './types.ts';

/** An entry of `status.history`. */
export type HistoryEntry = NonNullable<ApiInstanceStatus['history']>[number];

/** What decides how many pods each revision has. */
export interface ScaleInput {
  readonly now: number;
  /** The route as it stands, and as this decision will have it: a revision has traffic when either gives it some. */
  readonly routes: readonly Route[];
  readonly target: number;
  /** `spec.replicas`. */
  readonly replicas: number;
  /** Whether the data plane was seen to follow the route as it stands. */
  readonly isTrafficProved: boolean;
  /** Whether a rollout runs; nothing with traffic shrinks meanwhile. */
  readonly isMoving: boolean;
  readonly history: readonly HistoryEntry[];
  readonly warmForMs: number;
  /** Revisions that a contraction waits for: they keep no pods to roll back to. */
  readonly ending: ReadonlySet<number>;
}

/** How many pods a revision should have. */
export function replicasOf(revision: RevisionState, input: ScaleInput): number {
  const current = revision.replicas ?? 0;
  if (revision.number === input.target || hasTraffic(revision.number, input.routes)) {
    return input.isMoving ? Math.max(input.replicas, current) : input.replicas;
  }
  // An object that says weight 0 is not a proof: pods go only when the data plane was seen not to use them.
  if (!input.isTrafficProved) return current;
  const isWarm = warmLeftMs(revision.number, input) > 0 && !input.ending.has(revision.number);
  return isWarm ? current : 0;
}

/** Milliseconds for which a revision that lost the traffic still keeps its pods; 0 or less: none. */
export function warmLeftMs(
  revision: number,
  input: Pick<ScaleInput, 'now' | 'history' | 'warmForMs'>,
): number {
  const left = input.history.find(
    (entry) => entry.from === revision && (entry.outcome === 'Promoted' || entry.outcome === 'RolledBack'),
  );
  return left ? Date.parse(left.at) + input.warmForMs - input.now : 0;
}

function hasTraffic(revision: number, routes: readonly Route[]): boolean {
  return routes.some(
    (route) => route.main === revision || (route.canary?.revision === revision && route.canary.weight > 0),
  );
}
