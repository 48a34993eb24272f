import fc from 'fast-check';
import type { AnalysisFailure, AnalysisProgress } from '../proof/analysis.ts';
import type { Lag } from './simulatedDataPlane.ts';

/** Something that a person, a cluster or a network does. A revision is counted back from the newest one that is kept. */
export type Command =
  | { readonly does: 'publish' }
  | { readonly does: 'editSpec'; readonly spec: object }
  | { readonly does: 'editRollout'; readonly rollout: object }
  | { readonly does: 'action'; readonly verb: string }
  | { readonly does: 'rollback'; readonly back: number }
  | { readonly does: 'deleteObject'; readonly what: TrafficObject }
  | {
      readonly does: 'deleteOf';
      readonly kind: 'Deployment' | 'Service' | 'ControllerRevision';
      readonly back: number;
    }
  | { readonly does: 'editCanary'; readonly weight: number; readonly back: number | undefined }
  | { readonly does: 'editStable'; readonly back: number }
  | { readonly does: 'crash' | 'heal' | 'restartPods' | 'evict'; readonly back: number }
  | { readonly does: 'die'; readonly after: number | undefined }
  | { readonly does: 'pass'; readonly ms: number }
  | { readonly does: 'lag'; readonly lags: readonly Lag[] }
  | { readonly does: 'reach'; readonly error: string | undefined }
  | { readonly does: 'podDelay'; readonly ms: number }
  | { readonly does: 'probe'; readonly back: number; readonly failure: string | undefined }
  | { readonly does: 'contract'; readonly back: number; readonly loses: 'nothing' | 'something' | 'unknown' }
  | { readonly does: 'judge'; readonly verdict: AnalysisProgress | AnalysisFailure }
  | { readonly does: 'contract-release' }
  | { readonly does: 'suspend'; readonly on: boolean };

/** A command, and how often the operator is awake before the next one. */
export interface Move {
  readonly command: Command;
  readonly turns: number;
}

/** An object of the instance's route. */
export type TrafficObject = 'main' | 'canary' | 'stable';

const back = fc.integer({ min: 0, max: 2 });
const of = <F extends object>(does: Command['does'], fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) =>
  fc.record({ does: fc.constant(does), ...fields }) as unknown as fc.Arbitrary<Command>;

const steps = fc.constantFrom<object[]>(
  [],
  [{ weight: 10 }, { pause: {} }, { weight: 50 }, { pause: { duration: '2s' } }],
  [{ weight: 20 }, { pause: { duration: '3s' } }, { weight: 100 }, { pause: { duration: '3s' } }],
  [{ pause: {} }, { weight: 50 }],
  [{ weight: 60 }, { weight: 30 }, { pause: {} }],
);
const analysis = fc.constantFrom<object | undefined>(
  undefined,
  { maxErrorRate: '5%' },
  { maxErrorRate: '5%', probes: [{ path: '/todos' }] },
);
const verdicts = fc.constantFrom<AnalysisProgress | AnalysisFailure>(
  { verdict: 'Passed', message: 'error rate 0 % of at most 5 %' },
  { verdict: 'Passed', message: 'error rate 1 % of at most 5 %' },
  { verdict: 'Running', message: 'error rate 0 % of at most 5 %' },
  { verdict: 'TooFewRequests', message: '3 requests of at least 20' },
  { verdict: 'Inconclusive', message: 'prometheus cannot be read' },
  { failure: 'error rate 50 % of at most 5 %' },
);
const ms = fc.constantFrom(0, 300, 3300);
const lag = fc.record({ main: ms, selected: ms, canary: ms });

const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: of('publish', {}) },
  {
    weight: 1,
    arbitrary: of('editSpec', { spec: fc.integer({ min: 1, max: 3 }).map((replicas) => ({ replicas })) }),
  },
  {
    weight: 2,
    arbitrary: of('editSpec', {
      spec: fc
        .integer({ min: 1, max: 3 })
        .map((rows) => ({ postgrest: { config: { 'db-max-rows': String(rows) } } })),
    }),
  },
  { weight: 2, arbitrary: of('editRollout', { rollout: fc.record({ steps }) }) },
  {
    weight: 3,
    arbitrary: of('editRollout', {
      rollout: fc.record({
        analysis,
        breaking: fc.constantFrom('Allow', 'Hold'),
        capacity: fc.constantFrom('Full', 'ByWeight'),
      }),
    }),
  },
  {
    weight: 10,
    arbitrary: of('action', {
      verb: fc.constantFrom(
        ...[
          'promote',
          'promote',
          'promote-full',
          'pause',
          'resume',
          'abort',
          'rollback',
          'retry',
          'restart',
          'approve',
        ],
      ),
    }),
  },
  { weight: 2, arbitrary: of('rollback', { back: fc.integer({ min: 0, max: 3 }) }) },
  {
    weight: 2,
    arbitrary: of('deleteObject', { what: fc.constantFrom<TrafficObject>('main', 'canary', 'stable') }),
  },
  {
    weight: 1,
    arbitrary: of('deleteOf', { kind: fc.constantFrom('Deployment', 'Service', 'ControllerRevision'), back }),
  },
  {
    weight: 2,
    arbitrary: of('editCanary', {
      weight: fc.constantFrom(0, 10, 50, 100),
      back: fc.option(back, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: of('editStable', { back }) },
  { weight: 2, arbitrary: fc.oneof(of('crash', { back }), of('heal', { back })) },
  { weight: 2, arbitrary: fc.oneof(of('restartPods', { back }), of('evict', { back })) },
  { weight: 4, arbitrary: of('die', { after: fc.option(fc.nat({ max: 12 }), { nil: undefined }) }) },
  { weight: 3, arbitrary: of('pass', { ms: fc.constantFrom(1000, 5000, 60_000, 11 * 60_000, 16 * 60_000) }) },
  { weight: 3, arbitrary: of('lag', { lags: fc.array(lag, { minLength: 2, maxLength: 2 }) }) },
  { weight: 1, arbitrary: of('reach', { error: fc.constantFrom(undefined, 'connection refused') }) },
  { weight: 1, arbitrary: of('podDelay', { ms: fc.constantFrom(0, 2000, 10_000) }) },
  { weight: 1, arbitrary: of('probe', { back, failure: fc.constantFrom(undefined, 'GET /todos gave 500') }) },
  {
    weight: 2,
    arbitrary: of('contract', { back, loses: fc.constantFrom('nothing', 'something', 'unknown') }),
  },
  { weight: 2, arbitrary: of('judge', { verdict: verdicts }) },
  { weight: 1, arbitrary: of('contract-release', {}) },
  { weight: 1, arbitrary: of('suspend', { on: fc.boolean() }) },
);

/** Lists of up to `max` moves. */
export const moves = (max: number): fc.Arbitrary<Move[]> =>
  fc.array(fc.record({ command, turns: fc.integer({ min: 0, max: 8 }) }), {
    minLength: 1,
    maxLength: max,
    size: 'max',
  });
