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
  /** Pods that the target should have while it moves: all, or its share. */
  readonly size: number;
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
  const isTarget = revision.number === input.target;
  if (isTarget || hasTraffic(revision.number, input.routes)) {
    if (!input.isMoving) return input.replicas;
    // A share that is about to be taken away asks for no more pods, but until that is seen for no fewer either.
    const atLeast = isTarget ? input.size : current;
    return Math.max(isMain(revision.number, input.routes) ? input.replicas : atLeast, current);
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
  const left = input.history.find((entry) => entry.from === revision && hasMoved(entry));
  return left ? Date.parse(left.at) + input.warmForMs - input.now : 0;
}

/** Whether a rollout ended with the traffic on its revision. */
export function hasMoved({ outcome }: HistoryEntry): boolean {
  return outcome !== 'Aborted' && outcome !== 'Superseded';
}

function hasTraffic(revision: number, routes: readonly Route[]): boolean {
  return (
    isMain(revision, routes) ||
    routes.some(({ canary }) => canary?.revision === revision && canary.weight > 0)
  );
}

/** Behind the main route, or behind the stable Service, which clients in the cluster use. */
function isMain(revision: number, routes: readonly Route[]): boolean {
  return routes.some(({ main, stable }) => main === revision || stable === revision);
}
