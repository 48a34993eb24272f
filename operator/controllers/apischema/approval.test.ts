import { describe, expect, test } from 'vitest';
import { acceptedAnnotation, actionAnnotation } from '../../api/v1alpha1/shared.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { apiSchema, done, schemaWorld, summaryOf, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from './decide.ts';
import { resyncMs } from './order.ts';
import type { WorkResult, World } from './world.ts';

const held = (message: string): WorkResult => ({
  kind: 'blocked',
  reason: 'BreakingChange',
  message,
  release: 'bbbb2222@aaaa1111',
  summary: summaryOf('aaaa1111'),
});

/** A world in which the run has ended with this, and whose status says so. */
function heldWorld(message: string, world: World = schemaWorld()): World {
  const id = decide(world).work?.[0]?.id ?? '';
  const after = { ...world, work: new Map([[id, done(held(message))]]) };
  const { status } = decide(after);
  return { ...after, object: { ...world.object, ...(status === undefined ? {} : { status }) } };
}

/** Somebody annotates the object. */
function asked(world: World, action: string): World {
  const metadata = { ...world.object.metadata, annotations: { [actionAnnotation]: action } };
  return { ...world, object: { ...world.object, metadata } };
}

const reasonsOf = (world: World) => decide(world).notes.map(({ reason }) => reason);

describe('an approval', () => {
  test('is of what waits and was shown, for one write and nothing else', () => {
    const plan = decide(asked(heldWorld('It takes a column away.'), 'approve'));
    expect(plan.metadata?.annotations).toEqual({
      [actionAnnotation]: null,
      [acceptedAnnotation]: 'approve release/bbbb2222@aaaa1111 1',
    });
    expect([plan.work, plan.status]).toEqual([undefined, undefined]);
  });

  test('of what was not shown yet is refused', () => {
    const shown = heldWorld('It takes a column away.');
    const [id = ''] = [...shown.work.keys()];
    const changed = { ...shown, work: new Map([[id, done(held('It takes a table away.'))]]) };
    const plan = decide(asked(changed, 'approve'));
    expect(plan.metadata?.annotations).toEqual({ [actionAnnotation]: null });
    expect(plan.notes).toMatchObject([{ type: 'Warning', reason: 'ActionRefused' }]);
  });

  test('waits while it is found out what waits for approval, after a restart of the operator', () => {
    const restarted = { ...heldWorld('It takes a column away.'), work: new Map() };
    const plan = decide(asked(restarted, 'approve'));
    expect(plan.metadata).toBeUndefined();
    expect(plan.work).toHaveLength(1);
  });

  test.each(['approve', 'promote', ''])('of nothing (%s) is refused', (action) => {
    const [id = ''] = (decide(schemaWorld()).work ?? []).map((order) => order.id);
    const applied: WorkResult = { kind: 'applied', summary: summaryOf('aaaa1111'), unmapped: [] };
    const world = { ...schemaWorld(), work: new Map([[id, done(applied)]]) };
    expect(reasonsOf(asked(world, action))).toEqual(['ActionRefused']);
  });

  test('is remembered by its content, once', () => {
    const world = heldWorld('It takes a column away.');
    const annotations = { [acceptedAnnotation]: 'approve release/bbbb2222@aaaa1111 7' };
    const metadata = { ...world.object.metadata, annotations };
    const { status } = decide({ ...world, object: { ...world.object, metadata } });
    expect(status?.approved).toEqual(['release/bbbb2222@aaaa1111']);
    const next = { ...world, object: { ...world.object, metadata, ...(status && { status }) } };
    const order = decide(next).work?.[0];
    expect(order?.spec.kind === 'apply' ? order.spec.request.approved : []).toEqual(['bbbb2222@aaaa1111']);
  });
});

test('what waits for approval says so without a break, also while it is built again', () => {
  const world = heldWorld('It takes a column away.');
  const later = { ...world, now: worldNow + resyncMs };
  const ids = (decide(later).work ?? []).map(({ id }) => id);
  expect(ids).toHaveLength(2);
  const building = { phase: 'building', release: 'bbbb2222' };
  const work = new Map([...world.work, [ids[0] ?? '', { state: 'running', progress: building } as const]]);
  const plan = decide({ ...later, work });
  expect(plan.status).toEqual(world.object.status);
  expect(plan.notes).toEqual([]);
});

describe('a plan', () => {
  const suspended = () => {
    const object = apiSchema({ spec: { suspend: true } });
    return schemaWorld(object, { spec: { kind: 'valid', value: object.spec } });
  };

  test('that cannot be made is tried again, and Suspended says why there is none', () => {
    const [order] = decide(suspended()).work ?? [];
    const failed = { state: 'failed', message: 'DatabaseUnreachable: No route.', at: worldNow } as const;
    const plan = decide({ ...suspended(), work: new Map([[order?.id ?? '', failed]]) });
    expect(plan.status?.plan).toBeUndefined();
    expect(plan.work?.map(({ id }) => id)).toEqual([order?.id]);
    expect(findCondition(plan.status?.conditions, 'Ready')?.message).toContain('No route.');
  });

  test('is made once', () => {
    const [order] = decide(suspended()).work ?? [];
    const planned: WorkResult = { kind: 'planned', statements: [], problems: [] };
    const world = { ...suspended(), work: new Map([[order?.id ?? '', done(planned)]]) };
    const { status } = decide(world);
    expect(status?.plan).toMatchObject({ generation: 1, total: 0 });
    const again = {
      ...world,
      now: worldNow + 10 * resyncMs,
      object: { ...world.object, ...(status && { status }) },
    };
    expect(decide(again).work?.map(({ id }) => id)).toEqual([order?.id]);
    expect(decide({ ...again, work: new Map() }).work, 'nor after a restart').toEqual([]);
  });
});
