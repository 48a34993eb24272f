import { findCondition } from '../runtime/conditions.ts';
import { decide } from './strictDecide.ts';
import type { SchemaPlan } from '../controllers/apischema/plan.ts';
import type { Follower, Usage, WorkResult, World } from '../controllers/apischema/world.ts';
import { done, summaryOf, worldNow } from './schemaWorld.ts';

/** An older release. */
export const old = '11111111';
/** The release that is served. */
export const newest = '22222222';
/** What the ledger says of both. */
export const summary = {
  ...summaryOf(newest),
  releases: [
    { id: newest, schema: `api_${newest}`, builtAt: '2025-12-31T00:00:00Z' },
    { id: old, schema: `api_${old}`, builtAt: '2025-12-30T00:00:00Z' },
  ],
};
/** A kept revision of the instance `web`. */
export const usage = (release: string, revision: number, hasTraffic = false): Usage => ({
  instance: 'web',
  revision,
  release,
  hasTraffic,
});
/** The instance `web`, at rest. */
export const follower: Follower = { name: 'web', follows: true, serves: newest, isRolling: false };

/** Carries decisions out until nothing new is ordered; each order ends with what `results` has for its kind. */
export function run(world: World, results: Readonly<Record<string, WorkResult>>): SchemaPlan {
  let current = world;
  for (let round = 0; round < 10; round += 1) {
    const plan = decide(current);
    const orders = plan.work ?? [];
    const work = new Map(
      orders.flatMap(({ id }) => {
        const result = results[id.split('-')[0] ?? ''];
        return result === undefined ? [] : [[id, done(result, worldNow)] as const];
      }),
    );
    const isSame = [...work.keys()].join() === [...current.work.keys()].join();
    const status = plan.status === undefined ? {} : { status: plan.status };
    current = { ...current, work, object: { ...current.object, ...status } };
    if (isSame) return plan;
  }
  throw new Error('it never comes to rest');
}

/** What is ordered. */
export const kinds = (plan: SchemaPlan) => (plan.work ?? []).map(({ id }) => id.split('-')[0]);
/** Status and reason of a condition. */
export const says = (plan: SchemaPlan, type: string) => {
  const condition = findCondition(plan.status?.conditions, type);
  return `${condition?.status ?? ''} ${condition?.reason ?? ''}`;
};
