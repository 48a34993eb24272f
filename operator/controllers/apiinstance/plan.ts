import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import type { HistoryEntry } from '../../rollout/scale.ts';
import type { Target } from '../../rollout/target.ts';
import type { RevisionState, TrafficDecision } from '../../rollout/types.ts';
import type { Plan } from '../../runtime/reconciler.ts';
import type { BudgetCheck } from './budgetCheck.ts';
import type { Candidate } from './candidate.ts';
import type { Desired } from './desired.ts';
import type { PoolerDecision } from './pooler.ts';
import type { Problem } from './problem.ts';
import type { Work, World } from './world.ts';

/** What one reconcile of an ApiInstance does. */
export type InstancePlan = Plan<ApiInstanceStatus, Work>;

/** One decision, for telling about it. */
export interface Decided {
  readonly world: World;
  readonly spec: ApiInstanceSpec;
  readonly target: Target;
  readonly desired: Desired | undefined;
  readonly problem: Problem | undefined;
  readonly traffic: TrafficDecision;
  readonly candidate: Candidate;
  readonly budget: BudgetCheck;
  /** Whether this rollout was under way before this decision: what is remembered of it holds. */
  readonly resumes: boolean;
  readonly states: ReadonlyMap<number, RevisionState>;
  /** False while the pooler is not there yet and pods would start in vain. */
  readonly canStart: boolean;
  /** Undefined without a pooler, and while the URI of the database cannot be used. */
  readonly pooler: PoolerDecision | undefined;
  /** `status.history` as this decision leaves it. */
  readonly history: readonly HistoryEntry[];
}
