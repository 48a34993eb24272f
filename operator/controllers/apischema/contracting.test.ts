import { describe, expect, test } from 'vitest';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { sqlChecksum } from '../../migration/checksum.ts';
import { apiSchema, done, schemaWorld, worldNow } from '../../testing/schemaWorld.ts';
import type { SurveyResult } from './contractOrder.ts';
import type { SchemaPlan } from './plan.ts';
import { decide } from './decide.ts';
import { resyncMs } from './order.ts';
import type { SchemaWorkState, WorkResult, World } from './world.ts';

import { follower, kinds, newest, old, run, says, summary, usage } from '../../testing/schemaStages.ts';

describe('a contraction', () => {
  const sql = 'alter table t drop column due';
  const stem = `contraction/drop-due@${sqlChecksum(sql).slice(0, 12)}/`;
  const target = `${stem}${old}`;
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
      world: world(
        {},
        { approved: [`contraction/drop-due@000000000000/${old}`], usage: [usage(newest, 2, true)] },
      ),
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
      name: 'is not approved by an approval that speaks of fewer releases',
      world: world({}, { approved: [stem], usage: [usage(newest, 2, true), usage(old, 1)] }),
      survey: surveyed(old),
      pending: 'True AwaitingApproval',
      orders: ['apply', 'survey'],
    },
    {
      name: 'is approved by an approval that speaks of more releases',
      world: world({}, { approved: [target], usage: [usage(newest, 2, true)] }),
      survey: surveyed(),
      pending: 'True Contracting',
      orders: ['apply', 'survey', 'contract'],
    },
    {
      name: 'never ends what an instance serves, although its revision cannot be read',
      world: world({ approval: 'Automatic' }, { followers: [{ ...follower, serves: old }], usage: [] }),
      survey: surveyed(old),
      pending: 'True ReleasesInUse',
      orders: ['apply', 'survey'],
      message: /web serves a release that needs/,
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

  describe('that runs', () => {
    /** The decision while it runs, and the world that it was made of. */
    const running = (results: { readonly survey: SurveyResult }) => {
      const start = world({ approval: 'Automatic' }, { usage: [usage(newest, 2, true)] });
      const plan = run(start, { apply: applied, ...results });
      const work = new Map<string, SchemaWorkState>(
        (plan.work ?? []).map(({ id }) => [
          id,
          id.startsWith('contract-')
            ? { state: 'running' }
            : done(id.startsWith('survey-') ? results.survey : applied, worldNow),
        ]),
      );
      const status = plan.status ?? {};
      return { ...start, work, object: { ...start.object, status } };
    };

    test.each<[string, Partial<World>, boolean]>([
      ['goes on past the resync, which waits', { now: worldNow + resyncMs }, true],
      [
        'goes on while something else begins to roll',
        { followers: [{ ...follower, name: 'a', rollsTo: newest, isRolling: true }, follower] },
        true,
      ],
      ['ends when what it ends has got traffic', { usage: [usage(old, 1, true)] }, false],
    ])('%s', (_name, changes, goesOn) => {
      const plan = decide({ ...running({ survey: surveyed(old) }), ...changes });
      expect(kinds(plan).includes('contract')).toBe(goesOn);
      expect(kinds(plan).filter((kind) => kind === 'apply')).toHaveLength(1);
    });
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
