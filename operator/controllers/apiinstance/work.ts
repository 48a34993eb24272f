import type { PodProofProgress } from '../../proof/podProof.ts';
import type { TrafficProofProgress } from '../../proof/trafficProof.ts';
import type { Expectation } from '../../rollout/types.ts';
import type { Priority } from '../../runtime/queue.ts';
import type { WorkOrder, WorkState } from '../../runtime/reconciler.ts';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { Owner } from '../../resources/names.ts';
import type { PodState, Work, World } from './world.ts';

/** The proof that one pod holds its release. A restart inside the pod makes it another one. */
export function podOrder(pod: PodState, publishedAt: number | undefined, world: World): WorkOrder<Work>[] {
  if (pod.ip === undefined) return [];
  const spec = { kind: 'pod', ip: pod.ip, createdAt: pod.createdAt, publishedAt } as const;
  return [{ id: podWorkId(pod), spec, priority: priorityIn(world) }];
}

/** Where nothing is under way nobody waits for a proof: after a restart a thousand of them end within seconds. */
function priorityIn(world: World): Priority {
  return wasSettled(world) ? 'resync' : 'changed';
}

/** The proof that the data plane does what is expected; none without a router. */
export function trafficOrder(
  expectation: Expectation,
  world: World,
  owner: Owner,
  spec: ApiInstanceSpec,
): WorkOrder<Work>[] {
  const { status, router } = world;
  if (!router) return [];
  const request = router.probe(owner, spec, expectation.kind);
  const known = status.traffic;
  const previousWeight =
    expectation.kind === 'weights' && known?.revision === expectation.candidate
      ? (known.provedWeight ?? 0)
      : 0;
  return [
    {
      id: trafficWorkId(expectation, spec, world),
      priority: priorityIn(world),
      spec: {
        kind: 'traffic',
        spec,
        expectation,
        previousWeight,
        isStanding: stands(expectation, world),
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

/** Whether this pod was seen to hold its release. */
export function isPodProved(pod: PodState, work: World['work']): boolean {
  return work.get(podWorkId(pod))?.state === 'done';
}

/** What is known of the router's places, and of the work that asks them. */
type Proofs = Pick<World, 'work' | 'places'>;

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

/** What a pod that is not proved answered last. */
export function podWaitsFor(pod: PodState, work: World['work']): string | undefined {
  const progress = progressOf(work.get(podWorkId(pod)));
  return (progress as PodProofProgress | undefined)?.waitingFor;
}

function progressOf(state: WorkState | undefined): unknown {
  return state?.state === 'running' ? state.progress : undefined;
}

function podWorkId(pod: PodState): string {
  return `pod ${pod.uid} ${pod.restarts}`;
}

/** Other places of the router make it another proof: a replica that has just come has been asked nothing. */
function trafficWorkId(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  { places }: Pick<World, 'places'>,
): string {
  const what =
    expectation.kind === 'weights'
      ? `${expectation.stable} ${expectation.candidate}=${expectation.weight}`
      : expectation.revision;
  return `traffic ${spec.expose.host}${spec.expose.path} ${expectation.kind} ${what} at ${places}`;
}
