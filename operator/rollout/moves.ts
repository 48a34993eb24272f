import type { Canary, Stage, TrafficDecision, TrafficWorld } from './types.ts';

/** Everything stays as it is, for the reason that the stage names. */
export function hold(world: TrafficWorld, stage: Stage): TrafficDecision {
  const { route, step, pausedSince, replicas } = world;
  return { route, expects: [], stage, step, pausedSince, size: replicas };
}

/** The canary changes, and nothing else does. */
export function setCanary(world: TrafficWorld, canary: Canary): TrafficDecision {
  return { ...hold(world, 'ShiftingTraffic'), route: { ...world.route, canary } };
}

/** Pods that the target needs for a share of the traffic, in percent. */
export function sharePods({ capacity, replicas, isFast }: TrafficWorld, weight: number): number {
  if (capacity === 'Full' || isFast) return replicas;
  return Math.max(1, Math.ceil((replicas * weight) / 100));
}

/** Whether so many pods of the target (default: all that it needs in the end) are proved. */
export function isReady(world: TrafficWorld, size = world.replicas): boolean {
  return world.target.proved >= size;
}

/** What is missing while they are not. */
export function podStage(world: TrafficWorld, size = world.replicas): Stage {
  return world.target.ready < size ? 'ScalingUp' : 'ProvingPods';
}
