import { describe, expect, test } from 'vitest';
import { finalizer } from '../../api/v1alpha1/shared.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { apiSchema, done, schemaWorld, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from './decide.ts';
import type { SchemaPlan } from './plan.ts';
import type { Follower, WorkResult, World } from './world.ts';

/** A condition in one line: `Ready=False InUse`. */
function says(plan: SchemaPlan, type: string): string {
  const condition = findCondition(plan.status?.conditions, type);
  return `${type}=${condition?.status ?? 'none'} ${condition?.reason ?? ''}`;
}

/** The world in which the work that it orders is in this state. */
function then(world: World, state: WorkState<WorkResult>): World {
  const id = decide(world).work?.[0]?.id ?? '';
  return { ...world, work: new Map([[id, state]]) };
}

describe('on deletion', () => {
  const deleted = (deletionPolicy: 'Retain' | 'Delete', changes: Partial<World> = {}): World =>
    schemaWorld(
      apiSchema({
        spec: { deletionPolicy },
        metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['other/x', finalizer] },
      }),
      changes,
    );
  const follower: Follower = { name: 'web', follows: true, isRolling: false };

  test('Retain lets go at once, whatever refers to it', () => {
    const plan = decide(deleted('Retain', { followers: [follower] }));
    expect(plan).toMatchObject({
      metadata: { finalizers: ['other/x'] },
      work: [],
      outcome: { kind: 'settled' },
    });
    expect(plan.status).toBeUndefined();
  });

  test('Delete drops the releases first, and lets go then', () => {
    const world = deleted('Delete');
    const plan = decide(world);
    expect(plan.metadata).toBeUndefined();
    expect(plan.work?.[0]?.spec.kind).toBe('drop');
    expect(says(plan, 'Ready')).toBe('Ready=False Deleting');
    expect(decide(then(world, done({ kind: 'dropped' })))).toMatchObject({
      metadata: { finalizers: ['other/x'] },
      work: [],
    });
  });

  test.each<{ name: string; changes: Partial<World>; reason: string; says: string }>([
    {
      name: 'an instance refers to it',
      changes: { followers: [follower] },
      reason: 'InUse',
      says: 'delete web',
    },
    {
      name: 'the Secret is gone',
      changes: {
        connection: { kind: 'missing', reason: 'SecretNotFound', message: 'Secret db does not exist.' },
      },
      reason: 'SecretNotFound',
      says: 'deletionPolicy to Retain',
    },
  ])('Delete waits for a person when $name', ({ changes, reason, says: text }) => {
    const plan = decide(deleted('Delete', changes));
    expect(plan.metadata).toBeUndefined();
    expect(says(plan, 'Stalled')).toBe(`Stalled=True ${reason}`);
    expect(findCondition(plan.status?.conditions, 'Ready')?.message).toContain(text);
  });

  test('Delete says why when something depends on the releases, and that it cannot reach the database', () => {
    const world = deleted('Delete');
    const blocked = decide(
      then(world, done({ kind: 'blocked', reason: 'InUse', message: 'These depend: v.' })),
    );
    expect([blocked.metadata, says(blocked, 'Stalled')]).toEqual([undefined, 'Stalled=True InUse']);
    const failed = decide(
      then(world, { state: 'failed', message: 'DatabaseUnreachable: no.', at: worldNow }),
    );
    expect([failed.metadata, says(failed, 'Ready')]).toEqual([undefined, 'Ready=False DatabaseUnreachable']);
  });

  test('an object that we never held, or have let go, is left alone', () => {
    const object = apiSchema({
      metadata: { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['other/x'] },
    });
    expect(decide(schemaWorld(object))).toEqual({
      apply: [],
      prune: [],
      work: [],
      notes: [],
      outcome: { kind: 'settled' },
    });
  });

  test('a spec that is not valid names no database: it is let go', () => {
    const plan = decide(deleted('Delete', { spec: { kind: 'invalid', problem: 'x' } }));
    expect(plan.metadata).toEqual({ finalizers: ['other/x'] });
  });
});
