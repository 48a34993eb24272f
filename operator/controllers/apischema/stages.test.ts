import { describe, expect, test } from 'vitest';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { sqlChecksum } from '../../migration/checksum.ts';
import { apiSchema, done, schemaWorld, summaryOf, worldNow } from '../../testing/schemaWorld.ts';
import type { SurveyResult } from './contractOrder.ts';
import { decide } from './decide.ts';
import type { SchemaPlan } from './plan.ts';
import type { Follower, Usage, WorkResult, World } from './world.ts';

const old = '11111111';
const newest = '22222222';
const summary = {
  ...summaryOf(newest),
  releases: [
    { id: newest, schema: `api_${newest}`, builtAt: '2025-12-31T00:00:00Z' },
    { id: old, schema: `api_${old}`, builtAt: '2025-12-30T00:00:00Z' },
  ],
};
const usage = (release: string, revision: number, hasTraffic = false): Usage => ({
  instance: 'web',
  revision,
  release,
  hasTraffic,
});
const follower: Follower = { name: 'web', follows: true, serves: newest, isRolling: false };

/** Carries decisions out until nothing new is ordered; each order ends with what `results` has for its kind. */
function run(world: World, results: Readonly<Record<string, WorkResult>>): SchemaPlan {
  let current = world;
  for (let round = 0; round < 10; round += 1) {
    const plan = decide(current);
    const orders = plan.work ?? [];
    const work = new Map(
      orders.flatMap(({ id }) => {
        const result = results[id.split('-')[0] ?? ''];
        return result === undefined ? [] : [[id, done(result, worldNow)] as const];
      }),
    );
    const isSame = [...work.keys()].join() === [...current.work.keys()].join();
    const status = plan.status === undefined ? {} : { status: plan.status };
    current = { ...current, work, object: { ...current.object, ...status } };
    if (isSame) return plan;
  }
  throw new Error('it never comes to rest');
}

const kinds = (plan: SchemaPlan) => (plan.work ?? []).map(({ id }) => id.split('-')[0]);
const says = (plan: SchemaPlan, type: string) => {
  const condition = findCondition(plan.status?.conditions, type);
  return `${condition?.status ?? ''} ${condition?.reason ?? ''}`;
};

describe('a contraction', () => {
  const sql = 'alter table t drop column due';
  const target = `contraction/drop-due@${sqlChecksum(sql).slice(0, 12)}`;
  const applied: WorkResult = {
    kind: 'applied',
    summary: { ...summary, contractions: { applied: 0, pending: 1, last: [] } },
    unmapped: [],
  };
  const need = (release: string) => ({
    release,
    object: `view api_${release}.tasks`,
    how: 'depends' as const,
    what: 'column due of public.tasks',
  });
  const surveyed = (...releases: string[]): Extract<SurveyResult, { kind: 'surveyed' }> => ({
    kind: 'surveyed',
    needs: releases.map(need),
    outside: [],
    opaque: [],
  });
  const world = (
    spec: Partial<ApiSchemaSpec['contractions'][0]>,
    changes: Partial<World> & { readonly approved?: string[] } = {},
  ): World => {
    const contraction = { name: 'drop-due', sql, approval: 'Manual' as const, ...spec };
    const object = apiSchema({
      spec: { contractions: [contraction] },
      status: { approved: changes.approved ?? [] },
    });
    return schemaWorld(object, {
      followers: [follower],
      usage: [usage(newest, 2, true), usage(old, 1)],
      ...changes,
    });
  };

  const table: readonly {
    name: string;
    world: World;
    survey: SurveyResult;
    pending: string;
    orders: readonly string[];
    message?: RegExp;
    ending?: readonly string[];
    stalled?: string;
  }[] = [
    {
      name: 'waits for approval, and says what it ends',
      world: world({}),
      survey: surveyed(old),
      pending: 'True AwaitingApproval',
      orders: ['apply', 'survey'],
      message: /nobody can roll back then: web revision 1 \(release 11111111\).*column due of public\.tasks/,
    },
    {
      name: 'that nothing needs waits for approval as well',
      world: world({}),
      survey: surveyed(),
      pending: 'True AwaitingApproval',
      orders: ['apply', 'survey'],
      message: /No release needs what it takes away/,
    },
    {
      name: 'never ends a revision that has traffic, approved or not',
      world: world({}, { usage: [usage(newest, 2, true), usage(old, 1, true)], approved: [target] }),
      survey: surveyed(old),
      pending: 'True ReleasesInUse',
      orders: ['apply', 'survey'],
      message: /web revision 1 .*has traffic/,
    },
    {
      name: 'never ends the newest release',
      world: world({ approval: 'Automatic' }),
      survey: surveyed(newest),
      pending: 'True ReleasesInUse',
      orders: ['apply', 'survey'],
      message: /the newest release, 22222222, needs/,
    },
    {
      name: 'never ends a release that a spec names',
      world: world(
        {},
        { approved: [target], followers: [follower, { ...follower, name: 'pin', pins: old }] },
      ),
      survey: surveyed(old),
      pending: 'True ReleasesInUse',
      orders: ['apply', 'survey'],
      message: /spec\.schemaRef\.release of pin/,
    },
    {
      name: 'waits until the revisions that it ends are gone',
      world: world({}, { approved: [target] }),
      survey: surveyed(old),
      pending: 'True EndingReleases',
      orders: ['apply', 'survey'],
      ending: [old],
    },
    {
      name: 'runs when they are gone',
      world: world({}, { approved: [target], usage: [usage(newest, 2, true)] }),
      survey: surveyed(old),
      pending: 'True Contracting',
      orders: ['apply', 'survey', 'contract'],
      ending: [old],
    },
    {
      name: 'runs without approval when it may',
      world: world({ approval: 'Automatic' }, { usage: [usage(newest, 2, true)] }),
      survey: surveyed(),
      pending: 'True Contracting',
      orders: ['apply', 'survey', 'contract'],
    },
    {
      name: 'is not approved by the approval of another text',
      world: world({}, { approved: ['contraction/drop-due@000000000000'], usage: [usage(newest, 2, true)] }),
      survey: surveyed(),
      pending: 'True AwaitingApproval',
      orders: ['apply', 'survey'],
    },
    {
      name: 'that was tried and refused needs a person, approved or not',
      world: world({}, { approved: [target] }),
      survey: { ...surveyed(old), refusal: 'Contraction drop-due: view v needs it.' },
      pending: 'True ContractionFailed',
      orders: ['apply', 'survey'],
      stalled: 'True ContractionFailed',
      message: /^Contraction drop-due: view v needs it\. It was tried/,
    },
    {
      name: 'that cannot be read needs a person',
      world: world({}),
      survey: { kind: 'contractionRefused', message: 'Contraction drop-due: syntax error.' },
      pending: 'True ContractionFailed',
      orders: ['apply', 'survey'],
      stalled: 'True ContractionFailed',
    },
  ];

  test.each(table)('$name', ({ world: start, survey, pending, orders, message, ending = [], stalled }) => {
    const plan = run(start, { apply: applied, survey });
    expect(says(plan, 'ContractionPending')).toBe(pending);
    expect(says(plan, 'Ready')).toBe('True Applied');
    expect(says(plan, 'Stalled')).toBe(stalled ?? 'False Applied');
    expect(kinds(plan).filter((kind) => kind !== 'collect')).toEqual(orders);
    if (message !== undefined)
      expect(findCondition(plan.status?.conditions, 'ContractionPending')?.message).toMatch(message);
    expect(plan.status?.releases?.filter((each) => each.ending).map(({ id }) => id) ?? []).toEqual(ending);
  });

  test('is not tried while it would touch what is in use, and looked at again when that changes', () => {
    const survey = (changes: Partial<World>) => {
      const plan = run(world({}, changes), { apply: applied, survey: surveyed(old) });
      return plan.work?.find(({ id }) => id.startsWith('survey-'));
    };
    const inUse = (order: ReturnType<typeof survey>) =>
      order?.spec.kind === 'survey' ? order.spec.request.inUse : undefined;
    const kept = survey({});
    const routed = survey({ usage: [usage(newest, 2), usage(old, 1, true)] });
    const pinned = survey({ followers: [follower, { ...follower, name: 'pin', pins: old }] });
    expect([kept, routed, pinned].map(inUse)).toEqual([[newest], [old, newest], [old, newest]]);
    expect(routed?.id).toBe(pinned?.id);
    expect(routed?.id).not.toBe(kept?.id);
  });

  test('waits for the Job as migrations do', () => {
    const start = world({ approval: 'Automatic' }, { usage: [usage(newest, 2, true)] });
    const template = { spec: { template: { spec: { containers: [{ name: 'backup' }] } } } };
    const value = { ...start.object.spec, beforeMigration: { jobTemplate: template } };
    const withJob = { ...start, spec: { kind: 'valid', value } as const };
    const plan = run(withJob, { apply: applied, survey: surveyed() });
    expect(says(plan, 'ContractionPending')).toBe('True BeforeMigrationRunning');
    expect(kinds(plan)).toEqual(['apply', 'survey', 'job', 'collect']);
    expect(plan.outcome.kind).toBe('waiting');
    const order = plan.work?.find(({ id }) => id.startsWith('job-'));
    const job = order?.spec.kind === 'job' ? order.spec.job : undefined;
    const pendingHash = job?.metadata.annotations?.['pgrst.dev/pending'] ?? '';
    const failed = { name: 'j', pendingHash, state: 'failed' as const, tail: 'disk full' };
    const stopped = run({ ...withJob, jobs: [failed] }, { apply: applied, survey: surveyed() });
    expect(says(stopped, 'Stalled')).toBe('True BeforeMigrationFailed');
    const done = { ...withJob, jobs: [{ ...failed, state: 'succeeded' as const }] };
    expect(kinds(run(done, { apply: applied, survey: surveyed() }))).toContain('contract');
  });

  test('that PostgreSQL refuses needs a person, and is not tried again by itself', () => {
    const start = world({ approval: 'Automatic' }, { usage: [usage(newest, 2, true)] });
    const refused: WorkResult = { kind: 'contractionRefused', message: 'Contraction drop-due: needed.' };
    const results = { apply: applied, survey: surveyed(), contract: refused };
    const plan = run(start, results);
    expect(says(plan, 'Stalled')).toBe('True ContractionFailed');
    const contract = (each: SchemaPlan) => each.work?.find(({ id }) => id.startsWith('contract-'))?.id;
    const later = run({ ...start, now: worldNow + 10_000_000 }, results);
    expect(contract(later)).toBe(contract(plan));
  });
});

test('a plan says in status what a contraction would end, bounded', () => {
  const needs = Array.from({ length: 12 }, (_, index) => ({
    release: index < 6 ? old : newest,
    object: `view v${String(index)}`,
    how: 'mentions' as const,
    what: 'table public.t',
  }));
  const planned: WorkResult = {
    kind: 'planned',
    statements: [],
    problems: [],
    contractions: [{ name: 'drop-t', needs, outside: [], opaque: [], fits: true }],
  };
  const plan = run(schemaWorld(apiSchema({ spec: { suspend: true } })), { plan: planned });
  expect(plan.status?.plan?.contractions).toEqual([
    {
      name: 'drop-t',
      ends: [old, newest],
      needs: needs.slice(0, 10).map(({ object }) => `${object} mentions table public.t.`),
      fits: true,
    },
  ]);
});

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
      metadata: { name: job.name, namespace: 'shop', ownerReferences: [{ uid: 'uid-1' }] },
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
