import { describe, expect, it } from 'vitest';
import { decideTraffic } from '../rollout/traffic.ts';
import type { Canary, Expectation, Mode, TrafficDecision, TrafficWorld } from '../rollout/types.ts';

/** One state of the world, and the next move from there. */
export interface TrafficCase {
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
  readonly isSettling?: true;
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

/** The moment of every case, in milliseconds since the epoch. */
export const now = 1_000_000;
const steps = [{ weight: 10 }, { pause: { duration: '30s' } }, { weight: 50 }, { pause: {} }];
const text = (e: Expectation) =>
  e.kind === 'weights' ? `${e.stable}|${e.candidate}=${e.weight}` : `${e.kind} ${e.revision}`;

function world(c: TrafficCase): TrafficWorld {
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
    isSettling: c.isSettling ?? false,
    clearance: c.clearance ?? 'clear',
    judgement: c.judgement ?? 'passed',
    step: c.step ?? 0,
    pausedSince: c.pausedFor === undefined ? undefined : now - c.pausedFor,
    isProved: (e) => (c.seen ?? []).includes(text(e)),
  };
}

/** Runs the table: what each case expects, and what holds in all of them. */
export function describeMoves(what: string, cases: readonly TrafficCase[]): void {
  describe(what, () => {
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
}
