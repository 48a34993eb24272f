import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import type { Outcome } from '../../runtime/outcome.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { decideDeletion } from './deletion.ts';
import { orderFor, resyncMs, visitOf } from './order.ts';
import { blockedOutcome, planFor, secretPollMs, type SchemaPlan } from './plan.ts';
import type { Verdict } from './status.ts';
import { stalled, verdictOf } from './verdict.ts';
import type { Missing, WorkResult, World } from './world.ts';

/** What is to be done about one ApiSchema. */
export function decide(world: World): SchemaPlan {
  const { object, spec } = world;
  if (object.metadata.deletionTimestamp !== undefined) return decideDeletion(world);
  if (spec.kind === 'invalid') {
    const verdict = stalled('InvalidSpec', `The spec is not valid: ${spec.problem}. Correct it.`);
    return planFor(world, verdict, blockedOutcome(verdict));
  }
  if (spec.value.suspend) return { ...planFor(world, suspended, { kind: 'settled' }), work: [] };
  return decideApply(world, spec.value);
}

const suspended: Verdict = {
  status: 'Unknown',
  reason: 'Suspended',
  message:
    'Suspended: nothing is compared or changed in the database until spec.suspend is false. What is served stays served.',
  isStalled: false,
  lastError: 'keep',
};

function decideApply(world: World, spec: ApiSchemaSpec): SchemaPlan {
  const { connection, sources } = world;
  if (connection.kind === 'missing') return decideMissing(world, connection);
  if (sources.kind === 'missing') return decideMissing(world, sources);
  const request = {
    ...visitOf(world, connection.uri, spec.schema),
    migrations: sources.migrations,
    apiSql: sources.apiSql,
  };
  const { order, state } = orderFor({ kind: 'apply', request }, connection.token, world.work, world.now);
  const verdict = verdictOf(world, state);
  return { ...planFor(world, verdict, outcomeOf(verdict, state)), work: [order] };
}

// A run that is under way stays under way: the Secret may only be on its way from one version to the next.
function decideMissing(world: World, missing: Missing): SchemaPlan {
  const verdict = stalled(missing.reason, missing.message);
  return planFor(world, verdict, blockedOutcome(verdict, secretPollMs));
}

function outcomeOf(verdict: Verdict, state: WorkState<WorkResult> | undefined): Outcome {
  if (state?.state !== 'done') return { kind: 'waiting', on: verdict.message, retryAfterMs: resyncMs };
  return verdict.isStalled
    ? blockedOutcome(verdict, resyncMs)
    : { kind: 'settled', recheckAfterMs: resyncMs };
}
