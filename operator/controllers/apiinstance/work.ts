import type { PodProofProgress } from '../../proof/podProof.ts';
import type { TrafficProofProgress } from '../../proof/trafficProof.ts';
import type { Expectation } from '../../rollout/types.ts';
import type { WorkOrder, WorkState } from '../../runtime/reconciler.ts';
import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { Owner } from '../../resources/names.ts';
import type { PodState, Work, World } from './world.ts';

/** The proof that one pod holds its release. A restart inside the pod makes it another one. */
export function podOrder(pod: PodState, publishedAt: number | undefined): WorkOrder<Work>[] {
  if (pod.ip === undefined) return [];
  return [{ id: podWorkId(pod), spec: { kind: 'pod', ip: pod.ip, createdAt: pod.createdAt, publishedAt } }];
}

/** The proof that the data plane does what is expected; none without a router. */
export function trafficOrder(
  expectation: Expectation,
  { status, router }: World,
  owner: Owner,
  spec: ApiInstanceSpec,
): WorkOrder<Work>[] {
  if (!router) return [];
  const request = router.probe(owner, spec, expectation.kind);
  const known = status.traffic;
  const previousWeight =
    expectation.kind === 'weights' && known?.revision === expectation.candidate
      ? (known.provedWeight ?? 0)
      : 0;
  return [
    {
      id: trafficWorkId(expectation, spec),
      spec: { kind: 'traffic', spec, expectation, previousWeight, request },
    },
  ];
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

/** Whether the data plane was seen to do this. */
export function isTrafficProved(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  work: World['work'],
): boolean {
  return work.get(trafficWorkId(expectation, spec))?.state === 'done';
}

/** When it was seen, in milliseconds since the epoch. */
export function trafficProvedAt(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  work: World['work'],
): number | undefined {
  const state = work.get(trafficWorkId(expectation, spec));
  return state?.state === 'done' ? state.at : undefined;
}

/** Why no place of the router can be asked, if so. */
export function unreachable(
  expectation: Expectation,
  spec: ApiInstanceSpec,
  work: World['work'],
): string | undefined {
  const progress = progressOf(work.get(trafficWorkId(expectation, spec)));
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

function trafficWorkId(expectation: Expectation, spec: ApiInstanceSpec): string {
  const what =
    expectation.kind === 'weights'
      ? `${expectation.stable} ${expectation.candidate}=${expectation.weight}`
      : expectation.revision;
  return `traffic ${spec.expose.host}${spec.expose.path} ${expectation.kind} ${what}`;
}
