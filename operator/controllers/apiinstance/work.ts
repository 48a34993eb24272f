import type { PodProofProgress } from '../../proof/podProof.ts';
import type { TrafficProofProgress } from '../../proof/trafficProof.ts';
import type { Expectation } from '../../rollout/types.ts';
import type { Priority } from '../../runtime/queue.ts';
import type { WorkOrder, WorkState } from '../../runtime/reconciler.ts';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { Owner } from '../../resources/names.ts';
import { expectationOfWorkloads } from './workloads.ts';
import type { PodState, Work, World } from './world.ts';

/** Where nothing is under way nobody waits for a proof: after a restart a thousand of them end within seconds. */
export function priorityIn(world: World): Priority {
  return wasSettled(world) ? 'resync' : 'changed';
}

/** The proof that the data plane does what is expected; none without a router. */
export function trafficOrder(
  expected: Expectation,
  world: World,
  owner: Owner,
  spec: ApiInstanceSpec,
): WorkOrder<Work>[] {
  const { status, router } = world;
  if (!router) return [];
  const expectation = expectationOfWorkloads(expected, world);
  const request = router.probe(owner, spec, expectation.kind);
  const known = status.traffic;
  const previousWeight =
    expected.kind === 'weights' && known?.revision === expected.candidate ? (known.provedWeight ?? 0) : 0;
  return [
    {
      id: trafficWorkId(expected, spec, world),
      priority: priorityIn(world),
      spec: {
        kind: 'traffic',
        spec,
        expectation,
        previousWeight,
        isStanding: stands(expected, world),
        request,
      },
    },
  ];
}

/** Whether status says, of the spec as it is now, that nothing is under way. */
export function wasSettled({ status, metadata }: Pick<World, 'status' | 'metadata'>): boolean {
  return isCondition(status, 'Progressing', 'False', metadata.generation);
}

/** Whether an earlier life of the operator has proved this, and nothing has been written since. */
function stands(expectation: Expectation, { status, metadata }: World): boolean {
  const { stable, traffic } = status;
  return (
    expectation.kind === 'weights' &&
    expectation.weight === 0 &&
    stable?.revision === expectation.stable &&
    traffic?.revision === expectation.candidate &&
    traffic.weight === 0 &&
    wasSettled({ status, metadata }) &&
    isCondition(status, 'TrafficProved', 'True', metadata.generation)
  );
}

function isCondition(
  { conditions = [] }: World['status'],
  type: string,
  value: string,
  generation: number | undefined,
): boolean {
  return conditions.some((c) => c.type === type && c.status === value && c.observedGeneration === generation);
}

/** The proof that clients no longer reach any gate of a deleted instance; none without a router. */
export function goneOrder(
  { router }: World,
  owner: Owner,
  spec: ApiInstanceSpec,
): WorkOrder<Work> | undefined {
  if (!router) return undefined;
  return {
    id: `gone ${spec.expose.host}${spec.expose.path}`,
    spec: { kind: 'gone', spec, request: router.probe(owner, spec, 'weights') },
  };
}

/** Whether this pod was seen to hold its release, and its settings where it did not start with them. */
export function isPodProved(pod: PodState, world: Pick<World, 'work' | 'settings'>): boolean {
  return world.work.get(podWorkId(pod, world))?.state === 'done';
}

/** The version of PostgREST that runs in a pod, as it said when it was proved; undefined: it was not, or did not say. */
export function podVersion(pod: PodState, world: Pick<World, 'work' | 'settings'>): string | undefined {
  const state = world.work.get(podWorkId(pod, world));
  return state?.state === 'done' && 'by' in state.result ? state.result.version : undefined;
}

/** What is known of the router's places, of the work that asks them, and of who runs where. */
type Proofs = Pick<World, 'work' | 'places' | 'settings' | 'revisions'>;

/** Whether the data plane was seen to do this, or nobody could ask it for longer than it needs. */
export function isTrafficProved(expectation: Expectation, spec: ApiInstanceSpec, proofs: Proofs): boolean {
  return proofs.work.get(trafficWorkId(expectation, spec, proofs))?.state === 'done';
}

/** Why it is only taken for done; undefined: it was seen, or is not done. */
export function assumedBecause(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  proofs: Proofs,
): string | undefined {
  const state = proofs.work.get(trafficWorkId(expectation, spec, proofs));
  return state?.state === 'done' && 'assumed' in state.result ? state.result.assumed : undefined;
}

/** When it was seen, in milliseconds since the epoch. */
export function trafficProvedAt(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  proofs: Proofs,
): number | undefined {
  const state = proofs.work.get(trafficWorkId(expectation, spec, proofs));
  return state?.state === 'done' ? state.at : undefined;
}

/** Why no place of the router can be asked, if so. */
export function unreachable(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  proofs: Proofs,
): string | undefined {
  const progress = progressOf(proofs.work.get(trafficWorkId(expectation, spec, proofs)));
  return (progress as TrafficProofProgress | undefined)?.unreachable;
}

/** What a pod that is not proved answered last, and whether it has to be told to reload. */
export function podProgress(
  pod: PodState,
  world: Pick<World, 'work' | 'settings'>,
): PodProofProgress | undefined {
  return progressOf(world.work.get(podWorkId(pod, world))) as PodProofProgress | undefined;
}

function progressOf(state: WorkState | undefined): unknown {
  return state?.state === 'running' ? state.progress : undefined;
}

/** Other settings make it another proof. */
export function podWorkId(pod: PodState, { settings }: Pick<World, 'settings'>): string {
  const written = settings.get(pod.workload);
  return `pod ${pod.uid} ${pod.restarts} ${written?.token ?? ''}`.trim();
}

/** Other places of the router make it another proof: a replica that has just come has been asked nothing. */
function trafficWorkId(
  expected: Expectation,
  spec: ApiInstanceSpec,
  world: Pick<World, 'places' | 'settings' | 'revisions'>,
): string {
  const { places } = world;
  const expectation = expectationOfWorkloads(expected, world);
  const what =
    expectation.kind === 'weights'
      ? `${expectation.stable} ${expectation.candidate}=${expectation.weight}`
      : expectation.revision;
  return `traffic ${spec.expose.host}${spec.expose.path} ${expectation.kind} ${what} at ${places}`;
}
