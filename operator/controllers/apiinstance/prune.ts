import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { networkPolicies } from '../../resources/networkPolicy.ts';
import { names, type Owner } from '../../resources/names.ts';
import type { TrafficDecision } from '../../rollout/types.ts';
import type { ObjectRef } from '../../runtime/object.ts';
import { endingRevisions } from './usable.ts';
import { workloadOf } from './workloads.ts';
import type { World } from './world.ts';

/** Revisions beyond the rollback window, and what is left of them. */
export interface Outdated {
  readonly revisions: readonly number[];
  readonly objects: readonly ObjectRef[];
}

/**
 * The revisions that nothing refers to any more: not among the newest `revisionHistoryLimit` old ones, or ended by a
 * contraction; without traffic, without pods. Deleted as a whole, the snapshot last: as long as it exists, a crash in between is picked up again.
 */
export function outdated(
  world: World,
  owner: Owner,
  spec: ApiInstanceSpec,
  needed: readonly number[],
  traffic: TrafficDecision,
): Outdated {
  const inUse = new Set([
    ...needed,
    ...[world.route, traffic.route].flatMap(({ main, stable, canary }) => [main, stable, canary?.revision]),
  ]);
  const old = world.revisions
    .map(({ number }) => number)
    .filter((number) => !inUse.has(number))
    .sort((a, b) => b - a);
  const ending = endingRevisions(world);
  const revisions = old
    .filter((number, index) => index >= spec.rollout.revisionHistoryLimit || ending.has(number))
    .filter(
      (number) =>
        (world.deployments.get(number)?.replicas ?? 0) === 0 &&
        !world.pods.some((pod) => pod.revision === number),
    );
  // Somebody has deleted their snapshots: nobody can go back to them, and nothing else would ever take their pods away.
  const kept = new Set(world.revisions.map(({ number }) => number));
  const unkept = [...world.deployments.keys()].filter(
    (number) => traffic.stage === 'Settled' && !inUse.has(number) && !kept.has(number),
  );
  const remaining = [...inUse, ...[...kept].filter((number) => !revisions.includes(number))];
  const used = new Set(remaining.map((number) => number !== undefined && workloadOf(world, number)));
  const objects = [...revisions, ...unkept].flatMap((number) => {
    const workload = workloadOf(world, number);
    return [
      ...(used.has(workload) ? [] : workloadObjects(owner, workload, world)),
      ...(kept.has(number) ? [snapshotOf(owner, number)] : []),
    ];
  });
  return { revisions, objects: [...objects, ...unusedPolicies(world, owner, spec)] };
}

/** What revisions that share their pods have in common. */
function workloadObjects({ name, namespace }: Owner, workload: number, { settings }: World): ObjectRef[] {
  const { revision, settings: settingsName } = names(name);
  const at = { namespace, name: revision(workload) };
  return [
    { apiVersion: 'apps/v1', kind: 'Deployment', ...at },
    { apiVersion: 'v1', kind: 'Service', ...at },
    { apiVersion: 'v1', kind: 'ConfigMap', ...at },
    ...(settings.has(workload)
      ? [{ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: settingsName(workload) }]
      : []),
  ];
}

function snapshotOf({ name, namespace }: Owner, number: number): ObjectRef {
  return { apiVersion: 'apps/v1', kind: 'ControllerRevision', namespace, name: names(name).revision(number) };
}

/** The network policies of an instance whose spec has none any more, or no pooler. */
function unusedPolicies(world: World, owner: Owner, spec: ApiInstanceSpec): ObjectRef[] {
  const wanted = new Set(networkPolicies(owner, spec, world.callers).map(({ metadata }) => metadata.name));
  return world.policies.filter(({ name }) => !wanted.has(name));
}
