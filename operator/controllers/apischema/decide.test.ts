import { describe, expect, test } from 'vitest';
import { apiSchemaStatus, type ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { reasons } from '../../api/v1alpha1/reasons.ts';
import { finalizer } from '../../api/v1alpha1/shared.ts';
import { findCondition } from '../../runtime/conditions.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { apiSchema, done, schemaWorld, summaryOf, worldNow } from '../../testing/schemaWorld.ts';
import { decide } from '../../testing/strictDecide.ts';
import { resyncMs } from './order.ts';
import type { SchemaPlan } from './plan.ts';
import type { Follower, WorkResult, World } from './world.ts';

const release = 'aaaa1111';
const applied: WorkResult = { kind: 'applied', summary: summaryOf(release), unmapped: [] };
const failedMigration: WorkResult = {
  kind: 'blocked',
  reason: 'MigrationFailed',
  message: 'Migration 002, statement 1 at line 1 (SQLSTATE 42P01): relation "x" does not exist.',
  error: {
    migration: '002',
    statement: 1,
    line: 1,
    sqlstate: '42P01',
    message: 'relation "x" does not exist',
  },
  summary: summaryOf(release),
};

/** A condition in one line: `Ready=False MigrationFailed`. */
function says(plan: SchemaPlan, type: string): string {
  const condition = findCondition(plan.status?.conditions, type);
  return `${type}=${condition?.status ?? 'none'} ${condition?.reason ?? ''}`;
}

/** The world after the plan was carried out, its work being in this state. */
function then(world: World, state?: WorkState<WorkResult>, changes: Partial<World> = {}): World {
  const plan = decide(world);
  const id = plan.work?.[0]?.id;
  return {
    ...world,
    object: { ...world.object, ...(plan.status === undefined ? {} : { status: plan.status }) },
    work: id === undefined || state === undefined ? new Map() : new Map([[id, state]]),
    ...changes,
  };
}

function edited(world: World, apiSql: string): World {
  const { object, sources } = world;
  if (sources.kind !== 'found') throw new Error('no sources');
  return {
    ...world,
    object: { ...object, metadata: { ...object.metadata, generation: object.metadata.generation + 1 } },
    sources: { ...sources, apiSql },
  };
}

const settled = then(then(schemaWorld(), done(applied)), done(applied));

describe('the verdict', () => {
  const follower: Follower = { name: 'web', follows: true, serves: release, isRolling: false };
  const at = worldNow;
  const table: {
    name: string;
    world: World;
    ready: string;
    served: string;
    stalled: string;
    outcome: string;
    work?: number;
  }[] = [
    {
      name: 'nothing has run yet',
      world: schemaWorld(),
      ready: 'False Applying',
      served: 'False NotServedYet',
      stalled: 'False Applying',
      outcome: 'waiting',
      work: 1,
    },
    {
      name: 'a migration runs',
      world: then(schemaWorld(), {
        state: 'running',
        progress: { phase: 'migrating', migration: '001', number: 1, of: 1 },
      }),
      ready: 'False Applying',
      served: 'False NotServedYet',
      stalled: 'False Applying',
      outcome: 'waiting',
      work: 1,
    },
    {
      name: 'somebody else holds the lock',
      world: then(schemaWorld(), {
        state: 'running',
        progress: { phase: 'waitingForLock', holder: 'postgrest-operator b (backend 7)' },
      }),
      ready: 'False LockHeld',
      served: 'False NotServedYet',
      stalled: 'False LockHeld',
      outcome: 'waiting',
      work: 1,
    },
    {
      name: 'all is applied and nobody serves it',
      world: then(schemaWorld(), done(applied)),
      ready: 'True Applied',
      served: 'True NoInstances',
      stalled: 'False Applied',
      outcome: 'settled',
      work: 1,
    },
    {
      name: 'all is applied and served',
      world: then(schemaWorld(), done(applied), { followers: [follower] }),
      ready: 'True Applied',
      served: 'True Served',
      stalled: 'False Applied',
      outcome: 'settled',
      work: 1,
    },
    {
      name: 'an instance serves an older release',
      world: then(schemaWorld(), done(applied), { followers: [{ ...follower, serves: 'bbbb2222' }] }),
      ready: 'True Applied',
      served: 'False NotServedYet',
      stalled: 'False Applied',
      outcome: 'settled',
      work: 1,
    },
    {
      name: 'an instance is being rolled out',
      world: then(schemaWorld(), done(applied), { followers: [{ ...follower, isRolling: true }] }),
      ready: 'True Applied',
      served: 'False NotServedYet',
      stalled: 'False Applied',
      outcome: 'settled',
      work: 1,
    },
    {
      name: 'an instance names an older release on purpose',
      world: then(schemaWorld(), done(applied), {
        followers: [{ ...follower, follows: false, serves: 'bbbb2222' }],
      }),
      ready: 'True Applied',
      served: 'True NoInstances',
      stalled: 'False Applied',
      outcome: 'settled',
      work: 1,
    },
    {
      name: 'a migration has failed',
      world: then(schemaWorld(), done(failedMigration), { followers: [follower] }),
      ready: 'False MigrationFailed',
      served: 'False NotServedYet',
      stalled: 'True MigrationFailed',
      outcome: 'blocked',
      work: 1,
    },
    {
      name: 'the database cannot be reached',
      world: then(schemaWorld(), { state: 'failed', message: 'DatabaseUnreachable: No connection.', at }),
      ready: 'False DatabaseUnreachable',
      served: 'False NotServedYet',
      stalled: 'False DatabaseUnreachable',
      outcome: 'waiting',
      work: 1,
    },
    {
      name: 'it is tried again after it could not be reached',
      world: then(schemaWorld(), {
        state: 'running',
        failure: { message: 'DatabaseUnreachable: No connection.', at },
      }),
      ready: 'False DatabaseUnreachable',
      served: 'False NotServedYet',
      stalled: 'False DatabaseUnreachable',
      outcome: 'waiting',
      work: 1,
    },
    {
      name: 'the Secret is not there',
      world: schemaWorld(apiSchema(), {
        connection: { kind: 'missing', reason: 'SecretNotFound', message: 'Secret db does not exist.' },
      }),
      ready: 'False SecretNotFound',
      served: 'False NotServedYet',
      stalled: 'True SecretNotFound',
      outcome: 'blocked',
    },
    {
      name: 'a ConfigMap is not there',
      world: schemaWorld(apiSchema(), {
        sources: { kind: 'missing', reason: 'ConfigMapNotFound', message: 'ConfigMap sql does not exist.' },
      }),
      ready: 'False ConfigMapNotFound',
      served: 'False NotServedYet',
      stalled: 'True ConfigMapNotFound',
      outcome: 'blocked',
    },
    {
      name: 'the spec is not valid',
      world: schemaWorld(apiSchema(), { spec: { kind: 'invalid', problem: 'schema: too long' } }),
      ready: 'False InvalidSpec',
      served: 'False NotServedYet',
      stalled: 'True InvalidSpec',
      outcome: 'blocked',
    },
    {
      name: 'it is suspended',
      world: {
        ...settled,
        object: { ...settled.object, spec: { ...settled.object.spec, suspend: true } },
        spec: { kind: 'valid', value: { ...settled.object.spec, suspend: true } },
      },
      ready: 'Unknown Suspended',
      served: 'Unknown Suspended',
      stalled: 'False Suspended',
      outcome: 'settled',
      work: 1, // what it would do is planned
    },
  ];
  test.each(table)('when $name', ({ world, ready, served, stalled, outcome, work }) => {
    const plan = decide(world);
    expect([says(plan, 'Ready'), says(plan, 'Applied')]).toEqual([`Ready=${ready}`, `Applied=${ready}`]);
    expect([says(plan, 'Served'), says(plan, 'Stalled')]).toEqual([`Served=${served}`, `Stalled=${stalled}`]);
    expect(plan.outcome.kind).toBe(outcome);
    expect(plan.work?.length).toBe(work);
    expect(plan.status?.observedGeneration).toBe(world.object.metadata.generation);
    expect(apiSchemaStatus.safeParse(plan.status).error).toBeUndefined();
    for (const { reason, message } of plan.status?.conditions ?? []) {
      expect(Object.keys(reasons)).toContain(reason);
      expect(message).toMatch(/\.$/);
    }
    expect(
      JSON.stringify([plan.status, plan.notes, plan.outcome, plan.work?.map(({ id }) => id)]),
    ).not.toContain('s3cret');
  });
});

describe('the work', () => {
  const idOf = (world: World) => decide(world).work?.[0]?.id;

  test.each<[string, World]>([
    ['the API SQL', edited(settled, 'create view api.t as select 2')],
    [
      'the Secret',
      {
        ...settled,
        connection: {
          kind: 'found',
          uri: 'postgres://o:new@db/app',
          passwords: new Map(),
          secrets: [],
          token: 'token-2',
        },
      },
    ],
    [
      'a migration',
      {
        ...settled,
        sources: {
          kind: 'found',
          migrations: [],
          contractions: [],
          apiSql: 'create view api.t as select 1',
        },
      },
    ],
  ])('is another when %s is', (_what, world) => {
    expect(idOf(world)).not.toBe(idOf(settled));
  });

  test('is the same when only the generation or the status is another', () => {
    const { object } = settled;
    expect(idOf({ ...settled, object: { ...object, metadata: { ...object.metadata, generation: 9 } } })).toBe(
      idOf(settled),
    );
  });

  test('is done again after the resync time, and the verdict stands meanwhile', () => {
    const later = { ...settled, now: worldNow + resyncMs };
    const plan = decide(later);
    expect(plan.work?.[0]?.id).not.toBe(idOf(settled));
    expect(plan.status).toEqual(settled.object.status);
    const running = then(later, { state: 'running' });
    expect(decide(running).status).toEqual(settled.object.status);
    expect(decide({ ...running, now: running.now + resyncMs }).work?.[0]?.id).toBe(plan.work?.[0]?.id);
    const again = then(running, done(applied, worldNow + resyncMs + 5));
    expect(decide(again).status).toEqual(settled.object.status);
    expect(decide(again).work?.[0]?.id).toBe(plan.work?.[0]?.id);
    expect(decide({ ...settled, now: worldNow + resyncMs - 1 }).work?.[0]?.id).toBe(idOf(settled));
  });

  test('is not done again when a migration has failed, however long ago', () => {
    const world = then(schemaWorld(), done(failedMigration));
    expect(decide({ ...world, now: worldNow + 100 * resyncMs }).work?.[0]?.id).toBe(idOf(world));
  });

  test('is done again when an API build has failed: roles and tables are made elsewhere too', () => {
    const result: WorkResult = {
      kind: 'blocked',
      reason: 'ApiBuildFailed',
      message: 'role "web" does not exist.',
    };
    const world = then(schemaWorld(), done(result));
    expect(decide({ ...world, now: worldNow + resyncMs }).work?.[0]?.id).not.toBe(idOf(world));
  });

  test('that runs goes on while the Secret is on its way', () => {
    const world = then(schemaWorld(), { state: 'running' });
    const plan = decide({
      ...world,
      connection: { kind: 'missing', reason: 'SecretNotFound', message: 'Secret db does not exist.' },
    });
    expect(plan.work).toBeUndefined();
  });
});

describe('after an edit', () => {
  test('the old verdict does not speak for the new generation', () => {
    const plan = decide(edited(settled, 'create view api.t as select 2'));
    expect([says(plan, 'Ready'), says(plan, 'Served')]).toEqual([
      'Ready=False Applying',
      'Served=False NotServedYet',
    ]);
    expect(plan.status?.observedGeneration).toBe(2);
    expect(plan.status?.release?.id).toBe(release);
  });

  test('that fails, the release that is served stays in status, with the error', () => {
    const plan = decide(then(edited(settled, 'x'), done({ ...failedMigration })));
    expect(plan.status).toMatchObject({
      release: { id: release },
      lastError: { migration: '002', statement: 1, line: 1, sqlstate: '42P01' },
    });
  });

  test('that puts it right, the error is gone', () => {
    const failed = then(then(schemaWorld(), done(failedMigration)), done(failedMigration));
    const status: ApiSchemaStatus = decide(then(edited(failed, 'y'), done(applied))).status ?? {};
    expect(status.lastError).toBeUndefined();
    expect(says({ ...decide(settled), status }, 'Ready')).toBe('Ready=True Applied');
  });
});

describe('events tell what is new, once', () => {
  const notes = (world: World) => decide(world).notes.map(({ type, reason }) => `${type} ${reason}`);
  test('a release, when it is published', () => {
    expect(notes(then(schemaWorld(), done(applied)))).toEqual(['Normal ReleasePublished']);
    expect(notes(settled)).toEqual([]);
  });
  test('names in strings that a new release was published with, and where they stand', () => {
    const unmapped = [{ object: 'api.f(integer)', line: 3, kind: 'string' as const }];
    const [, warning] = decide(then(schemaWorld(), done({ ...applied, unmapped }))).notes;
    expect(warning).toMatchObject({ type: 'Warning', reason: 'NamesNotMapped' });
    expect(warning?.note).toContain('api.f(integer), line 3');
    expect(notes(then(settled, done({ ...applied, unmapped })))).toEqual([]);
  });
  test('a failure, when it appears', () => {
    const failed = then(settled, done(failedMigration));
    expect(notes(failed)).toEqual(['Warning MigrationFailed']);
    expect(notes(then(failed, done(failedMigration)))).toEqual([]);
  });
});

test('the finalizer is added before anything else, beside those of others', () => {
  const plan = decide(schemaWorld(apiSchema({ metadata: { finalizers: ['other/x'] } })));
  expect(plan.metadata).toEqual({ finalizers: ['other/x', finalizer] });
  expect(decide(schemaWorld()).metadata).toBeUndefined();
});
