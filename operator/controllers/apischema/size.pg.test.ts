import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../runtime/clock.ts';
import { findCondition } from '../../runtime/conditions.ts';
import { createFakeKube, type FakeKube } from '../../testing/fakeKube.ts';
import { largeProject, projectRef, type ProjectSize } from '../../testing/largeProject.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/pgTemplate.ts';
import { driveSchemaController } from '../../testing/schemaController.ts';
import { resyncMs } from './order.ts';

// What of this is slow at full size is measured by `npm run bench -- size`.
const size: ProjectSize = { migrations: 500, views: 300, apiBytes: 300_000, configMapBytes: 120_000 };
let database: TestDatabase;
let kube: FakeKube;
let elapsedMs = 0;
let controller: ReturnType<typeof driveSchemaController>;

beforeAll(async () => {
  database = await createTestDatabase();
  kube = createFakeKube();
  const clock = { ...systemClock, now: () => systemClock.now() + elapsedMs };
  controller = driveSchemaController(kube.client, clock, `${projectRef.namespace}/${projectRef.name}`);
});

afterAll(async () => {
  await controller.close();
  await database.drop();
});

/** Stores the project and reconciles it to its end. */
async function settleAs(version: number, changes: Partial<ProjectSize> = {}) {
  for (const object of largeProject({ ...size, ...changes }, database.uri, version)) kube.put(object);
  return await settle();
}

async function settle() {
  const { outcome, conditions } = await controller.settle();
  return { outcome, applied: findCondition(conditions, 'Applied') };
}

async function releases(): Promise<readonly { views: number; version: number }[]> {
  const schemas = await database.query<{ name: string }>(
    'select schema_name as name from pgrst_ledger.releases order by built_at',
  );
  return await Promise.all(
    schemas.map(async ({ name }) => {
      const [row] = await database.query<{ views: number; version: number }>(
        `select (select count(*)::int from pg_views where schemaname = $1) as views,
                substring(pg_get_viewdef(format('%I.view_299', $1::text)::regclass) from '(\\d+) AS version')::int as version`,
        [name],
      );
      return row ?? { views: 0, version: 0 };
    }),
  );
}

describe('a large project', () => {
  test('many migrations and views, from several ConfigMaps, become a release', async () => {
    const { outcome, applied } = await settleAs(1);
    expect(kube.all('ConfigMap').filter(({ metadata }) => metadata.name.startsWith('api-'))).toHaveLength(3);
    expect(applied).toMatchObject({ status: 'True' });
    expect(outcome).toMatchObject({ kind: 'settled' });
    expect(await releases()).toEqual([{ views: 300, version: 1 }]);
    const [ledger] = await database.query<{ applied: number; in_order: boolean }>(
      `select count(*)::int as applied, array_agg(name order by position) = array_agg(name order by name) as in_order
         from pgrst_ledger.migrations where state = 'applied'`,
    );
    expect(ledger).toEqual({ applied: 500, in_order: true });
  });

  test('a later look finds nothing to do', async () => {
    elapsedMs += resyncMs + 1;
    // The first look says that nothing has drifted; then there is nothing left to say.
    await settle();
    elapsedMs += resyncMs + 1;
    const before = kube.writes.length;
    const { applied } = await settle();
    expect(applied).toMatchObject({ status: 'True' });
    expect(kube.writes.slice(before).filter(({ changed }) => changed)).toEqual([]);
    expect(await releases()).toHaveLength(1);
  });

  test('one changed view is a second release beside the first', async () => {
    await settleAs(2);
    expect(await releases()).toEqual([
      { views: 300, version: 1 },
      { views: 300, version: 2 },
    ]);
  });

  test('API SQL over 4 MiB is refused with its limit; nothing is changed', async () => {
    const tooMuch = { apiBytes: 4 * 1024 * 1024 + 100_000, configMapBytes: 1_000_000 };
    const { outcome, applied } = await settleAs(3, tooMuch);
    expect(outcome).toMatchObject({ kind: 'blocked' });
    expect(applied).toMatchObject({ status: 'False', reason: 'ApiBuildFailed' });
    expect(applied?.message).toContain('at most 4194304 (4 MiB) are read');
    expect(await releases()).toHaveLength(2);
  });

  test('more than 5,000 migrations are refused by the spec', async () => {
    const { applied } = await settleAs(3, { migrations: 5001 });
    expect(applied).toMatchObject({ status: 'False', reason: 'InvalidSpec' });
    expect(applied?.message).toContain('migrations: Too big: expected array to have <=5000 items');
  });
});
