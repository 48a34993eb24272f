import { expect, test } from 'vitest';
import { condition, ready } from './support/conditions.ts';
import { runJourney, type Journey, type SchemaObject } from './support/journey.ts';
import type { WrittenSchema } from './support/manifests.ts';

const backup = (script: string) => ({
  jobTemplate: {
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: 'backup',
              image: 'localhost/postgrest-operator/postgres:17',
              imagePullPolicy: 'IfNotPresent',
              command: ['sh', '-c', script],
            },
          ],
        },
      },
    },
  },
});

/** Version 2 without created_at in the API, and then without it in the table. */
const withoutCreatedAt =
  (script: string) =>
  (spec: WrittenSchema): WrittenSchema => ({
    ...spec,
    api: { sql: spec.api?.sql?.replaceAll(', created_at', '') ?? '' },
    contractions: [{ name: 'drop-created-at', sql: 'alter table data.tasks drop column created_at' }],
    breaking: 'RequireApproval',
    beforeMigration: backup(script),
  });

const says =
  (type: string, reason: string) =>
  (object: SchemaObject): boolean =>
    condition(object, type)?.reason === reason;

test('a change that takes a column away: planned, backed up, approved twice, and no request lost', () =>
  runJourney(
    'database',
    async (journey) => {
      const { schema, instance, kubectl, namespace } = journey;

      // What would it do? Suspended, it only says so.
      await journey.applySchema('v2', (spec) => ({ ...withoutCreatedAt('exit 1')(spec), suspend: true }));
      const planned = await schema.until('the plan', ({ status }) => status?.plan !== undefined);
      expect(planned.status?.plan?.problems).toEqual([
        expect.stringMatching(
          /^Contraction drop-created-at: not tried, .* have traffic: [0-9a-f]{8}\.$/,
        ) as string,
      ]);
      expect(
        planned.status?.plan?.statements.map(({ source, text }) => `${source}: ${text.split(' ')[0] ?? ''}`),
      ).toEqual(['002-due: alter', '002-due: create', 'drop-created-at: alter']);
      expect(planned.status?.plan?.statements[0]?.locks).toContain('data.tasks: AccessExclusiveLock');
      expect(planned.status?.plan?.changes).toContainEqual(
        expect.objectContaining({ name: 'tasks.created_at', change: 'removed', breaking: true }),
      );
      expect(await columns(journey)).toContain('created_at');

      // The backup fails first: nothing is migrated, and its log says why.
      await journey.applySchema('v2', withoutCreatedAt('echo "no space for $PGRST_PENDING" >&2; exit 1'));
      const failed = await schema.until('the backup has failed', says('Ready', 'BeforeMigrationFailed'));
      expect(condition(failed, 'Ready')?.message).toContain('no space for 002-due');
      expect(await columns(journey)).not.toContain('due');
      await journey.applySchema('v2', withoutCreatedAt('echo saved'));
      await kubectl(['delete', 'job', '--all', '-n', namespace]);

      // The release breaks clients: it waits for approval.
      const held = await schema.until('the release is held', says('Ready', 'BreakingChange'));
      expect(condition(held, 'Ready')?.message).toMatch(/tasks\.created_at/);
      expect(await columns(journey)).toContain('due');
      await approve(journey);
      await schema.until('the release is published', ready);

      // The contraction takes away what revision 1 needs: it waits, first for the traffic, then for approval.
      const waiting = await schema.until(
        'the contraction waits',
        says('ContractionPending', 'AwaitingApproval'),
      );
      expect(condition(waiting, 'ContractionPending')?.message).toMatch(/tasks revision 1 /);
      expect((await journey.answering(100)).join()).toBe('2');
      await approve(journey);
      await schema.until('the contraction has run', says('ContractionPending', 'NoContraction'));
      expect(await columns(journey)).not.toContain('created_at');
      const jobs = await kubectl(['get', 'jobs', '-n', namespace, '-o', 'name']);
      expect(
        jobs
          .trim()
          .split('\n')
          .filter((name) => name.includes('-before-')),
        'one backup for each',
      ).toHaveLength(2);
      const ended = await instance.until(
        'there is nothing to roll back to',
        (object) => condition(object, 'RollbackSafe')?.reason === 'NothingToRollBackTo',
      );
      expect(ended.status?.stable?.revision).toBe(2);
      expect(await journey.sql("select count(*) from pg_namespace where nspname like 'api\\_%'")).toBe('1');
    },
    (spec) => ({ ...spec, rollout: { ...spec.rollout, steps: [{ weight: 50 }] } }),
  ));

/** Columns of the table under the API. */
async function columns({ sql }: Journey): Promise<string> {
  return await sql(
    "select string_agg(attname, ',') from pg_attribute where attrelid = 'data.tasks'::regclass and attnum > 0 and not attisdropped",
  );
}

async function approve({ kubectl, namespace }: Journey): Promise<void> {
  await kubectl(['annotate', '-n', namespace, 'apischema/tasks', 'pgrst.dev/action=approve', '--overwrite']);
}
