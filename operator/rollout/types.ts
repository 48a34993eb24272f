import type { Step } from '../api/v1alpha1/apiInstanceRollout.ts';

/** One kept revision as the world has it. */
export interface RevisionState {
  readonly number: number;
  /** Hash of the content that a user controls. */
  readonly hash: string;
  /** Id of the release it serves. */
  readonly release: string;
  /** `spec.replicas` of its Deployment; undefined when it has none (yet). */
  readonly replicas: number | undefined;
  /** Pods that exist and are not being deleted. */
  readonly pods: number;
  /** Those of them that are ready. */
  readonly ready: number;
  /** Those of them that are ready and were seen to hold the release. */
  readonly proved: number;
}

/** What the router is told: who is behind the main route, and who gets a share beside it. */
export interface Route {
  /**
   * The revision that the main route leads to; `legacy` for the service of `rollout.from`; undefined before anything is
   * routed.
   */
  readonly main: number | undefined;
  /** The revision that the stable Service selects. It differs from `main` only while that is `legacy`. */
  readonly stable: number | undefined;
  readonly canary: Canary | undefined;
}

/** Stands for the service of `rollout.from` where a revision's number would be: it has no pods of ours and no gate. */
export const legacy = 0;

/** A share of the traffic. */
export interface Canary {
  readonly revision: number;
  /** Percent, 0 to 100. */
  readonly weight: number;
}

/** Something about the data plane that can be proved by responses alone. `legacy` is whoever answers without a gate. */
export type Expectation =
  /** Plain requests: `weight` percent of them come from `candidate`, the others from `stable`. */
  | { readonly kind: 'weights'; readonly stable: number; readonly candidate: number; readonly weight: number }
  /** Requests that the router keeps on the main route all come from `revision`. */
  | { readonly kind: 'main'; readonly revision: number }
  /** Requests that the router always sends to the canary all come from `revision`. */
  | { readonly kind: 'canary'; readonly revision: number }
  /** The router knows the stable Service, although the main route does not lead there yet: `revision` answers. */
  | { readonly kind: 'stable'; readonly revision: number };

/** Why a rollout stands where it stands; the reconciler turns it into conditions. */
export type Stage =
  | 'ScalingUp'
  | 'ProvingPods'
  | 'Probing'
  | 'ComparingContracts'
  | 'AwaitingApproval'
  | 'ProvingTraffic'
  | 'ShiftingTraffic'
  | 'Analysing'
  | 'TooFewRequests'
  | 'AnalysisInconclusive'
  | 'StepPaused'
  | 'ManuallyPaused'
  | 'Promoting'
  | 'Settled';

/** How the target is approached: in the steps of the spec, or at once (abort and rollback). */
export type Mode = 'stepwise' | 'atOnce';

/** What the analysis says of the candidate at the weight that it has. Failures are not here: they reject it. */
export type Judgement = 'passed' | 'running' | 'tooFewRequests' | 'inconclusive';

/** What stands between the candidate and its first share of the traffic. */
export type Clearance = 'clear' | 'probing' | 'comparing' | 'awaitingApproval';

/** What the machine knows when it decides about traffic. */
export interface TrafficWorld {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly route: Route;
  /** Whether the first promotion leads away from the service of `rollout.from`. */
  readonly hasFrom: boolean;
  /** The revision that should end up with all traffic. */
  readonly target: RevisionState;
  readonly mode: Mode;
  readonly steps: readonly Step[];
  /** Pods that the target needs before it gets all traffic. */
  readonly replicas: number;
  /** Whether a candidate has all of them from the start, or its share. */
  readonly capacity: 'Full' | 'ByWeight';
  /** Index into `steps`, as status remembers it. */
  readonly step: number;
  /** When the pause at `step` began, in milliseconds since the epoch. */
  readonly pausedSince: number | undefined;
  /** Somebody has said pause: nothing goes forward. A way back is not held. */
  readonly isHeld: boolean;
  /** Somebody has said promote-full: no steps, no pauses, no checks, only proofs. */
  readonly isFast: boolean;
  /** The target took over the pods that serve, and they are still to load its settings: it is main, and not there yet. */
  readonly isSettling: boolean;
  readonly clearance: Clearance;
  /** The judgement at `route.canary.weight`; `passed` where no analysis is asked for. */
  readonly judgement: Judgement;
  /** Whether the data plane was seen to do this since the objects have said so. */
  readonly isProved: (expectation: Expectation) => boolean;
}

/** What the machine wants next: at most one of main, stable and canary differs from what is there. */
export interface TrafficDecision {
  readonly route: Route;
  /** What to prove about the route as it stands; empty while it is being changed. */
  readonly expects: readonly Expectation[];
  /** The share that was proved and let this decision go further, where one was. */
  readonly seen?: Expectation;
  readonly stage: Stage;
  readonly step: number;
  readonly pausedSince: number | undefined;
  /** Pods that the target should have now: its share of them with capacity ByWeight, else all. */
  readonly size: number;
  /** When time alone moves things on: milliseconds from now. */
  readonly wakeAfterMs?: number;
}
