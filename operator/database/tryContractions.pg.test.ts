import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPlanWorld, planIn, type PlanInput } from '../testing/planFixture.ts';
import type { ReleaseWorld } from '../testing/releaseWorld.ts';
import type { RunPlan } from './runPlan.ts';

let world: ReleaseWorld;
beforeAll(async () => {
  world = await createPlanWorld();
});
afterAll(async () => {
  await world.close();
});

const plan = (input: PlanInput): Promise<RunPlan> => planIn(world, input);

describe('contractions in a plan', () => {
  const drop = 'alter table public.tasks drop column due';
  const without = 'create view api.tasks as select id, title from public.tasks;';

  test('are tried without the releases that need what they take away', async () => {
    const { contractions, problems, statements } = await plan({ api: without, contractions: [drop] });
    expect(problems).toEqual([]);
    expect(contractions).toEqual([
      {
        name: 'c1',
        fits: true,
        opaque: [],
        outside: [],
        needs: [
          {
            release: '00000001',
            object: 'view api_00000001.tasks',
            how: 'depends',
            what: 'column due of public.tasks',
          },
        ],
      },
    ]);
    expect(statements.map(({ source, isTried }) => ({ source, isTried }))).toEqual([
      { source: 'c1', isTried: true },
    ]);
  });

  test('are not tried where clients read a release that would have to go', async () => {
    const inUse = ['00000001'];
    const { contractions, problems, statements } = await plan({
      api: without,
      migrations: ['create table public.scratch (id int)'],
      contractions: [drop, 'drop table public.lists'],
      inUse,
    });
    expect(contractions.map(({ fits }) => fits)).toEqual([false, true]);
    expect(problems).toEqual([
      'Contraction c1: not tried, because releases that need what it takes away have traffic: 00000001.',
    ]);
    expect(statements.map(({ source, isTried }) => ({ source, isTried }))).toEqual([
      { source: 'm1', isTried: true },
      { source: 'c1', isTried: false },
      { source: 'c2', isTried: true },
    ]);
  });

  test('that the API SQL of the spec itself needs are a problem', async () => {
    const { contractions, problems } = await plan({
      api: `${without} create view api.late as select id from public.tasks where due < now();`,
      contractions: [drop],
    });
    expect(contractions[0]?.fits).toBe(false);
    expect(problems).toEqual([
      'Contraction c1: the API SQL of this spec needs what it takes away: view api.late depends on column due of public.tasks.',
      expect.stringMatching(
        /^Contraction c1, statement 1 at line 1 \(SQLSTATE 2BP01\): Release to be built needs/,
      ),
    ]);
    const body = await plan({
      api: `${without} create function api.late() returns void language plpgsql as
        'begin update public.tasks set due = null; end';`,
      contractions: [drop],
    });
    expect(body.problems).toEqual([
      'Contraction c1: the API SQL of this spec needs what it takes away: function api.late() mentions column due of public.tasks.',
    ]);
  });

  test('that the newest release needs, and no new one replaces, are a problem', async () => {
    const { problems } = await plan({ contractions: [drop] });
    expect(problems[0]).toContain('needs what it takes away');
  });

  test('that a pending migration does not survive in the other order are a problem', async () => {
    const { problems, contractions } = await plan({
      api: without,
      migrations: ['update public.tasks set title = due::text where due is not null'],
      contractions: [drop],
    });
    expect(contractions[0]?.fits).toBe(true);
    expect(problems).toEqual([
      'Migration m1, statement 1 at line 1 (SQLSTATE 42703): column "due" does not exist. That is so once contraction c1 has run, and it may come first in another database: write both so that either order works.',
    ]);
  });

  test('that take away what a pending migration makes have but one order', async () => {
    const { problems, contractions } = await plan({
      migrations: ['create table public.scratch (id int)'],
      contractions: ['drop table public.scratch'],
    });
    expect(problems).toEqual([]);
    expect(contractions[0]?.fits).toBe(true);
  });

  test('each are tried, also after one that fails', async () => {
    const { problems, contractions } = await plan({
      contractions: ['drop table public.nothing', 'drop table public.lists', 'vacuum'],
    });
    expect(contractions.map(({ fits }) => fits)).toEqual([false, true, false]);
    expect(problems).toEqual([
      'Contraction c1, statement 1 at line 1 (SQLSTATE 42P01): table "nothing" does not exist: it is gone already, or was never there. Remove the statement, or write IF EXISTS.',
      expect.stringMatching(
        /^Contraction c3, statement 1 at line 1: The statement cannot run inside a transaction/,
      ),
    ]);
  });
});
