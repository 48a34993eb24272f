import type { Step } from '../api/v1alpha1/apiInstanceRollout.ts';
import { durationMs } from '../api/v1alpha1/shared.ts';
import { hold, isReady, podStage, setCanary, sharePods } from './moves.ts';
import type { Canary, Expectation, Judgement, Stage, TrafficDecision, TrafficWorld } from './types.ts';

/**
 * Walks the steps of a rollout from the one that status remembers to the first that holds it. A step is left once its
 * weight was proved (`weights`), its pause is over and, where the weight then changes, the candidate was judged. A
 * remembered step beyond all of them means that somebody has waived the last judgement too.
 * `promote`: what comes after the last step.
 */
export function walkSteps(
  world: TrafficWorld,
  canary: Canary,
  weights: Expectation,
  promote: (world: TrafficWorld) => TrafficDecision,
): TrafficDecision {
  const steps = world.isFast ? [] : world.steps;
  let here: TrafficWorld = world.isFast ? { ...world, step: 0, pausedSince: undefined } : world;
  let before = here;
  for (;;) {
    const { step } = here;
    const current = steps[step];
    const weight = current ? weightAt(steps, step) : 100;
    const seen = here === before ? {} : { seen: weights };
    if (canary.weight !== weight) {
      // Arrived by itself; where somebody has said promote, the step was there before, and nothing is judged.
      const waiting = here === before ? undefined : unjudged(world, canary);
      if (waiting)
        return { ...hold(before, waiting), size: sharePods(world, canary.weight), expects: [weights] };
      const size = sharePods(world, weight);
      if (!isReady(world, size)) return { ...hold(before, podStage(world, size)), size, expects: [weights] };
      // A pause that is still ahead of its weight (a hand edit, a promoted step) starts when the weight is proved.
      const next = setCanary({ ...here, pausedSince: undefined }, { revision: canary.revision, weight });
      return { ...next, ...seen, size };
    }
    const size = sharePods(world, canary.weight);
    if (!world.isProved(weights)) return { ...hold(here, 'ProvingTraffic'), size, expects: [weights] };
    if (!current) {
      const waiting = step > steps.length ? undefined : unjudged(world, canary);
      return waiting ? { ...hold(here, waiting), expects: [weights] } : { ...promote(here), ...seen };
    }
    if (current.pause) {
      const pausedSince = here.pausedSince ?? world.now;
      const { duration } = current.pause;
      const left = duration === undefined ? undefined : pausedSince + durationMs(duration) - world.now;
      const paused = { ...hold({ ...here, pausedSince }, 'StepPaused'), size, expects: [weights] };
      if (left === undefined) return paused;
      if (left > 0) return { ...paused, wakeAfterMs: left };
      before = { ...here, pausedSince };
    } else {
      before = here;
    }
    here = { ...here, step: step + 1, pausedSince: undefined };
  }
}

/** What keeps a candidate at its share because it is not judged yet; undefined: nothing. */
function unjudged({ judgement, isFast }: TrafficWorld, canary: Canary): Stage | undefined {
  if (canary.weight === 0 || isFast) return undefined;
  const stages: Record<Judgement, Stage | undefined> = {
    passed: undefined,
    running: 'Analysing',
    tooFewRequests: 'TooFewRequests',
    inconclusive: 'AnalysisInconclusive',
  };
  return stages[judgement];
}

/** The weight that holds at a step: the last one named up to it. */
function weightAt(steps: readonly Step[], step: number): number {
  return steps.slice(0, step + 1).findLast((s) => s.weight !== undefined)?.weight ?? 0;
}
