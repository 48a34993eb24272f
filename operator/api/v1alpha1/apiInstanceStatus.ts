import { z } from 'zod';
import { conditions } from './shared.ts';

const time = z.iso.datetime();
const dateTime = { format: 'date-time' };

const revisionNumber = z.int().min(1);

const revisionStatus = z.object({
  revision: revisionNumber.describe(
    'Number of the revision; its objects are called <instance>-r<number>-<5 hex digits>.',
  ),
  release: z.string().max(8).describe('Id of the release that it serves.'),
  replicas: z.int().min(0).describe('Pods that it has.'),
  ready: z.int().min(0).describe('Pods of it that are ready and proved.'),
  version: z
    .string()
    .max(32)
    .optional()
    .describe('Version of PostgREST that its pods were seen to run; absent while none has said it.'),
});

/** The verbs of `pgrst.dev/action`. */
export const verbs = [
  'promote',
  'promote-full',
  'pause',
  'resume',
  'abort',
  'rollback',
  'retry',
  'restart',
  'reload',
  'approve',
] as const;
/** A verb of `pgrst.dev/action`. */
export type Verb = (typeof verbs)[number];

/** How a rollout ended. */
export const outcomes = [
  'Promoted',
  'FastPromoted',
  'Aborted',
  'Superseded',
  'RolledBack',
  'FastRolledBack',
] as const;
/** How a rollout ended: `Fast` where steps were skipped, or a rollback found its pods still warm. */
export type RolloutOutcome = (typeof outcomes)[number];

/** Why a revision was rejected. */
export const rejections = ['Aborted', 'RolledBack', 'AnalysisFailed', 'ProgressDeadlineExceeded'] as const;

const analysisStatus = z
  .object({
    revision: revisionNumber.describe('The revision that is judged.'),
    weight: z.int().min(0).max(100).describe('The share at which it is judged.'),
    verdict: z
      .enum(['Running', 'Passed', 'TooFewRequests', 'Inconclusive'])
      .describe(
        'TooFewRequests: nothing speaks against it, but too little for it. Inconclusive: a source of numbers cannot be read. A check that fails is told in `rejected` and `history`.',
      ),
    message: z.string().max(1024).describe('Each check with its value, its threshold and its samples.'),
  })
  .describe('The judgement of the candidate at the weight that it has; renewed when its verdict changes.');

/** `status` of an ApiInstance. */
export const apiInstanceStatus = z
  .object({
    observedGeneration: z
      .int()
      .min(0)
      .optional()
      .describe('The metadata.generation that this status speaks of.'),
    conditions: conditions.optional(),
    replicas: z.int().min(0).optional().describe('Pods of the stable revision (scale subresource).'),
    selector: z
      .string()
      .max(1024)
      .optional()
      .describe('Label selector of the pods of the stable revision (scale subresource).'),
    stable: revisionStatus.optional().describe('The revision that has the traffic when no rollout runs.'),
    candidate: revisionStatus
      .optional()
      .describe('The revision that is being rolled out, or rolled back to.'),
    traffic: z
      .object({
        revision: revisionNumber.describe('The revision behind the canary Ingress.'),
        weight: z
          .int()
          .min(0)
          .max(100)
          .describe('Percent of the traffic that the operator has asked for it.'),
        provedWeight: z
          .int()
          .min(0)
          .max(100)
          .optional()
          .describe('Percent that was last proved by responses through every ingress replica.'),
        provedAt: z.iso
          .datetime()
          .optional()
          .describe('When that was (RFC 3339).')
          .meta({ format: 'date-time' }),
      })
      .optional()
      .describe('What the ingress has been asked for, and what it was seen to do.'),
    step: z
      .int()
      .min(0)
      .optional()
      .describe('Index into rollout.steps; equal to their number once all are done.'),
    pausedSince: z.iso
      .datetime()
      .optional()
      .describe('When the pause at `step` began (RFC 3339); absent when no pause runs.')
      .meta({ format: 'date-time' }),
    heldSince: time
      .optional()
      .describe(
        'Since when the action pause holds the rollout where it is, whatever the steps say (RFC 3339).',
      )
      .meta(dateTime),
    fast: z
      .boolean()
      .optional()
      .describe(
        'True when nothing is waited for but proofs: after promote-full, and on a way back to a revision whose pods are still warm.',
      ),
    startedAt: time
      .optional()
      .describe('When the rollout or the way back began (RFC 3339); absent when none runs.')
      .meta(dateTime),
    progressedAt: time
      .optional()
      .describe('When it last got further: what progressDeadline counts from (RFC 3339).')
      .meta(dateTime),
    analysis: analysisStatus.optional(),
    breaking: z
      .object({
        revision: revisionNumber.describe('The candidate.'),
        stable: revisionNumber.describe('The revision that it was compared with.'),
        total: z.int().min(0).describe('How many breaking changes there are.'),
        changes: z
          .array(z.string().max(256))
          .max(20)
          .describe('The first 20, each in a sentence.')
          .meta({ 'x-kubernetes-list-type': 'atomic' }),
        approved: z.boolean().optional().describe('True once somebody has approved them.'),
      })
      .optional()
      .describe('What clients of stable would lose with the candidate (rollout.breaking: Hold).'),
    restart: z
      .object({
        revision: revisionNumber.describe('The revision whose pods were replaced.'),
        at: time.describe('When that was asked for (RFC 3339).').meta(dateTime),
      })
      .optional()
      .describe('The last restart.'),
    reload: z
      .object({
        revision: revisionNumber.describe('The revision whose pods were to load everything anew.'),
        at: time.describe('When that was asked for (RFC 3339).').meta(dateTime),
        way: z
          .enum(['Notify', 'Replace'])
          .describe(
            'Notify: the pods are told, one after the other. Replace: they cannot hear it (behind a pooler), so new ones take their places.',
          ),
        doneAt: time
          .optional()
          .describe('When every pod was seen to have done it (RFC 3339); absent until then.')
          .meta(dateTime),
      })
      .optional()
      .describe('The last reload that somebody asked for.'),
    change: z
      .object({
        from: revisionNumber.describe('The revision that serves.'),
        to: revisionNumber.describe('The revision of the spec.'),
        effect: z
          .enum(['None', 'Reload', 'NewPods'])
          .describe(
            'What it takes: nothing; a reload of the pods that are there; or new pods, which a rollout brings.',
          ),
        what: z
          .array(z.string().max(128))
          .max(20)
          .describe('What differs: PostgREST parameters by name, and release, image, routes and the like.')
          .meta({ 'x-kubernetes-list-type': 'atomic' }),
      })
      .optional()
      .describe(
        'What the spec changes beside what serves, before and while it is done; absent when nothing does.',
      ),
    timeouts: z
      .object({
        statement: z
          .string()
          .max(16)
          .optional()
          .describe('statement_timeout; absent where the spec sets none.'),
        pool: z.string().max(16).describe('Longest wait for a connection.'),
        request: z.string().max(16).describe('The gate waits so long for PostgREST.'),
        ingress: z.string().max(16).describe('The ingress waits so long for the gate.'),
        preStop: z
          .string()
          .max(16)
          .describe('A pod that is to stop still takes new connections for so long.'),
        drain: z.string().max(16).describe('Then requests in flight have so long to end.'),
        gracePeriod: z.string().max(16).describe('The kubelet kills what is left after so long.'),
      })
      .optional()
      .describe('The chain of waits of the revision that serves, each shorter than the next.'),
    pooler: z
      .object({
        version: z.string().max(32).optional().describe('The oldest PgBouncer that was seen to run.'),
        processes: z
          .int()
          .min(0)
          .describe('PgBouncer processes that may have connections, stopping ones too.'),
        ready: z.int().min(0).describe('Pods of the newest template that are ready.'),
        connectionsPerProcess: z
          .int()
          .min(1)
          .describe('Server connections that each process may have: its share of maxServerConnections.'),
        poolSize: z.int().min(1).describe('Of these, how many one revision may have.'),
        configuration: z
          .string()
          .max(12)
          .optional()
          .describe('Tells one configuration from another: the last that all pods were seen to have.'),
      })
      .optional()
      .describe('PgBouncer as it was last seen.'),
    rejected: z
      .array(
        z.object({
          revision: revisionNumber.describe('Number of the rejected revision.'),
          hash: z
            .string()
            .max(64)
            .describe('Hash of its content: only a different content, or retry, clears it.'),
          to: z.int().min(0).describe('The revision that serves instead; 0: the service of rollout.from.'),
          reason: z.enum(rejections).describe('Why it was rejected.'),
          message: z.string().max(1024).optional().describe('What failed: check, value, threshold, samples.'),
          at: z.iso.datetime().describe('When (RFC 3339).').meta({ format: 'date-time' }),
        }),
      )
      .max(50)
      .optional()
      .describe('Revisions that were aborted, rolled back or sent back by a check, newest first; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    lastAction: z
      .object({
        verb: z.enum(verbs).describe('What was asked for.'),
        target: z.int().min(0).describe('The revision it was resolved to; 0 where the verb has none.'),
        id: z.string().max(64).describe('Id of the accepted action.'),
        at: z.iso.datetime().describe('When it was carried out (RFC 3339).').meta({ format: 'date-time' }),
        result: z.string().max(1024).describe('What came of it.'),
      })
      .optional()
      .describe('The last action that a person asked for by annotation.'),
    history: z
      .array(
        z.object({
          revision: revisionNumber.describe('The revision that was rolled out.'),
          release: z.string().max(8).describe('Id of the release that it serves.'),
          from: z
            .int()
            .min(0)
            .optional()
            .describe(
              'The revision that had the traffic before; absent for the first, 0: the service of rollout.from.',
            ),
          outcome: z.enum(outcomes).describe('How it ended.'),
          message: z
            .string()
            .max(1024)
            .optional()
            .describe('Why, where there is more to say than the outcome.'),
          startedAt: time.optional().describe('When it began (RFC 3339).').meta(dateTime),
          at: z.iso.datetime().describe('When it ended (RFC 3339).').meta({ format: 'date-time' }),
        }),
      )
      .max(50)
      .optional()
      .describe('Rollouts that ended, newest first; at most 50.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe('What the operator saw and did.');
/** `status` of an ApiInstance. */
export type ApiInstanceStatus = z.infer<typeof apiInstanceStatus>;
