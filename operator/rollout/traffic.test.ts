import { describe, expect, it } from 'vitest';
import { decideTraffic } from './traffic.ts';
import type { Canary, Expectation, Mode, TrafficDecision, TrafficWorld } from './types.ts';

interface Case {
  readonly name: string;
  readonly main: number | undefined;
  readonly canary?: Canary;
  readonly target: number;
  readonly mode?: Mode;
  /** Ready and proved pods of the target; default all. */
  readonly ready?: number;
  readonly proved?: number;
  /** What the stable Service selects; default: as main. */
  readonly stable?: number | undefined;
  readonly hasFrom?: true;
  readonly capacity?: 'ByWeight';
  readonly isHeld?: true;
  readonly isFast?: true;
  readonly clearance?: TrafficWorld['clearance'];
  readonly judgement?: TrafficWorld['judgement'];
  readonly step?: number;
  readonly pausedFor?: number;
  /** What the data plane was seen to do. */
  readonly seen?: readonly string[];
  readonly expects: Partial<TrafficDecision> & {
    main?: number | undefined;
    canary?: Canary | undefined;
    stable?: number;
  };
}

const now = 1_000_000;
const steps = [{ weight: 10 }, { pause: { duration: '30s' } }, { weight: 50 }, { pause: {} }];
const text = (e: Expectation) =>
  e.kind === 'weights' ? `${e.stable}|${e.candidate}=${e.weight}` : `${e.kind} ${e.revision}`;

function world(c: Case): TrafficWorld {
  const ready = c.ready ?? 2;
  return {
    now,
    route: { main: c.main, stable: 'stable' in c ? c.stable : c.main, canary: c.canary },
    hasFrom: c.hasFrom ?? false,
    target: {
      number: c.target,
      hash: 'h',
      release: '00000000',
      replicas: 2,
      pods: 2,
      ready,
      proved: c.proved ?? ready,
    },
    mode: c.mode ?? 'stepwise',
    steps,
    replicas: 2,
    capacity: c.capacity ?? 'Full',
    isHeld: c.isHeld ?? false,
    isFast: c.isFast ?? false,
    clearance: c.clearance ?? 'clear',
    judgement: c.judgement ?? 'passed',
    step: c.step ?? 0,
    pausedSince: c.pausedFor === undefined ? undefined : now - c.pausedFor,
    isProved: (e) => (c.seen ?? []).includes(text(e)),
  };
}

const cases: Case[] = [
  {
    name: 'the first revision gets no route before its pods are ready: clients see 404, never 503',
    main: undefined,
    target: 1,
    ready: 1,
    expects: { stage: 'ScalingUp', main: undefined },
  },
  {
    name: 'the first revision gets no route before its pods are proved',
    main: undefined,
    target: 1,
    proved: 1,
    expects: { stage: 'ProvingPods', main: undefined },
  },
  {
    name: 'the first revision gets the main route once all its pods are proved',
    main: undefined,
    target: 1,
    expects: { stage: 'Promoting', main: 1, canary: undefined, expects: [] },
  },
  {
    name: 'the first rollout is over when the ingress was seen to serve it',
    main: 1,
    target: 1,
    seen: ['1|1=0'],
    expects: { stage: 'Settled', main: 1 },
  },
  {
    name: 'a candidate starts with weight 0 while its pods are still coming up',
    main: 1,
    target: 2,
    ready: 0,
    expects: { main: 1, canary: { revision: 2, weight: 0 }, stage: 'ScalingUp' },
  },
  {
    name: 'a candidate that replaces another one takes its share away in the same write',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 3,
    expects: { canary: { revision: 3, weight: 0 }, step: 0, expects: [] },
  },
  {
    name: 'a canary that somebody deleted comes back with nothing, and the rollout goes on at its step',
    main: 1,
    target: 2,
    step: 3,
    expects: { canary: { revision: 2, weight: 0 }, step: 3 },
  },
  {
    name: 'a candidate gets no share before the ingress was seen to reach it',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    expects: { canary: { revision: 2, weight: 0 }, expects: [{ kind: 'canary', revision: 2 }] },
  },
  {
    name: 'a candidate that the ingress reaches gets the first weight',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    seen: ['canary 2'],
    expects: { canary: { revision: 2, weight: 10 }, expects: [], step: 0 },
  },
  {
    name: 'a step is not left before its weight was proved',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    expects: { canary: { revision: 2, weight: 10 }, step: 0, stage: 'ProvingTraffic' },
  },
  {
    name: 'a pause begins when the weight before it was proved',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    seen: ['1|2=10'],
    expects: { step: 1, stage: 'StepPaused', pausedSince: now, wakeAfterMs: 30_000 },
  },
  {
    name: 'a pause that has lasted long enough leads to the next weight',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    pausedFor: 30_000,
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 50 }, step: 2, pausedSince: undefined },
  },
  {
    name: 'a pause without duration lasts until somebody promotes',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    step: 3,
    pausedFor: 3_600_000,
    seen: ['1|2=50'],
    expects: { step: 3, stage: 'StepPaused', canary: { revision: 2, weight: 50 } },
  },
  {
    name: 'a weight that somebody changed by hand is put back and proved again before time counts',
    main: 1,
    canary: { revision: 2, weight: 80 },
    target: 2,
    step: 1,
    pausedFor: 30_000,
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 10 }, step: 1, pausedSince: undefined, expects: [] },
  },
  {
    name: 'a rollout holds while a pod of the candidate is missing',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    ready: 1,
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 10 }, stage: 'ScalingUp', step: 0 },
  },
  {
    name: 'a candidate that has lost all its pods loses its share and starts anew',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    step: 3,
    ready: 0,
    expects: { canary: { revision: 2, weight: 0 }, step: 0 },
  },
  {
    name: 'an operator that has just started and proved nothing yet takes no share away',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    step: 3,
    proved: 0,
    seen: ['1|2=50'],
    expects: { canary: { revision: 2, weight: 50 }, step: 3, stage: 'ProvingPods' },
  },
  {
    name: 'after the last step everything goes to the candidate',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    step: 4,
    expects: { canary: { revision: 2, weight: 100 }, main: 1 },
  },
  {
    name: 'the stable Service stays where it is until 100 % was proved',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    step: 4,
    expects: { main: 1, stage: 'ProvingTraffic' },
  },
  {
    name: 'the stable Service follows once 100 % was proved',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    step: 4,
    seen: ['1|2=100'],
    expects: {
      main: 2,
      canary: { revision: 2, weight: 100 },
      stage: 'Promoting',
      expects: [],
      seen: { kind: 'weights', stable: 1, candidate: 2, weight: 100 },
    },
  },
  {
    name: 'the canary keeps everything until the main route was seen to serve the promoted revision',
    main: 2,
    canary: { revision: 2, weight: 100 },
    target: 2,
    expects: { canary: { revision: 2, weight: 100 }, expects: [{ kind: 'main', revision: 2 }] },
  },
  {
    name: 'the canary gives everything back once the main route was seen to serve the promoted revision',
    main: 2,
    canary: { revision: 2, weight: 100 },
    target: 2,
    seen: ['main 2'],
    expects: { canary: { revision: 2, weight: 0 } },
  },
  {
    name: 'a promotion is over when the ingress was seen to serve it without the canary',
    main: 2,
    canary: { revision: 2, weight: 0 },
    target: 2,
    seen: ['2|2=0'],
    expects: { stage: 'Settled' },
  },
  {
    name: 'an abort before the switch takes the share away in one write and keeps the backend',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 1,
    mode: 'atOnce',
    expects: { canary: { revision: 2, weight: 0 }, main: 1 },
  },
  {
    name: 'an abort does not wait for pods: stable has all of them',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 1,
    mode: 'atOnce',
    ready: 1,
    expects: { canary: { revision: 2, weight: 0 } },
  },
  {
    name: 'an abort after the switch sends everything to the old revision in one write',
    main: 2,
    canary: { revision: 2, weight: 100 },
    target: 1,
    mode: 'atOnce',
    expects: { canary: { revision: 1, weight: 100 }, main: 2 },
  },
  {
    name: 'a rollback sends everything to the target in one write once its pods are proved',
    main: 2,
    canary: { revision: 2, weight: 0 },
    target: 1,
    mode: 'atOnce',
    expects: { canary: { revision: 1, weight: 100 }, main: 2 },
  },
  {
    name: 'a cold target is warmed before a rollback moves anything',
    main: 2,
    canary: { revision: 2, weight: 0 },
    target: 1,
    mode: 'atOnce',
    ready: 0,
    expects: { canary: { revision: 2, weight: 0 }, main: 2, stage: 'ScalingUp' },
  },
  {
    name: 'while a cold target is warmed, a candidate that was left does not go on serving',
    main: 2,
    canary: { revision: 3, weight: 50 },
    target: 1,
    mode: 'atOnce',
    ready: 0,
    expects: { canary: { revision: 3, weight: 0 }, main: 2 },
  },
  {
    name: 'the stable Service follows a rollback once 100 % was proved',
    main: 2,
    canary: { revision: 1, weight: 100 },
    target: 1,
    mode: 'atOnce',
    seen: ['2|1=100'],
    expects: { main: 1, canary: { revision: 1, weight: 100 } },
  },
  {
    name: 'a share waits for the probes of the candidate',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    seen: ['canary 2'],
    clearance: 'probing',
    expects: { canary: { revision: 2, weight: 0 }, stage: 'Probing' },
  },
  {
    name: 'a share waits for an approval of what breaks',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    seen: ['canary 2'],
    clearance: 'awaitingApproval',
    expects: { canary: { revision: 2, weight: 0 }, stage: 'AwaitingApproval' },
  },
  {
    name: 'what was cleared once is not asked again while it has a share',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    clearance: 'probing',
    seen: ['1|2=10'],
    expects: { step: 1, stage: 'StepPaused' },
  },
  {
    name: 'the first revision waits for its probes',
    main: undefined,
    target: 1,
    clearance: 'probing',
    expects: { main: undefined, stage: 'Probing' },
  },
  {
    name: 'a weight is not left while the candidate is being judged, and the pause that is over stays so',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    pausedFor: 30_000,
    judgement: 'running',
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 10 }, stage: 'Analysing', step: 1, pausedSince: now - 30_000 },
  },
  {
    name: 'a pause goes on although the candidate is not judged yet',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    pausedFor: 10_000,
    judgement: 'tooFewRequests',
    seen: ['1|2=10'],
    expects: { stage: 'StepPaused', wakeAfterMs: 20_000 },
  },
  {
    name: 'too few requests hold the weight',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    pausedFor: 30_000,
    judgement: 'tooFewRequests',
    seen: ['1|2=10'],
    expects: { stage: 'TooFewRequests', canary: { revision: 2, weight: 10 } },
  },
  {
    name: 'a step that somebody promoted is not judged',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 2,
    judgement: 'tooFewRequests',
    expects: { canary: { revision: 2, weight: 50 }, step: 2 },
  },
  {
    name: 'everything is judged once more before the promotion',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    step: 4,
    judgement: 'running',
    seen: ['1|2=100'],
    expects: { main: 1, stage: 'Analysing', step: 4 },
  },
  {
    name: 'somebody has waived the last judgement',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    step: 5,
    judgement: 'inconclusive',
    seen: ['1|2=100'],
    expects: { main: 2, stage: 'Promoting' },
  },
  {
    name: 'promote-full goes to 100 past steps, pauses and checks',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    isFast: true,
    judgement: 'tooFewRequests',
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 100 }, main: 1 },
  },
  {
    name: 'promote-full needs the proof of 100 % all the same',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    isFast: true,
    judgement: 'inconclusive',
    expects: { main: 1, stage: 'ProvingTraffic' },
  },
  {
    name: 'a manual pause keeps the next weight away',
    main: 1,
    canary: { revision: 2, weight: 10 },
    target: 2,
    step: 1,
    pausedFor: 30_000,
    isHeld: true,
    seen: ['1|2=10'],
    expects: { canary: { revision: 2, weight: 10 }, stage: 'ManuallyPaused', step: 1 },
  },
  {
    name: 'a manual pause keeps the promotion away',
    main: 1,
    canary: { revision: 2, weight: 100 },
    target: 2,
    step: 4,
    isHeld: true,
    seen: ['1|2=100'],
    expects: { main: 1, stage: 'ManuallyPaused' },
  },
  {
    name: 'a manual pause before the first share keeps what was proved, and does not prove it again and again',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    isHeld: true,
    seen: ['canary 2', '1|2=0'],
    expects: {
      canary: { revision: 2, weight: 0 },
      stage: 'ManuallyPaused',
      expects: [
        { kind: 'canary', revision: 2 },
        { kind: 'weights', stable: 1, candidate: 2, weight: 0 },
      ],
    },
  },
  {
    name: 'a manual pause holds no way back',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 1,
    mode: 'atOnce',
    isHeld: true,
    expects: { canary: { revision: 2, weight: 0 } },
  },
  {
    name: 'a manual pause does not keep a candidate that has lost its pods in the traffic',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    step: 3,
    ready: 0,
    isHeld: true,
    expects: { canary: { revision: 2, weight: 0 } },
  },
  {
    name: 'a candidate sized by its share starts with one pod',
    main: 1,
    canary: { revision: 2, weight: 0 },
    target: 2,
    ready: 1,
    capacity: 'ByWeight',
    seen: ['canary 2'],
    expects: { canary: { revision: 2, weight: 10 }, size: 1 },
  },
  {
    name: 'a candidate sized by its share gets its pods before the weight that needs them',
    main: 1,
    canary: { revision: 2, weight: 50 },
    target: 2,
    ready: 1,
    step: 4,
    capacity: 'ByWeight',
    seen: ['1|2=50'],
    expects: { canary: { revision: 2, weight: 50 }, stage: 'ScalingUp', size: 2 },
  },
  {
    name: 'away from another service: it has the main route before any pod is there',
    main: undefined,
    hasFrom: true,
    target: 1,
    ready: 0,
    expects: { main: 0, stage: 'ShiftingTraffic' },
  },
  {
    name: 'away from another service: the first share',
    main: 0,
    stable: undefined,
    hasFrom: true,
    canary: { revision: 1, weight: 0 },
    target: 1,
    seen: ['canary 1'],
    expects: { canary: { revision: 1, weight: 10 }, main: 0 },
  },
  {
    name: 'away from another service: the stable Service comes first',
    main: 0,
    stable: undefined,
    hasFrom: true,
    canary: { revision: 1, weight: 100 },
    target: 1,
    step: 4,
    seen: ['0|1=100'],
    expects: { main: 0, stable: 1 },
  },
  {
    name: 'away from another service: the router must know the stable Service before the main route leads there',
    main: 0,
    stable: 1,
    hasFrom: true,
    canary: { revision: 1, weight: 100 },
    target: 1,
    step: 4,
    seen: ['0|1=100'],
    expects: {
      main: 0,
      stage: 'Promoting',
      expects: [
        { kind: 'weights', stable: 0, candidate: 1, weight: 100 },
        { kind: 'stable', revision: 1 },
      ],
    },
  },
  {
    name: 'away from another service: then the main route follows',
    main: 0,
    stable: 1,
    hasFrom: true,
    canary: { revision: 1, weight: 100 },
    target: 1,
    step: 4,
    seen: ['0|1=100', 'stable 1'],
    expects: { main: 1, stable: 1 },
  },
  {
    name: 'back to another service in one write',
    main: 0,
    stable: undefined,
    hasFrom: true,
    canary: { revision: 1, weight: 50 },
    target: 0,
    mode: 'atOnce',
    expects: { canary: { revision: 1, weight: 0 }, main: 0 },
  },
];

describe('the next move of traffic', () => {
  it.each(cases)('$name', (c) => {
    const decision = decideTraffic(world(c));
    const { main, canary, stable, ...rest } = c.expects;
    expect(decision).toMatchObject(rest);
    if ('main' in c.expects) expect(decision.route.main).toBe(main);
    if (stable !== undefined) expect(decision.route.stable).toBe(stable);
    if ('canary' in c.expects) expect(decision.route.canary).toEqual(canary);
  });

  it.each(cases)('changes at most one of main and canary, and proves nothing meanwhile: $name', (c) => {
    const decision = decideTraffic(world(c));
    const moves =
      Number(
        decision.route.main !== c.main || decision.route.stable !== ('stable' in c ? c.stable : c.main),
      ) + Number(JSON.stringify(decision.route.canary) !== JSON.stringify(c.canary));
    expect(moves).toBeLessThanOrEqual(1);
    if (moves > 0) expect(decision.expects).toEqual([]);
  });
});
