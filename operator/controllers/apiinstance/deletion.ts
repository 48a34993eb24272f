import { finalizer } from '../../api/v1alpha1/shared.ts';
import type { Owner } from '../../resources/names.ts';
import type { InstancePlan } from './plan.ts';
import type { World } from './world.ts';
import { goneOrder } from './work.ts';

/** How long a deletion waits for the data plane to forget the routes; then the rest goes all the same. */
const patienceMs = 30_000;

/**
 * Deletes the traffic objects first and lets go of the instance once no gate answers through the ingress any more;
 * then the garbage collector takes what the instance owns. The other way round clients would see 503 from an Ingress
 * whose pods are gone.
 */
export function decideDeletion(world: World, owner: Owner): InstancePlan {
  const { metadata, spec } = world;
  const others = (metadata.finalizers ?? []).filter((name) => name !== finalizer);
  const nothingLeft: InstancePlan = {
    apply: [],
    prune: [],
    work: [],
    notes: [],
    outcome: { kind: 'settled' },
  };
  if (others.length === (metadata.finalizers?.length ?? 0)) return nothingLeft;
  const letGo: InstancePlan = { ...nothingLeft, metadata: { finalizers: others } };
  if (world.trafficObjects.length > 0) {
    return {
      ...nothingLeft,
      prune: world.trafficObjects,
      outcome: { kind: 'waiting', on: 'the traffic objects', retryAfterMs: 500 },
    };
  }
  const since = world.now - Date.parse(metadata.deletionTimestamp ?? '');
  if (!spec || world.route.main === undefined || !(since < patienceMs)) return letGo;
  const order = goneOrder(world, owner, spec);
  if (!order) return letGo;
  if (world.work.get(order.id)?.state === 'done') return letGo;
  return {
    ...nothingLeft,
    work: [order],
    outcome: { kind: 'waiting', on: 'the ingress to forget the routes', retryAfterMs: patienceMs - since },
  };
}
