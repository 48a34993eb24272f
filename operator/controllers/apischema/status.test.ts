import { describe, expect, test } from 'vitest';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { newest, run, says, summary } from '../../testing/schemaStages.ts';
import { apiSchema, done, schemaWorld, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from '../../testing/strictDecide.ts';
import { resyncMs } from './order.ts';
import type { SurveyResult } from './contractOrder.ts';
import type { WorkResult, World } from './world.ts';

const missing = { kind: 'missing', reason: 'SecretNotFound', message: 'Secret db does not exist.' } as const;

describe('the condition ContractionPending, while it is not the turn of the contractions,', () => {
  const contractions = [{ name: 'drop-due', sql: 'drop table t', approval: 'Manual' as const }];
  const laneAt = (applied: number): WorkResult => ({
    kind: 'applied',
    summary: { ...summary, contractions: { applied, pending: 1 - applied, last: [] } },
    unmapped: [],
  });
  const survey: SurveyResult = { kind: 'surveyed', needs: [], outside: [], opaque: [] };
  const specOf = (changes: Partial<ApiSchemaSpec> = {}) => apiSchema({ spec: { contractions, ...changes } });
  /** The world in which this was decided last, with this spec and this work. */
  const afterwards = (
    results: Readonly<Record<string, WorkResult>>,
    changes: Partial<ApiSchemaSpec> = {},
    work: World['work'] = new Map(),
  ): World => {
    const { status } = run(schemaWorld(specOf()), results);
    const object = { ...specOf(changes), ...(status === undefined ? {} : { status }) };
    const isEdited = Object.keys(changes).length > 0;
    const metadata = isEdited ? { ...object.metadata, generation: 2 } : object.metadata;
    return schemaWorld({ ...object, metadata }, { work });
  };
  const applyWith = (state: WorkState<WorkResult>): World['work'] => {
    const [order] = decide(schemaWorld(specOf())).work ?? [];
    return new Map(order === undefined ? [] : [[order.id, state]]);
  };
  const waits =
    'Contractions wait until the migrations and the API SQL have been applied: see the condition Applied.';
  const awaiting = { apply: laneAt(0), survey };
  const failed: WorkResult = { kind: 'blocked', reason: 'MigrationFailed', message: 'Migration 001: no.' };

  test.each<[string, World]>([
    ['suspended', afterwards(awaiting, { suspend: true })],
    ['blocked', afterwards(awaiting, {}, applyWith(done(failed)))],
    ['looking at another spec', afterwards(awaiting, { drift: 'Block' })],
    [
      'failing to reach the database',
      afterwards(awaiting, {}, applyWith({ state: 'failed', message: 'no', at: worldNow })),
    ],
    ['without its Secret', { ...afterwards(awaiting), connection: missing }],
    ['with a spec that is not valid', { ...afterwards(awaiting), spec: { kind: 'invalid', problem: 'x' } }],
    ['new', schemaWorld(specOf())],
  ])('says that they wait: %s', (_name, world) => {
    const plan = decide(world);
    expect(says(plan, 'ContractionPending')).toBe('True Contracting');
    expect(findCondition(plan.status?.conditions, 'ContractionPending')?.message).toBe(waits);
  });

  test('stays as it is while a look has found nothing new', () => {
    const world = afterwards(awaiting);
    for (const now of [worldNow, worldNow + resyncMs]) {
      const plan = decide({ ...world, now });
      expect(says(plan, 'Ready')).toBe('True Applied');
      expect(says(plan, 'ContractionPending')).toBe('True AwaitingApproval');
      expect(plan.status?.conditions).toEqual(world.object.status?.conditions);
    }
  });

  test.each<[string, World, string]>([
    [
      'all have run',
      afterwards({ apply: laneAt(1) }, { suspend: true }),
      'All contractions of the spec have run.',
    ],
    [
      'there are none',
      afterwards(awaiting, { suspend: true, contractions: [] }),
      'The spec has no contractions.',
    ],
  ])('says that none is pending where %s', (_name, world, message) => {
    const plan = decide(world);
    expect(says(plan, 'ContractionPending')).toBe('False NoContraction');
    expect(findCondition(plan.status?.conditions, 'ContractionPending')?.message).toBe(message);
    expect(plan.status?.release?.id).toBe(newest);
  });
});
