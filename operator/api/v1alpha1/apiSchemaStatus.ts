import { z } from 'zod';
import { conditions } from './shared.ts';

const dateTime = z.iso.datetime();
const place = {
  statement: z.int().min(1).optional().describe('Which statement of it, counted from 1.'),
  line: z.int().min(1).optional().describe('Which line of its SQL, counted from 1.'),
};
const source = z
  .string()
  .max(128)
  .describe('The migration or contraction; `api` for the API SQL, `tests` for the tests.');

/** One published release, as status and the ledger name it. */
export const release = z.object({
  id: z
    .string()
    .max(8)
    .regex(/^[0-9a-f]{8}$/)
    .describe('8 hex digits: hash of the API SQL and of the migrations under it.'),
  schema: z.string().max(63).describe('The PostgreSQL schema that holds it.'),
  builtAt: dateTime.describe('When it was published (RFC 3339).').meta({ format: 'date-time' }),
});
/** One published release. */
export type Release = z.infer<typeof release>;

const keptRelease = release.extend({
  usedBy: z
    .array(
      z.object({
        instance: z.string().max(253).describe('Name of the ApiInstance.'),
        revision: z.int().min(1).describe('Its revision that serves the release.'),
        hasTraffic: z
          .boolean()
          .optional()
          .describe('True while the revision is stable or candidate; absent when it is only kept.'),
      }),
    )
    .max(50)
    .optional()
    .describe('Kept revisions that use it, at most 50; none: it is dropped after a while.')
    .meta({ 'x-kubernetes-list-type': 'atomic' }),
  ending: z
    .boolean()
    .optional()
    .describe(
      'True while an approved contraction ends it: revisions that use it leave the rollback window, then it is dropped.',
    ),
});

const appliedEntry = z.object({
  name: z.string().max(128).describe('Its name.'),
  appliedAt: dateTime.describe('When it was committed (RFC 3339).').meta({ format: 'date-time' }),
  durationMs: z.int().min(0).describe('How long it took, in milliseconds.'),
});

const lane = (what: string) =>
  z
    .object({
      applied: z.int().min(0).describe(`How many ${what} of the spec are in the ledger.`),
      pending: z.int().min(0).describe('How many are not.'),
      last: z
        .array(appliedEntry)
        .max(50)
        .describe('The newest applied ones, newest first; at most 50.')
        .meta({ 'x-kubernetes-list-type': 'atomic' }),
    })
    .optional()
    .describe(`How far the ${what} are.`);

const finding = z.object({
  rule: z.string().max(64).describe("Name of the rule; those of our own begin with 'pgrst/'."),
  level: z.enum(['error', 'warning']).describe('How bad it is.'),
  source,
  ...place,
  message: z.string().max(1024).describe('What is so, why that is dangerous, and the safe way.'),
});

const change = z.object({
  kind: z.string().max(32).describe('What changes: relation, column, function, parameter, grant, ...'),
  name: z.string().max(256).describe('Its name, without the schema.'),
  change: z.enum(['added', 'removed', 'changed']).describe('What becomes of it.'),
  breaking: z.boolean().describe('Whether a client that works today may stop working.'),
  detail: z.string().max(512).describe('A sentence.'),
});
/** One thing that the API gains, loses or changes. */
export type Change = z.infer<typeof change>;

const changes = z
  .array(change)
  .max(50)
  .describe('What the API gains and loses, breaking changes first; at most 50.')
  .meta({ 'x-kubernetes-list-type': 'atomic' });

const plan = z
  .object({
    generation: z.int().min(0).describe('The metadata.generation that was planned.'),
    plannedAt: dateTime.describe('When (RFC 3339).').meta({ format: 'date-time' }),
    statements: z
      .array(
        z.object({
          source,
          ...place,
          text: z.string().max(256).describe('The statement, its constants left out, cut at 200 characters.'),
          transaction: z.boolean().describe('False: it runs alone, and was not tried.'),
          locks: z
            .array(z.string().max(256))
            .max(20)
            .optional()
            .describe(
              'Locks that it takes on what was there before, such as `public.tasks: AccessExclusiveLock`.',
            )
            .meta({ 'x-kubernetes-list-type': 'atomic' }),
          rewrites: z
            .array(z.string().max(256))
            .max(20)
            .optional()
            .describe('Tables that it writes anew from beginning to end.')
            .meta({ 'x-kubernetes-list-type': 'atomic' }),
        }),
      )
      .max(50)
      .describe('What would run, in order; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    total: z.int().min(0).describe('How many statements would run.'),
    changes: changes.optional(),
    contractions: z
      .array(
        z.object({
          name: z.string().max(128).describe('Its name.'),
          ends: z
            .array(z.string().max(8))
            .max(50)
            .describe('Ids of the releases that need what it takes away: it would end them; at most 50.')
            .meta({ 'x-kubernetes-list-type': 'atomic' }),
          needs: z
            .array(z.string().max(512))
            .max(10)
            .describe('What in them needs it, a sentence each; at most 10.')
            .meta({ 'x-kubernetes-list-type': 'atomic' }),
          fits: z
            .boolean()
            .describe(
              'PostgreSQL took it once those releases were gone. False also when it was not tried: see problems.',
            ),
        }),
      )
      .max(50)
      .optional()
      .describe('The pending contractions, in order; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    problems: z
      .array(z.string().max(1024))
      .max(20)
      .optional()
      .describe('What would stop it, or could not be tried.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('What would run: asked for by the annotation pgrst.dev/action: plan, or by suspend.');

/** `status` of an ApiSchema. */
export const apiSchemaStatus = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .optional()
      .describe('The metadata.generation that this status speaks of.'),
    conditions: conditions.optional(),
    release: release
      .optional()
      .describe('The newest release: what instances that follow this schema will serve.'),
    releases: z
      .array(keptRelease)
      .max(50)
      .optional()
      .describe('The published releases, newest first; at most 50, those in use before the others.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    notDropped: z
      .string()
      .max(4096)
      .optional()
      .describe(
        'Why releases that no kept revision uses are still in the database; absent when nothing stands in the way of dropping them.',
      ),
    migrations: lane('migrations'),
    contractions: lane('contractions'),
    findings: z
      .array(finding)
      .max(50)
      .optional()
      .describe('What the lint found in SQL that was about to run, the worst first; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    changes: changes
      .optional()
      .describe(
        'What the newest release, or the one that waits for approval, changes for clients; at most 50.',
      ),
    tests: z
      .object({
        passed: z.int().min(0).describe('Tests that passed.'),
        failed: z.int().min(0).describe('Tests that failed.'),
        lines: z
          .array(z.string().max(512))
          .max(50)
          .describe('TAP lines of those that failed; at most 50.')
          .meta({ 'x-kubernetes-list-type': 'atomic' }),
      })
      .optional()
      .describe('How the pgTAP tests of the newest build ended.'),
    plan: plan.optional(),
    approved: z
      .array(z.string().max(256))
      .max(20)
      .optional()
      .describe('What people have approved, newest first: releases and contractions, each by its content.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    lastAction: z
      .object({
        verb: z.enum(['plan', 'approve']).describe('What was asked for.'),
        target: z.string().max(256).describe('What it was resolved to.'),
        id: z.string().max(64).describe('Id of the accepted action.'),
        at: dateTime.describe('When it was accepted (RFC 3339).').meta({ format: 'date-time' }),
      })
      .optional()
      .describe('The last action that a person asked for by annotation.'),
    lastError: z
      .object({
        migration: z
          .string()
          .max(128)
          .optional()
          .describe('The migration that failed; absent when the API SQL did.'),
        ...place,
        sqlstate: z.string().max(5).optional().describe('The SQLSTATE that PostgreSQL gave.'),
        message: z.string().max(4096).describe("PostgreSQL's message, or ours."),
        hint: z.string().max(4096).optional().describe("PostgreSQL's hint, or what to do."),
      })
      .optional()
      .describe('Why the newest spec could not be applied; absent when it could.'),
  })
  .describe('What the operator saw and did.');
/** `status` of an ApiSchema. */
export type ApiSchemaStatus = z.infer<typeof apiSchemaStatus>;
