import { describe, expect, test } from 'vitest';
import { findCondition } from '../../runtime/conditions.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { apiSchema, done, schemaWorld, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from '../../testing/strictDecide.ts';
import type { WorkResult, World } from './world.ts';

import { follower, kinds, newest, old, run, says, summary, usage } from '../../testing/schemaStages.ts';

describe('releases that nobody uses', () => {
  const applied: WorkResult = { kind: 'applied', summary, unmapped: [] };
  const table: readonly { name: string; changes: Partial<World>; dropped: readonly string[] }[] = [
    {
      name: 'are dropped',
      changes: { followers: [follower], usage: [usage(newest, 2, true)] },
      dropped: [old],
    },
    {
      name: 'stay while a kept revision uses them',
      changes: { followers: [follower], usage: [usage(newest, 2, true), usage(old, 1)] },
      dropped: [],
    },
    {
      name: 'stay while a rollout runs',
      changes: { followers: [{ ...follower, isRolling: true }], usage: [usage(newest, 2, true)] },
      dropped: [],
    },
    {
      name: 'stay while a spec names them',
      changes: { followers: [follower, { ...follower, name: 'pin', follows: false, pins: old }] },
      dropped: [],
    },
    { name: 'stay while there is no instance', changes: { followers: [], usage: [] }, dropped: [] },
    {
      name: 'stay while they are young',
      changes: { followers: [follower], now: Date.parse('2025-12-30T00:05:00Z') },
      dropped: [],
    },
  ];
  test.each(table)('$name', ({ changes, dropped }) => {
    const world = schemaWorld(apiSchema(), changes);
    const order = run(world, { apply: applied }).work?.find(({ id }) => id.startsWith('collect-'));
    const ids = order?.spec.kind === 'collect' ? order.spec.request.releases : [];
    expect(ids).toEqual(dropped);
  });

  test('are dropped once', () => {
    const world = schemaWorld(apiSchema(), { followers: [follower], usage: [usage(newest, 2, true)] });
    const without = { ...summary, releases: summary.releases.filter(({ id }) => id === newest) };
    let isDropped = false;
    let current = world;
    const seen: string[] = [];
    for (let round = 0; round < 8; round += 1) {
      const plan = decide(current);
      seen.push(kinds(plan).join('+'));
      const work = (plan.work ?? []).map(({ id }) => {
        if (id.startsWith('collect-')) isDropped = true;
        const result: WorkResult = id.startsWith('collect-')
          ? { kind: 'collected', dropped: [old] }
          : { kind: 'applied', summary: isDropped ? without : summary, unmapped: [] };
        return [id, current.work.get(id) ?? done(result, worldNow)] as const;
      });
      current = { ...current, work: new Map(work) };
    }
    expect(seen).toEqual(['apply', 'apply+collect', '', 'apply', 'apply', 'apply', 'apply', 'apply']);
  });
});

describe('the Job before migrations', () => {
  const pending = { hash: 'abcdef0123456789', names: ['001'] };
  const needsJob: WorkResult = { kind: 'needsJob', pending, summary };
  const template = { spec: { template: { spec: { containers: [{ name: 'backup', image: 'backup:1' }] } } } };
  const world = (changes: Partial<World> = {}) =>
    schemaWorld(apiSchema({ spec: { beforeMigration: { jobTemplate: template } } }), changes);
  const job = { name: 'todo-before-abcdef0123', pendingHash: pending.hash };

  test('is made from the template, with what is pending, and owned by the ApiSchema', () => {
    const order = run(world(), { apply: needsJob }).work?.find(({ id }) => id.startsWith('job-'));
    expect(order?.spec.kind === 'job' ? order.spec.job : undefined).toMatchObject({
      kind: 'Job',
      metadata: {
        name: expect.stringMatching(/^todo-before-[0-9a-f]{10}$/) as string,
        namespace: 'shop',
        ownerReferences: [{ uid: 'uid-1' }],
      },
      spec: {
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [
              {
                image: 'backup:1',
                terminationMessagePolicy: 'FallbackToLogsOnError',
                env: [
                  { name: 'PGRST_SCHEMA', value: 'api' },
                  { name: 'PGRST_PENDING', value: '001' },
                ],
              },
            ],
          },
        },
      },
    });
  });

  test.each<[string, Partial<World>, Readonly<Record<string, WorkResult>>, string, string]>([
    ['runs', { jobs: [{ ...job, state: 'running' }] }, {}, 'False BeforeMigrationRunning', 'False'],
    [
      'has failed',
      { jobs: [{ ...job, state: 'failed', tail: 'disk full' }] },
      {},
      'False BeforeMigrationFailed',
      'True',
    ],
    [
      'is refused by the API server',
      {},
      { job: { kind: 'jobRefused', message: 'spec.template: Invalid value' } },
      'False BeforeMigrationFailed',
      'True',
    ],
    [
      'of another set of migrations does not count',
      { jobs: [{ ...job, pendingHash: 'other', state: 'running' }] },
      {},
      'False BeforeMigrationRunning',
      'False',
    ],
  ])('%s', (_name, changes, results, ready, stalled) => {
    const plan = run(world(changes), { apply: needsJob, ...results });
    expect(says(plan, 'Ready')).toBe(ready);
    expect(says(plan, 'Stalled').split(' ')[0]).toBe(stalled);
    expect(plan.outcome.kind).toBe(stalled === 'True' ? 'blocked' : 'waiting');
  });

  test.each<[string, WorkState<WorkResult>]>([
    ['has failed', { state: 'failed', message: 'create jobs: connection refused', at: worldNow }],
    [
      'is tried again',
      { state: 'running', failure: { message: 'create jobs: connection refused', at: worldNow } },
    ],
  ])('whose creation %s says nothing about the database', (_name, state) => {
    const start = world();
    const work = new Map<string, WorkState<WorkResult>>();
    for (const { id } of decide(start).work ?? []) work.set(id, done(needsJob));
    for (const { id } of decide({ ...start, work }).work ?? [])
      if (id.startsWith('job-')) work.set(id, state);
    const plan = decide({ ...start, work });
    expect(says(plan, 'Ready')).toBe('False Reconciling');
    expect(says(plan, 'Stalled')).toBe('False Reconciling');
    expect(findCondition(plan.status?.conditions, 'Ready')?.message).toBe(
      'The Job of spec.beforeMigration could not be created: create jobs: connection refused. It is tried again.',
    );
    expect(plan.outcome.kind).toBe('waiting');
  });

  test('that failed shows the end of its log', () => {
    const failed = { ...job, state: 'failed' as const, tail: 'disk full' };
    const plan = run(world({ jobs: [failed] }), { apply: needsJob });
    expect(findCondition(plan.status?.conditions, 'Ready')?.message).toContain('disk full');
  });
});

test('an ApiSchema that another one waits for is named, and nothing is run', () => {
  const message = 'ApiSchema base of spec.dependsOn has not been applied yet: its conditions say why.';
  const plan = decide(schemaWorld(apiSchema(), { unmetDependency: message }));
  expect(says(plan, 'Ready')).toBe('False WaitingForDependency');
  expect(plan.work, 'nothing new is begun, what runs goes on').toBeUndefined();
});
