import type { Step } from '../../operator/api/v1alpha1/apiInstanceRollout.ts';

/** The steps of a release, the same for both. */
export const steps: readonly Step[] = [
  { weight: 10 },
  { pause: { duration: '5s' } },
  { weight: 50 },
  { pause: { duration: '5s' } },
  { weight: 100 },
];

/** The same as far as 50 %, where it waits for somebody: an abort must not race against the next step. */
export const stepsHeld: readonly Step[] = [...steps.slice(0, 3), { pause: {} }, { weight: 100 }];

/** How long a revision that lost the traffic keeps its pods, in seconds, the same for both. */
export const warmSeconds = 15;

/** How many revisions are kept to go back to, the same for both: as many as an ApiInstance may keep. */
export const keptRevisions = 50;

/** Pods of a revision with all traffic, the same for both. */
export const replicas = 2;

/** What the controller says, and since when. */
export interface Word {
  /** Epoch milliseconds, when this process heard it. */
  readonly at: number;
  /** The revision that has all traffic by that word: the value of its `X-Pgrst-Revision`. */
  readonly revision: string;
}

/** A command that was given. */
export interface Command {
  /** Epoch milliseconds, before it was sent. */
  readonly at: number;
  /** Settles when the controller says that it is done; rejects when that takes minutes. */
  readonly word: Promise<Word>;
}

/** A controller with one API of its own that it rolls out, all of them over the same database. */
export interface Contender {
  readonly name: 'ours' | 'argo';
  /** Under which its API answers. */
  readonly host: string;
  /** Labels of all pods of its API. */
  readonly podSelector: string;
  /** Serves before each round, and again after it: what every way back leads to. */
  readonly baseRevision: string;
  /** A change to the other release, by a revision that never was, to 100 % in steps. */
  readonly release: () => Promise<Command>;
  /** The same, to 50 %; settles when the controller says that it waits there. */
  readonly releaseHalf: () => Promise<void>;
  /** Leaves what `releaseHalf` began. */
  readonly abort: () => Promise<Command>;
  /** Back to the base revision from a release that is done. */
  readonly rollback: () => Promise<Command>;
  readonly stop: () => void;
}
