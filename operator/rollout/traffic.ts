import { legacy, type Canary, type Expectation, type Stage } from './types.ts';
import type { TrafficDecision, TrafficWorld } from './types.ts';
import { walkSteps } from './walkSteps.ts';
import { hold, isReady, podStage, setCanary, sharePods } from './moves.ts';

/**
 * The next move of traffic, derived from where it is: level-triggered, so that it continues from any state that a
 * crash, a person or a newer spec has left behind.
 *
 * Guarantees, whatever the world looks like:
 * - at most one of the main route, the stable Service and the canary changes in one decision, and nothing is ordered to
 *   be proved in it;
 * - a revision gets weight only when enough of its pods are proved, and becomes main only once it was seen to answer
 *   everything;
 * - the canary's backend and weight change together, and a step further only after the weight before it was proved;
 * - while main is what should serve, the way back to it is one write, and nothing holds it up.
 */
export function decideTraffic(world: TrafficWorld): TrafficDecision {
  const { main } = world.route;
  if (main === undefined) return held(world, firstRollout(world));
  if (main === world.target.number) return converge(world);
  return world.mode === 'atOnce' ? moveAtOnce(world, main) : held(world, moveInSteps(world, main));
}

/** Clients get an Ingress and a Service only once somebody is there to answer: until then 404, never 503. */
function firstRollout(world: TrafficWorld): TrafficDecision {
  const target = world.target.number;
  if (world.hasFrom) {
    return {
      ...hold(world, 'ShiftingTraffic'),
      route: { main: legacy, stable: world.route.stable, canary: undefined },
    };
  }
  if (!isReady(world)) return hold(world, podStage(world));
  const waiting = clearing(world);
  if (waiting) return hold(world, waiting);
  return { ...hold(world, 'Promoting'), route: { main: target, stable: target, canary: undefined } };
}

/** The right one is main: take the canary's share away, in the order that is safe, and prove it. */
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
  const isThere = !world.isSettling || isReady(world);
  const stage = isThere ? (world.isProved(expects) ? 'Settled' : 'ProvingTraffic') : podStage(world);
  return { ...hold(world, stage), ...done, expects: [expects] };
}

/** Abort after the switch, and rollback: all traffic in one write, to pods that are proved. */
function moveAtOnce(world: TrafficWorld, main: number): TrafficDecision {
  const { canary } = world.route;
  const target = world.target.number;
  if (!isReady(world)) {
    // A cold target is warmed first. Meanwhile a third revision, which somebody has just left, must not go on serving,
    // and a target that has lost its last pod cannot: main can.
    const isThird = canary?.revision !== target && canary?.revision !== main;
    const isLost = canary?.revision === target && world.target.ready === 0;
    if (canary && canary.weight > 0 && (isThird || isLost)) {
      return setCanary(world, { revision: canary.revision, weight: 0 });
    }
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
  if (canary?.revision !== target) {
    // A switch that somebody interrupts: everything still flows through main's own canary. Main must be seen to work.
    const expects: Expectation = { kind: 'main', revision: main };
    const isSwitching = canary?.revision === main && canary.weight > 0;
    if (isSwitching && !world.isProved(expects)) return { ...hold(world, 'Promoting'), expects: [expects] };
    return fromNothing(world);
  }
  // Ready, not proved: a new operator process has proved nothing yet, and that must not look like a loss.
  if (canary.weight > 0 && world.target.ready === 0) {
    return fromNothing({ ...world, step: 0, pausedSince: undefined });
  }
  const size = sharePods(world, canary.weight);
  // Before it gets any share, the router must be seen to reach it; one pod is enough to see that by, while others start.
  const reachable: Expectation[] = canary.weight === 0 ? [{ kind: 'canary', revision: target }] : [];
  if (!isReady(world, size)) {
    const soFar = world.target.ready > 0 ? reachable : [];
    const expects = [...soFar, weightsNow(world, main, canary)];
    return { ...hold(world, podStage(world, size)), size, expects };
  }
  if (!reachable.every((e) => world.isProved(e))) {
    return { ...hold(world, 'ProvingTraffic'), size, expects: reachable };
  }
  const waiting = canary.weight === 0 ? clearing(world) : undefined;
  if (waiting) return { ...hold(world, waiting), size, expects: reachable };
  const decision = walkSteps(world, canary, weightsNow(world, main, canary), (here) =>
    promoteOnceProved(here, main),
  );
  return decision.expects.length > 0
    ? { ...decision, expects: [...reachable, ...decision.expects] }
    : decision;
}

/**
 * Everything flows through the canary: once that is proved, the stable Service follows. Away from a service of
 * somebody else the main route follows after it, once the router was seen to know the stable Service.
 */
function promoteOnceProved(world: TrafficWorld, main: number): TrafficDecision {
  const target = world.target.number;
  const expects: Expectation = { kind: 'weights', stable: main, candidate: target, weight: 100 };
  if (!world.isProved(expects)) return { ...hold(world, 'ProvingTraffic'), expects: [expects] };
  // The invariant: the stable Service never loses its last ready endpoint (ingress-nginx would answer 503 to everything).
  if (!isReady(world)) return { ...hold(world, podStage(world)), expects: [expects] };
  const promoting = { ...hold(world, 'Promoting'), seen: expects };
  if (main !== legacy) return { ...promoting, route: { ...world.route, main: target, stable: target } };
  if (world.route.stable !== target) return { ...promoting, route: { ...world.route, stable: target } };
  const known: Expectation = { kind: 'stable', revision: target };
  if (!world.isProved(known)) return { ...promoting, expects: [expects, known] };
  return { ...promoting, route: { ...world.route, main: target } };
}

/** Somebody has said pause: what would go forward stays where it is, what goes back goes on. */
function held(world: TrafficWorld, decision: TrafficDecision): TrafficDecision {
  if (!world.isHeld) return decision;
  const { route } = world;
  const before = route.canary?.weight ?? 0;
  const after = decision.route.canary?.weight ?? 0;
  const isForward =
    after > before || decision.route.main !== route.main || decision.route.stable !== route.stable;
  const waits: readonly Stage[] = ['StepPaused', 'Analysing', 'TooFewRequests', 'AnalysisInconclusive'];
  if (!isForward) return waits.includes(decision.stage) ? { ...decision, stage: 'ManuallyPaused' } : decision;
  return { ...hold(world, 'ManuallyPaused'), size: decision.size, expects: provedSoFar(world) };
}

/** What every way forward from here relies on: were it not kept, it would be proved anew again and again. */
function provedSoFar(world: TrafficWorld): Expectation[] {
  const { main, stable, canary } = world.route;
  const target = world.target.number;
  if (main === undefined || canary?.revision !== target) return [];
  return [
    ...(canary.weight === 0 ? [{ kind: 'canary', revision: target } as const] : []),
    weightsNow(world, main, canary),
    ...(main === legacy && stable === target ? [{ kind: 'stable', revision: target } as const] : []),
  ];
}

/** What a candidate without any share still waits for; undefined: nothing. */
function clearing(world: TrafficWorld): Stage | undefined {
  const stages = {
    clear: undefined,
    probing: 'Probing',
    comparing: 'ComparingContracts',
    awaitingApproval: 'AwaitingApproval',
  } as const;
  return world.isFast ? undefined : stages[world.clearance];
}

function weightsNow(world: TrafficWorld, main: number, canary: Canary): Expectation {
  return { kind: 'weights', stable: main, candidate: world.target.number, weight: canary.weight };
}

function fromNothing(world: TrafficWorld): TrafficDecision {
  const next = setCanary(world, { revision: world.target.number, weight: 0 });
  return { ...next, size: sharePods(world, 0), stage: 'ScalingUp' };
}
