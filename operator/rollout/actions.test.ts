import { describe, expect, it } from 'vitest';
import { carryOut, formatAccepted, parseAccepted, resolveAction, type ActionWorld } from './actions.ts';

const at = '2026-01-01T00:00:00.000Z';
const later = '2026-01-01T00:05:00.000Z';
const revision = (n: number) => ({ revision: n, release: `0000000${n}`, replicas: 2, ready: 2 });
const desired = (n: number) => ({ number: n, hash: `h${n}`, release: `0000000${n}` });
const promoted = (n: number, from?: number) => ({
  revision: n,
  release: `0000000${n}`,
  ...(from === undefined ? {} : { from }),
  outcome: 'Promoted' as const,
  at,
});
const rejected = (n: number, to: number) => ({
  revision: n,
  hash: `h${n}`,
  to,
  reason: 'RolledBack' as const,
  at,
});

/** Revision 2 serves, 1 was before it, nothing runs. */
const settled: ActionWorld = {
  memory: { stable: revision(2), history: [promoted(2, 1), promoted(1)] },
  steps: [{ weight: 10 }, { pause: { duration: '30s' } }, { weight: 50 }, { pause: {} }],
  desired: desired(2),
  main: 2,
  kept: [1, 2],
  ended: [],
  warm: [],
  reloadsBy: 'Notify',
  isJudged: false,
  awaitsApproval: false,
};
/** Revision 3 is being rolled out over 2 and holds at the first pause. */
const rolling: ActionWorld = {
  ...settled,
  memory: { ...settled.memory, candidate: revision(3), step: 1, pausedSince: at },
  desired: desired(3),
  kept: [1, 2, 3],
};
/** Revision 2 was rolled back to 1. */
const rolledBack: ActionWorld = {
  ...settled,
  memory: { stable: revision(1), rejected: [rejected(2, 1)], history: [promoted(2, 1), promoted(1)] },
  main: 1,
};

it('a rollback to a revision that a contraction has ended is refused, and the safe targets are named', () => {
  expect(resolveAction('rollback=1', 'id', { ...rolling, kept: [2, 3], ended: [1] })).toEqual({
    refused:
      'revision 1 cannot serve any more, because its release is gone or a contraction ends it: safe targets are 2, 3',
  });
});

describe('resolving an action', () => {
  const table: [string, string, ActionWorld, number | RegExp][] = [
    ['promote means the candidate', 'promote', rolling, 3],
    ['promote without a rollout is refused', 'promote', settled, /no rollout to promote/],
    [
      'promote after the last pause is refused',
      'promote',
      { ...rolling, memory: { ...rolling.memory, step: 4 } },
      /nothing to skip/,
    ],
    ['abort means the stable revision', 'abort', rolling, 2],
    [
      'abort after the switch of the stable Service still means the old stable one',
      'abort',
      { ...rolling, main: 3 },
      2,
    ],
    ['abort without a rollout is refused', 'abort', settled, /no rollout to abort/],
    ['abort of a way back is refused', 'abort', rolledBack, /no rollout to abort/],
    ['rollback means what served before', 'rollback', settled, 1],
    ['rollback in the middle of a rollout means stable', 'rollback', rolling, 2],
    ['rollback=N means N', 'rollback=1', rolling, 1],
    [
      'rollback to what is not kept is refused, naming what is',
      'rollback=7',
      settled,
      /7 is not kept: kept are 1, 2/,
    ],
    ['rollback to what the spec says is refused', 'rollback=2', settled, /nothing to roll back/],
    ['rollback to a rejected revision points at retry', 'rollback=2', rolledBack, /use retry/],
    [
      'rollback with nothing before is refused',
      'rollback',
      {
        ...settled,
        memory: { stable: revision(1), history: [promoted(1)] },
        desired: desired(1),
        main: 1,
        kept: [1],
      },
      /no revision before/,
    ],
    ['retry means the rejected revision of the spec', 'retry', rolledBack, 2],
    ['retry of what is not rejected is refused', 'retry', settled, /not rejected/],
    [
      'an unknown verb is refused, naming the known ones',
      'explode',
      settled,
      /use one of promote, promote-full/,
    ],
    ['a number behind another verb is refused', 'abort=2', rolling, /is no action/],
  ];
  it.each(table)('%s', (_, action, world, result) => {
    const resolved = resolveAction(action, '77', world);
    if (typeof result === 'number')
      expect(resolved).toEqual({ verb: action.split('=')[0], target: result, id: '77' });
    else expect(resolved).toMatchObject({ refused: expect.stringMatching(result) as string });
  });

  it('an accepted action survives being written down', () => {
    const accepted = { verb: 'rollback', target: 12, id: '345' } as const;
    expect(parseAccepted(formatAccepted(accepted))).toEqual(accepted);
    expect(parseAccepted('nonsense')).toBeUndefined();
    expect(parseAccepted(undefined)).toBeUndefined();
  });
});

describe('carrying an action out', () => {
  it('promote goes behind the pause that runs', () => {
    const memory = carryOut({ verb: 'promote', target: 3, id: '1' }, rolling, later);
    expect(memory).toMatchObject({ step: 2, lastAction: { verb: 'promote', id: '1', at: later } });
    expect(memory.pausedSince).toBeUndefined();
  });

  it('promote goes behind the next pause when none runs yet', () => {
    const world = { ...rolling, memory: { ...rolling.memory, step: 2, pausedSince: undefined } };
    expect(carryOut({ verb: 'promote', target: 3, id: '1' }, world, later).step).toBe(4);
  });

  it('promote that was meant for another candidate skips nothing', () => {
    const memory = carryOut({ verb: 'promote', target: 2, id: '1' }, rolling, later);
    expect(memory).toMatchObject({ step: 1, pausedSince: at });
  });

  it('abort rejects the content of the candidate and writes history', () => {
    const memory = carryOut({ verb: 'abort', target: 2, id: '1' }, rolling, later);
    expect(memory.rejected).toEqual([{ revision: 3, hash: 'h3', to: 2, reason: 'Aborted', at: later }]);
    expect(memory.history?.[0]).toMatchObject({ revision: 3, from: 2, outcome: 'Aborted' });
  });

  it('rollback rejects the content of the spec in favour of the target', () => {
    const memory = carryOut({ verb: 'rollback', target: 1, id: '1' }, settled, later);
    expect(memory.rejected).toEqual([{ revision: 2, hash: 'h2', to: 1, reason: 'RolledBack', at: later }]);
    expect(memory.history).toEqual(settled.memory.history);
  });

  it('a second rollback changes where the rejected content leads, not how often it is listed', () => {
    const world = { ...rolledBack, kept: [1, 2, 4] };
    const memory = carryOut({ verb: 'rollback', target: 4, id: '2' }, world, later);
    expect(memory.rejected).toHaveLength(1);
    expect(memory.rejected?.[0]).toMatchObject({ revision: 2, to: 4 });
  });

  it('retry clears the rejection of the spec and nobody else’s', () => {
    const world = {
      ...rolledBack,
      memory: { ...rolledBack.memory, rejected: [rejected(2, 1), rejected(5, 1)] },
    };
    expect(carryOut({ verb: 'retry', target: 2, id: '3' }, world, later).rejected).toEqual([rejected(5, 1)]);
  });
});
