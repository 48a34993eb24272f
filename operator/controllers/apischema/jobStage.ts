import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { sentence } from '../../database/problemSentence.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { PendingSet } from './applyResult.ts';
import { beforeJob } from './jobOrder.ts';
import { orderFor } from './order.ts';
import type { Verdict } from './status.ts';
import { stalled } from './verdict.ts';
import type { Work, World } from './world.ts';

/** How often a Job that runs, or that a person has to delete, is looked at; in milliseconds. */
export const jobPollMs = 5_000;

/** The Job of `spec.beforeMigration` for what is pending: made once, then waited for. */
export function jobStage(
  world: World,
  spec: ApiSchemaSpec,
  pending: PendingSet,
): { readonly orders: readonly WorkOrder<Work>[]; readonly verdict: Verdict } {
  const job = world.jobs.find(({ pendingHash }) => pendingHash === pending.hash);
  if (job?.state === 'failed')
    return {
      orders: [],
      verdict: stalled(
        'BeforeMigrationFailed',
        `Job ${job.name} of spec.beforeMigration failed, and nothing was run: ${job.tail ?? 'it left no log'}. Mend the cause and delete the Job: it is created anew.`,
      ),
    };
  const running: Verdict = {
    status: 'False',
    reason: 'BeforeMigrationRunning',
    message: `The Job of spec.beforeMigration${job === undefined ? ' is being created' : `, ${job.name}, runs`}; ${String(pending.names.length)} wait for it, first ${pending.names[0] ?? ''}.`,
    isStalled: false,
  };
  if (job !== undefined || spec.beforeMigration === undefined) return { orders: [], verdict: running };
  const object = beforeJob(world.object.metadata, spec.beforeMigration.jobTemplate, pending, spec.schema);
  const { orders, state } = orderFor({ kind: 'job', job: object }, { rest: [object] }, world.work, world.now);
  const failure = state?.state === 'running' ? state.failure?.message : undefined;
  const thrown = state?.state === 'failed' ? state.message : failure;
  if (thrown !== undefined) return { orders, verdict: notCreated(thrown) };
  if (state?.state === 'done' && state.result.kind === 'jobRefused')
    return {
      orders,
      verdict: stalled(
        'BeforeMigrationFailed',
        `The Job of spec.beforeMigration cannot be created: ${state.result.message}`,
      ),
    };
  return { orders, verdict: running };
}

// It is the Kubernetes API that failed: the reasons of failed runs are about the database.
function notCreated(thrown: string): Verdict {
  return {
    status: 'False',
    reason: 'Reconciling',
    message: `The Job of spec.beforeMigration could not be created: ${sentence(thrown)} It is tried again.`,
    isStalled: false,
    lastError: { message: thrown },
  };
}
