import { durationMs } from '../api/v1alpha1/shared.ts';
import type { Canary, Expectation, Stage, TrafficDecision, TrafficWorld } from './types.ts';

/**
 * The next move of traffic, derived from where it is: level-triggered, so that it continues from any state that a
 * crash, a person or a newer spec has left behind.
 *
 * Guarantees, whatever the world looks like:
 * - at most one of the stable Service and the canary changes in one decision, and nothing is ordered to be proved in it;
 * - a revision gets weight only when all its pods are proved, and becomes main only once it was seen to answer everything;
 * - the canary's backend and weight change together, and a step further only after the weight before it was proved;
 * - while main is what should serve, the way back to it is one write.
 */
export function decideTraffic(world: TrafficWorld): TrafficDecision {
  const { main } = world.route;
  if (main === undefined) return firstRollout(world);
  if (main === world.target.number) return converge(world);
  return world.mode === 'atOnce' ? moveAtOnce(world, main) : moveInSteps(world, main);
}

/** Clients get an Ingress and a Service only once somebody is there to answer: until then 404, never 503. */
function firstRollout(world: TrafficWorld): TrafficDecision {
  if (!isReady(world)) return hold(world, podStage(world));
  return { ...hold(world, 'Promoting'), route: { main: world.target.number, canary: undefined } };
}

/** The right revision is main: take the canary's share away, in the order that is safe, and prove it. */
function converge(world: TrafficWorld): TrafficDecision {
  const { canary } = world.route;
  const target = world.target.number;
  const done = { step: world.steps.length, pausedSince: undefined };
  if (canary && canary.weight > 0) {
    if (canary.revision === target) {
      // The end of a promotion: everything still flows through the canary. Main must be seen to work before it is used.
      const expects: Expectation = { kind: 'main', revision: target };
      if (!world.isProved(expects)) return { ...hold(world, 'Promoting'), ...done, expects: [expects] };
    }
    return { ...setCanary(world, { revision: canary.revision, weight: 0 }), ...done };
  }
  const expects: Expectation = {
    kind: 'weights',
    stable: target,
    candidate: canary?.revision ?? target,
    weight: 0,
  };
  return {
    ...hold(world, world.isProved(expects) ? 'Settled' : 'ProvingTraffic'),
    ...done,
    expects: [expects],
  };
}

/** Abort after the switch, and rollback: all traffic in one write, to pods that are proved. */
function moveAtOnce(world: TrafficWorld, main: number): TrafficDecision {
  const { canary } = world.route;
  const target = world.target.number;
  if (!isReady(world)) {
    // A cold target is warmed first. Meanwhile a third revision, which somebody has just left, must not go on serving.
    const third = canary && canary.weight > 0 && canary.revision !== target && canary.revision !== main;
    if (third) return setCanary(world, { revision: canary.revision, weight: 0 });
    return hold(world, podStage(world));
  }
  if (canary?.revision !== target || canary.weight !== 100) {
    return setCanary(world, { revision: target, weight: 100 });
  }
  return promoteOnceProved(world, main);
}

function moveInSteps(world: TrafficWorld, main: number): TrafficDecision {
  const { canary } = world.route;
  const target = world.target.number;
  // Another candidate before (superseded), or none: the new one starts from nothing, and main has everything meanwhile.
  if (canary?.revision !== target) return fromNothing(world);
  // Ready, not proved: a new operator process has proved nothing yet, and that must not look like a loss.
  if (canary.weight > 0 && world.target.ready === 0) {
    return fromNothing({ ...world, step: 0, pausedSince: undefined });
  }
  if (!isReady(world)) return { ...hold(world, podStage(world)), expects: [weightsNow(world, main, canary)] };
  // Before it gets any share, the router must be seen to reach it.
  const reachable: Expectation[] = canary.weight === 0 ? [{ kind: 'canary', revision: target }] : [];
  if (!reachable.every((e) => world.isProved(e))) {
    return { ...hold(world, 'ProvingTraffic'), expects: reachable };
  }
  const decision = walkSteps(world, main, canary);
  return decision.expects.length > 0
    ? { ...decision, expects: [...reachable, ...decision.expects] }
    : decision;
}

function walkSteps(world: TrafficWorld, main: number, canary: Canary): TrafficDecision {
  let { step, pausedSince } = world;
  let seen: { seen?: Expectation } = {};
  for (;;) {
    const current = world.steps[step];
    const here: TrafficWorld = { ...world, step, pausedSince };
    const weight = current ? weightAt(world, step) : 100;
    if (canary.weight !== weight) {
      // A pause that is still ahead of its weight (a hand edit, a promoted step) starts when the weight is proved.
      const next = { revision: canary.revision, weight };
      return { ...setCanary({ ...here, pausedSince: undefined }, next), ...seen };
    }
    if (!current) return promoteOnceProved(here, main);
    const weights = weightsNow(world, main, canary);
    const expects = [weights];
    if (!world.isProved(weights)) return { ...hold(here, 'ProvingTraffic'), expects };
    if (current.pause) {
      pausedSince ??= world.now;
      const { duration } = current.pause;
      const left = duration === undefined ? undefined : pausedSince + durationMs(duration) - world.now;
      if (left === undefined) return { ...hold({ ...here, pausedSince }, 'StepPaused'), expects };
      if (left > 0) {
        return { ...hold({ ...here, pausedSince }, 'StepPaused'), expects, wakeAfterMs: left };
      }
    }
    pausedSince = undefined;
    seen = { seen: weights };
    step += 1;
  }
}

/** Everything flows through the canary: once that is proved, the stable Service follows. */
function promoteOnceProved(world: TrafficWorld, main: number): TrafficDecision {
  const target = world.target.number;
  const expects: Expectation = { kind: 'weights', stable: main, candidate: target, weight: 100 };
  if (!world.isProved(expects)) return { ...hold(world, 'ProvingTraffic'), expects: [expects] };
  // The invariant: the stable Service never loses its last ready endpoint (ingress-nginx would answer 503 to everything).
  if (!isReady(world)) return { ...hold(world, podStage(world)), expects: [expects] };
  return { ...hold(world, 'Promoting'), route: { ...world.route, main: target }, seen: expects };
}

/** The weight that holds at a step: the last one named up to it. */
function weightAt(world: TrafficWorld, step: number): number {
  return world.steps.slice(0, step + 1).findLast((s) => s.weight !== undefined)?.weight ?? 0;
}

function weightsNow(world: TrafficWorld, main: number, canary: Canary): Expectation {
  return { kind: 'weights', stable: main, candidate: world.target.number, weight: canary.weight };
}

function isReady(world: TrafficWorld): boolean {
  return world.target.proved >= world.replicas;
}

function podStage(world: TrafficWorld): Stage {
  return world.target.ready < world.replicas ? 'ScalingUp' : 'ProvingPods';
}

function fromNothing(world: TrafficWorld): TrafficDecision {
  return { ...setCanary(world, { revision: world.target.number, weight: 0 }), stage: 'ScalingUp' };
}

function setCanary(world: TrafficWorld, canary: Canary): TrafficDecision {
  return { ...hold(world, 'ShiftingTraffic'), route: { ...world.route, canary } };
}

function hold(world: TrafficWorld, stage: Stage): TrafficDecision {
  return {
    route: world.route,
    expects: [],
    stage,
    step: world.step,
    pausedSince: world.pausedSince,
  };
}
