import { describe, expect, test } from 'vitest';
import type { WorkState } from '../../runtime/reconciler.ts';
import { follower, newest, old, summary, usage } from '../../testing/schemaStages.ts';
import { apiSchema, done, schemaWorld, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from '../../testing/strictDecide.ts';
import type { SchemaPlan } from './plan.ts';
import type { WorkResult, World } from './world.ts';

describe('releases that nobody uses and that cannot be dropped', () => {
  const applied: WorkResult = { kind: 'applied', summary, unmapped: [] };
  const message = `These releases stay in the database: release ${old} is needed by view public.v. Drop it.`;
  const refused = (changes: { message?: string; dropped?: string[] } = {}): WorkResult => ({
    kind: 'blocked',
    reason: 'InUse',
    message,
    dropped: [],
    ...changes,
  });
  const start = schemaWorld(apiSchema(), { followers: [follower], usage: [usage(newest, 2, true)] });
  /** The world once the plan is carried out; what was ordered of a kind has come to this. */
  const then = (world: World, results: Readonly<Record<string, WorkState<WorkResult>>>): World => {
    const { status, work = [] } = decide(world);
    const states = work.flatMap(({ id }) => {
      const state = results[id.split('-')[0] ?? ''];
      return state === undefined ? [] : [[id, state] as const];
    });
    const object = { ...world.object, ...(status === undefined ? {} : { status }) };
    return { ...world, object, work: new Map(states) };
  };
  const collectedAs = (collect: WorkState<WorkResult>, world = start): World =>
    then(then(world, { apply: done(applied) }), { apply: done(applied), collect });
  const warnings = ({ notes }: SchemaPlan) =>
    notes.filter(({ reason }) => reason === 'InUse').map(({ type, note }) => `${type} ${note}`);

  test('are told of once, in an Event and in status', () => {
    const world = collectedAs(done(refused()));
    const plan = decide(world);
    expect(warnings(plan)).toEqual([`Warning ${message}`]);
    expect(plan.status?.notDropped).toBe(message);
    const later = decide(then(world, { apply: done(applied), collect: done(refused()) }));
    expect(warnings(later)).toEqual([]);
    expect(later.status?.notDropped).toBe(message);
  });

  test('are not told of again while they are tried again, nor after a restart', () => {
    const told = then(collectedAs(done(refused())), {});
    let world = told;
    for (const results of [
      {},
      { apply: { state: 'running' } as const },
      { apply: done(applied) },
      { apply: done(applied), collect: { state: 'running' } as const },
      { apply: done(applied), collect: done(refused()) },
      { apply: done(applied), collect: done(refused()) },
    ]) {
      world = then(world, results);
      expect(warnings(decide(world))).toEqual([]);
      expect(decide(world).status?.notDropped).toBe(message);
    }
  });

  test('are told of again when something else is in the way', () => {
    const world = then(collectedAs(done(refused())), { apply: done(applied) });
    const other = refused({ message: 'Another view needs it.' });
    expect(warnings(decide(collectedAs(done(other), world)))).toEqual(['Warning Another view needs it.']);
  });

  test('are told of also where some could be dropped, and everything is looked at anew', () => {
    const plan = decide(collectedAs(done(refused({ dropped: ['33333333'] }))));
    expect(plan.work).toEqual([]);
    expect(warnings(plan)).toEqual([`Warning ${message}`]);
    expect(plan.notes.map(({ reason }) => reason)).toContain('ReleasesDropped');
  });

  test.each<[string, Partial<World>, WorkState<WorkResult>]>([
    ['somebody uses them again', { usage: [usage(newest, 2, true), usage(old, 1)] }, { state: 'running' }],
    ['they could be dropped', {}, done({ kind: 'collected', dropped: [old] }, worldNow + 1)],
  ])('are forgotten when %s', (_name, changes, collect) => {
    const told = then(collectedAs(done(refused())), { apply: done(applied) });
    const plan = decide({ ...collectedAs(collect, told), ...changes });
    expect(plan.status?.notDropped).toBeUndefined();
    expect(warnings(plan)).toEqual([]);
  });
});
