import { finalizer } from '../../api/v1alpha1/shared.ts';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { orderFor, resyncMs, visitOf } from './order.ts';
import { blockedOutcome, planFor, secretPollMs, type SchemaPlan } from './plan.ts';
import { patienceFor } from './request.ts';
import { namesOf } from './served.ts';
import type { Verdict } from './status.ts';
import { failed, stalled } from './verdict.ts';
import type { SchemaWorkState, World } from './world.ts';

/** What is to be done about an ApiSchema that is being deleted. */
export function decideDeletion(world: World): SchemaPlan {
  const { object, spec } = world;
  if (!(object.metadata.finalizers ?? []).includes(finalizer))
    return { apply: [], prune: [], work: [], notes: [], outcome: { kind: 'settled' } };
  // A spec that is not valid names no database that we could be sure of.
  if (spec.kind === 'invalid' || spec.value.deletionPolicy === 'Retain') return letGo(world);
  return decideDrop(world, spec.value);
}

function decideDrop(world: World, spec: ApiSchemaSpec): SchemaPlan {
  const { connection, followers } = world;
  if (followers.length > 0) {
    const verdict = stalled(
      'InUse',
      `The releases are kept while an ApiInstance refers to this ApiSchema: delete ${namesOf(followers)}, or set spec.deletionPolicy to Retain.`,
    );
    return { ...planFor(world, verdict, blockedOutcome(verdict)), work: [] };
  }
  if (connection.kind === 'missing') {
    const verdict = stalled(
      connection.reason,
      `${connection.message} Without it the releases cannot be dropped: to delete the ApiSchema and leave the database as it is, set spec.deletionPolicy to Retain.`,
    );
    return planFor(world, verdict, blockedOutcome(verdict, secretPollMs));
  }
  const request = visitOf(world, connection, spec.schema);
  const { orders, state } = orderFor(
    { kind: 'drop', request, patience: patienceFor(spec) },
    { rest: [connection.token, spec.schema] },
    world.work,
    world.now,
  );
  if (state?.state === 'done' && state.result.kind === 'dropped') return letGo(world);
  const verdict = verdictOf(state);
  const outcome = verdict.isStalled
    ? blockedOutcome(verdict, resyncMs)
    : ({ kind: 'waiting', on: verdict.message, retryAfterMs: resyncMs } as const);
  return { ...planFor(world, verdict, outcome), work: orders };
}

function verdictOf(state: SchemaWorkState | undefined): Verdict {
  if (state?.state === 'failed') return failed(state.message);
  if (state?.state === 'running' && state.failure !== undefined) return failed(state.failure.message);
  if (state?.state === 'done' && state.result.kind === 'blocked')
    return stalled(state.result.reason, state.result.message);
  return {
    status: 'False',
    reason: 'Deleting',
    message: 'The releases and their rows of the ledger are being dropped; tables and data stay.',
    isStalled: false,
  };
}

/** Ends the work and removes our finalizer: the last write that this object sees. */
function letGo(world: World): SchemaPlan {
  const finalizers = (world.object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
  return {
    metadata: { finalizers },
    apply: [],
    prune: [],
    work: [],
    notes: [],
    outcome: { kind: 'settled' },
  };
}
