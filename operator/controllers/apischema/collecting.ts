import type { WorkOrder } from '../../runtime/reconciler.ts';
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
