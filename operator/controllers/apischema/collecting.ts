import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import { shownMessage } from './fittedStatus.ts';
import type { LedgerSummary } from './ledgerSummary.ts';
import { orderFor, visitOf } from './order.ts';
import { patienceFor, type Inputs } from './request.ts';
import type { Work, World } from './world.ts';

/** How long an unused release is kept after it was built: an instance may just be on its way to it. Milliseconds. */
const graceMs = 600_000;

/**
 * Drops what nobody can roll back to any more. Only while nothing moves: in a rollout an instance may still turn round.
 * Without an instance there is nobody who could say what is needed, so everything stays.
 */
export function collecting(
  world: World,
  { spec, connection }: Inputs,
  summary: LedgerSummary,
): readonly WorkOrder<Work>[] {
  const { followers, usage, now } = world;
  const isMoving = followers.some(({ isRolling, serves }) => isRolling || serves === undefined);
  if (followers.length === 0 || isMoving) return [];
  const needed = new Set([
    summary.release?.id,
    ...usage.map(({ release }) => release),
    ...followers.flatMap(({ serves, pins }) => [serves, pins]),
  ]);
  const releases = summary.releases
    .filter(({ id, builtAt }) => !needed.has(id) && now - Date.parse(builtAt) > graceMs)
    .map(({ id }) => id);
  if (releases.length === 0) return [];
  const request = { ...visitOf(world, connection, spec.schema), releases };
  const { orders } = orderFor(
    { kind: 'collect', request, patience: patienceFor(spec) },
    { rest: [connection.token, spec.schema, releases] },
    world.work,
    now,
  );
  return orders;
}

/**
 * Why releases that no kept revision uses are still there: what the last attempt to drop them met, for as long as there
 * are such releases. Undefined when there are none, or nothing stood in the way.
 */
export function notDropped(world: World, summary: LedgerSummary | undefined): ApiSchemaStatus['notDropped'] {
  const { status = {} } = world.object;
  const { release, releases = [] } = summary ?? status;
  const used = new Set([release?.id, ...world.usage.map((each) => each.release)]);
  if (releases.every(({ id }) => used.has(id))) return undefined;
  const results = [...world.work].flatMap(([id, state]) =>
    id.startsWith('collect-') && state.state === 'done' ? [state] : [],
  );
  const last = results.sort((a, b) => a.at - b.at).at(-1)?.result;
  if (last === undefined) return status.notDropped;
  return last.kind === 'blocked' && last.reason === 'InUse' ? shownMessage(last.message) : undefined;
}
