import { describe, expect, it } from 'vitest';
import { replicasOf, type ScaleInput } from './scale.ts';
import { chooseTarget, type TargetInput } from './target.ts';

const now = Date.parse('2026-01-01T01:00:00Z');
const state = (number: number, replicas: number | undefined) => ({
  number,
  hash: `h${number}`,
  release: '00000000',
  replicas,
  pods: replicas ?? 0,
  ready: replicas ?? 0,
  proved: replicas ?? 0,
});
const left = (from: number, minutesAgo: number) => ({
  revision: from + 1,
  release: '00000000',
  from,
  outcome: 'Promoted' as const,
  at: new Date(now - minutesAgo * 60_000).toISOString(),
});
const base: ScaleInput = {
  now,
  routes: [{ main: 2, stable: 2, canary: { revision: 2, weight: 0 } }],
  target: 2,
  replicas: 3,
  size: 3,
  isTrafficProved: true,
  isMoving: false,
  history: [left(1, 20)],
  warmForMs: 15 * 60_000,
  ending: new Set(),
};

describe('how many pods a revision has', () => {
  const table: [string, ReturnType<typeof state>, Partial<ScaleInput>, number][] = [
    ['the target has what the spec says', state(2, 1), {}, 3],
    ['the target shrinks to the spec when nothing runs', state(2, 5), {}, 3],
    ['the target does not shrink while a rollout runs', state(2, 5), { isMoving: true }, 5],
    ['an old revision keeps its pods while it is warm', state(1, 3), { history: [left(1, 5)] }, 3],
    ['an old revision loses its pods when it has cooled', state(1, 3), {}, 0],
    [
      'a warm revision that a contraction ends loses them at once',
      state(1, 3),
      { history: [left(1, 5)], ending: new Set([1]) },
      0,
    ],
    ['what has traffic keeps its pods, whatever ends it', state(2, 3), { ending: new Set([2]) }, 3],
    ['a cold revision is not warmed for nothing', state(1, 0), { history: [left(1, 5)] }, 0],
    ['an aborted candidate loses its pods at once', state(3, 3), {}, 0],
    [
      'nothing loses its pods before the data plane was seen not to use them',
      state(3, 3),
      { isTrafficProved: false },
      3,
    ],
    [
      'a candidate with weight keeps its pods although another one is the target',
      state(3, 3),
      { routes: [{ main: 2, stable: 2, canary: { revision: 3, weight: 10 } }] },
      3,
    ],
    [
      'the weight that is just being taken away still counts',
      state(3, 3),
      {
        routes: [
          { main: 2, stable: 2, canary: { revision: 3, weight: 10 } },
          { main: 2, stable: 2, canary: { revision: 3, weight: 0 } },
        ],
      },
      3,
    ],
    ['a candidate has its share of pods', state(3, 0), { target: 3, isMoving: true, size: 1 }, 1],
    ['a candidate does not shrink with its share', state(3, 3), { target: 3, isMoving: true, size: 1 }, 3],
    [
      'what the stable Service selects has all pods, whatever the main route does',
      state(3, 1),
      { target: 3, isMoving: true, size: 1, routes: [{ main: 0, stable: 3, canary: undefined }] },
      3,
    ],
    [
      'a candidate that is being left gets no more pods',
      state(4, 1),
      { target: 3, isMoving: true, routes: [{ main: 2, stable: 2, canary: { revision: 4, weight: 10 } }] },
      1,
    ],
    ['main never shrinks while a rollout runs', state(2, 6), { target: 3, isMoving: true }, 6],
  ];
  it.each(table)('%s', (_, revision, change, replicas) => {
    expect(replicasOf(revision, { ...base, ...change })).toBe(replicas);
  });
});

describe('where traffic should go', () => {
  const input: TargetInput = {
    desired: { number: 2, hash: 'h2' },
    main: 1,
    stable: 1,
    candidate: undefined,
    kept: new Set([1, 2]),
    rejected: [],
  };
  const reject = (hash: string, to: number) => ({
    revision: 2,
    hash,
    to,
    reason: 'Aborted' as const,
    at: '2026-01-01T00:00:00Z',
  });
  const table: [string, Partial<TargetInput>, [number, string] | undefined][] = [
    ['to the revision of the spec, in steps', {}, [2, 'stepwise']],
    [
      'back to stable at once when the spec is put back',
      { desired: { number: 1, hash: 'h1' } },
      [1, 'atOnce'],
    ],
    ['not to a rejected content', { rejected: [reject('h2', 1)] }, [1, 'atOnce']],
    [
      'to main when what it was rejected for is no longer kept',
      { rejected: [reject('h2', 9)] },
      [1, 'atOnce'],
    ],
    ['back to the service of rollout.from', { main: 0, rejected: [reject('h2', 0)] }, [0, 'atOnce']],
    [
      'not back to the service of rollout.from once a revision has the main route',
      { main: 1, rejected: [reject('h2', 0)] },
      [1, 'atOnce'],
    ],
    ['a rejection of another content does not matter', { rejected: [reject('h7', 1)] }, [2, 'stepwise']],
    [
      'a rejected first revision is better than none',
      { main: undefined, kept: new Set([2]), rejected: [reject('h2', 1)] },
      [2, 'stepwise'],
    ],
    [
      'first to the end of a promotion that has moved the main route already',
      { desired: { number: 3, hash: 'h3' }, main: 2, candidate: 2 },
      [2, 'atOnce'],
    ],
    ['nowhere new while the spec cannot be resolved', { desired: undefined }, [1, 'atOnce']],
    [
      'on with the candidate while the spec cannot be resolved',
      { desired: undefined, candidate: 2 },
      [2, 'stepwise'],
    ],
    [
      'nowhere when nothing serves and nothing can be resolved',
      { desired: undefined, main: undefined },
      undefined,
    ],
  ];
  it.each(table)('%s', (_, change, expected) => {
    const target = chooseTarget({ ...input, ...change });
    expect(target && [target.revision, target.mode]).toEqual(expected);
  });
});
