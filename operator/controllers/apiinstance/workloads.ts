import type { RevisionSnapshot } from '../../resources/revision.ts';
import type { Expectation, Route } from '../../rollout/types.ts';
import type { NewRevision } from './desired.ts';
import type { SettingsByWorkload, World } from './world.ts';

// Revisions that differ in nothing but what PostgREST reads anew share their pods: one Deployment, Service and gate,
// under the number of the oldest of them, the workload. Whose settings it has at the moment, its settings ConfigMap
// says. Everywhere but in names, selectors and the gate's header a workload goes by the number of that revision.

/** The revision whose settings a workload has. */
export function wornBy(settings: SettingsByWorkload, workload: number): number {
  return settings.get(workload)?.revision ?? workload;
}

/** The workload of a revision; its own number where nobody knows another, or for `legacy`. */
export function workloadOf(
  { settings, revisions }: Pick<World, 'settings' | 'revisions'>,
  revision: number,
): number {
  for (const [workload, written] of settings) if (written.revision === revision) return workload;
  return revisions.find(({ number }) => number === revision)?.workload ?? revision;
}

/** Whether the workload of a revision has its settings now: only then are the pods there its own. */
export function isWorn(
  { settings }: Pick<World, 'settings'>,
  revision: RevisionSnapshot | NewRevision,
): boolean {
  return wornBy(settings, revision.workload ?? revision.number) === revision.number;
}

/**
 * Whether a revision can take over the workload that another one has now. Not while that has a share beside the main
 * route: a candidate whose settings nobody has judged must not inherit it.
 */
export function canTakeOver(
  { settings, route }: Pick<World, 'settings' | 'route'>,
  { workload }: RevisionSnapshot | NewRevision,
): boolean {
  if (workload === undefined) return false;
  const now = wornBy(settings, workload);
  const { main, canary } = route;
  return now === main || canary?.revision !== now || canary.weight === 0;
}

/** The route with workloads in the place of revisions: for names and selectors. */
export function routeOfWorkloads(route: Route, world: Pick<World, 'settings' | 'revisions'>): Route {
  const of = (revision: number | undefined): number | undefined =>
    revision === undefined ? undefined : workloadOf(world, revision);
  const { main, stable, canary } = route;
  return {
    main: of(main),
    stable: of(stable),
    canary: canary && { ...canary, revision: workloadOf(world, canary.revision) },
  };
}

/** The expectation as the gates can show it: each of them knows the number of its workload. */
export function expectationOfWorkloads(
  expectation: Expectation,
  world: Pick<World, 'settings' | 'revisions'>,
): Expectation {
  if (expectation.kind !== 'weights')
    return { ...expectation, revision: workloadOf(world, expectation.revision) };
  const { stable, candidate } = expectation;
  return { ...expectation, stable: workloadOf(world, stable), candidate: workloadOf(world, candidate) };
}
