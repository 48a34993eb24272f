import type { ApiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';
import { legacy, type Mode } from './types.ts';

/** An entry of `status.rejected`. */
export type Rejected = NonNullable<ApiInstanceStatus['rejected']>[number];

/** What decides where the traffic should end up. */
export interface TargetInput {
  /** The revision whose content is the spec's; undefined while the spec cannot be turned into one. */
  readonly desired: { readonly number: number; readonly hash: string } | undefined;
  /** Who has the main route: a revision, or `legacy`. */
  readonly main: number | undefined;
  /** The revision that had the traffic when the last rollout ended. */
  readonly stable: number | undefined;
  /** The candidate that status remembers: a rollout that runs, or a way back. */
  readonly candidate: number | undefined;
  /** Revisions that exist, or are about to. */
  readonly kept: ReadonlySet<number>;
  readonly rejected: readonly Rejected[];
}

/** The revision (or `legacy`) that should end up with all traffic, and how to get there. */
export interface Target {
  readonly revision: number;
  readonly mode: Mode;
  /** The entry of `status.rejected` that keeps the spec's revision from serving, where there is one. */
  readonly rejection: Rejected | undefined;
}

/**
 * Where traffic should go. The spec decides, unless its very content was rejected: that holds until the content
 * changes or somebody says `retry`, so that a GitOps tool which applies the same spec again undoes no rollback.
 * Undefined: nothing serves and nothing can be rolled out.
 */
export function chooseTarget(input: TargetInput): Target | undefined {
  const { desired, main, kept } = input;
  if (!desired) return frozen(input);
  const rejection = input.rejected.find((entry) => entry.hash === desired.hash);
  if (rejection) {
    // The service of rollout.from has no pods of ours: one can go back to it only as long as the main route leads there.
    const isThere = rejection.to === legacy ? main === legacy : kept.has(rejection.to);
    const fallback = isThere ? rejection.to : main;
    // Without anything to fall back on the rejected revision is better than none.
    if (fallback !== undefined) return { revision: fallback, mode: 'atOnce', rejection };
  }
  // The spec is what serves already: whatever rollout runs is left, which is an abort by spec.
  if (desired.number === main) return { revision: main, mode: 'atOnce', rejection: undefined };
  // The main route has just moved, and nobody has seen it work: that is ended before something newer begins.
  if (main !== undefined && main === input.candidate && main !== input.stable && kept.has(main)) {
    return { revision: main, mode: 'atOnce', rejection: undefined };
  }
  return { revision: desired.number, mode: 'stepwise', rejection: undefined };
}

/** The spec cannot be read or resolved: finish what runs, begin nothing. */
function frozen({ candidate, main, kept, rejected }: TargetInput): Target | undefined {
  if (candidate !== undefined && kept.has(candidate)) {
    const goingBack = candidate === main || rejected.some((entry) => entry.to === candidate);
    return { revision: candidate, mode: goingBack ? 'atOnce' : 'stepwise', rejection: undefined };
  }
  return main === undefined ? undefined : { revision: main, mode: 'atOnce', rejection: undefined };
}
