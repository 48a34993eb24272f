import { z } from 'zod';
import { atMost, matching, rule, transition } from './rule.ts';
import {
  conditions,
  duration,
  objectName,
  secretKeyRef,
  subdomain,
  type apiVersion,
  type ObjectMeta,
} from './shared.ts';

/** A CEL list of strings that need no escaping. */
function celList(values: readonly string[]): string {
  return `[${values.map((value) => `'${value}'`).join(', ')}]`;
}

/** A container image reference. */
const image = z.string().min(1).max(512);

const quantified = ['cpu', 'ephemeral-storage', 'memory'];

/** Quantities by resource, kept in the form that Kubernetes takes. */
const quantities = rule(
  atMost(
    z.record(
      z.string(),
      z
        .string()
        .max(32)
        .regex(/^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$/),
    ),
    8,
  ),
  {
    cel: `self.all(name, name in ${celList(quantified)})`,
    js: (value) => Object.keys(value).every((name) => quantified.includes(name)),
    message: `resources are ${quantified.join(', ')}`,
  },
);

/** Container resources: requests and limits. */
const resources = z
  .object({
    requests: quantities
      .optional()
      .describe('What the scheduler reserves, such as {cpu: 100m, memory: 64Mi}.'),
    limits: quantities.optional().describe('What the container may use at most.'),
  })
  .describe('Compute resources of the container.');

/**
 * PostgREST parameters that the operator sets itself: one source of truth for each, and a pod that cannot be pointed
 * at another database or schema than its revision says.
 */
export const ownedParameters = [
  'admin-server-host',
  'admin-server-port',
  'app-settings-revision',
  'db-channel-enabled',
  'db-schemas',
  'db-uri',
  'jwt-secret',
  'server-host',
  'server-port',
  'server-unix-socket',
] as const;

const parameterName = /^[a-z][a-z0-9-]{0,62}$/;

const config = rule(
  rule(atMost(z.record(z.string(), z.string().max(4096)), 64), {
    cel: `self.all(name, name.matches('${parameterName.source}'))`,
    js: (value) => Object.keys(value).every((name) => parameterName.test(name)),
    message:
      "PostgREST parameters are written as PostgREST's documentation has them: lower case letters, digits and '-', such as db-max-rows",
  }),
  {
    cel: `!self.exists(name, name in ${celList(ownedParameters)})`,
    js: (value) => !Object.keys(value).some((name) => (ownedParameters as readonly string[]).includes(name)),
    message: `the operator sets these PostgREST parameters itself, remove them from postgrest.config: ${ownedParameters.join(', ')}`,
  },
)
  .default({})
  .describe(
    "PostgREST parameters by their names in PostgREST's documentation, such as db-max-rows or db-anon-role; every value is written as a string.",
  );

const ownedAnnotation = /^(nginx[.]ingress[.]kubernetes[.]io[/]canary|pgrst[.]dev[/])/;

const annotations = rule(atMost(z.record(z.string(), z.string().max(4096)), 32), {
  cel: `!self.exists(name, name.matches('${ownedAnnotation.source}'))`,
  js: (value) => !Object.keys(value).some((name) => ownedAnnotation.test(name)),
  message:
    'the operator steers traffic by nginx.ingress.kubernetes.io/canary* and keeps pgrst.dev/* for itself: remove these annotations',
})
  .default({})
  .describe("Extra annotations for the Ingress. Those that steer the canary are the operator's own.");

/** A host of an Ingress: no IP address, which the API server would refuse there. */
const host = rule(
  matching(
    z.string().min(1).max(253),
    subdomain,
    "host is a DNS name in lower case letters, digits, '-' and '.', such as api.example.com",
  ),
  {
    cel: "!self.matches('^[0-9.]+$')",
    js: (value) => !/^[0-9.]+$/.test(value),
    message: 'host is a DNS name: an Ingress takes no IP address',
  },
);

const path = transition(
  matching(
    z.string().min(1).max(512),
    /^([/]|([/][-_~A-Za-z0-9][-_~.A-Za-z0-9]*)+)$/,
    "path begins with '/' and does not end with it, such as /todo; its segments have letters, digits, '-', '_', '~' and '.', and do not begin with '.'",
  ),
  {
    // The old revision's gates strip the old prefix: in the middle of a rollout only one of the two could be served.
    cel: 'self == oldSelf',
    message:
      'path is immutable: create another ApiInstance with the new path, and delete this one once nobody uses it',
  },
);

/** One step of a rollout. */
export const step = rule(
  z.object({
    weight: z
      .int()
      .min(0)
      .max(100)
      .optional()
      .describe(
        'Percent of the traffic that the candidate gets from this step on. Exactly one of weight and pause.',
      ),
    pause: z
      .object({
        duration: duration
          .optional()
          .describe(
            'How long to wait, such as 30s, counted from when the weight before it was proved. Absent: until somebody promotes.',
          ),
      })
      .optional()
      .describe('Hold the weight. Exactly one of weight and pause.'),
  }),
  {
    cel: 'has(self.weight) != has(self.pause)',
    js: (value) => (value.weight === undefined) !== (value.pause === undefined),
    message: 'a step is either a weight or a pause: set exactly one of the two',
  },
);
/** One step of a rollout. */
export type Step = z.infer<typeof step>;

/** `spec` of an ApiInstance. */
export const apiInstanceSpec = z
  .object({
    schemaRef: z
      .object({
        name: objectName.describe('Name of the ApiSchema, in the namespace of this object.'),
        release: z
          .string()
          .regex(/^[0-9a-f]{8}$/)
          .max(8)
          .optional()
          .describe('Id of the release to serve. Absent: follow the newest.'),
      })
      .describe('What is served.'),
    replicas: z
      .int()
      .min(1)
      .max(200)
      .default(2)
      .describe('PostgREST pods of the revision that has the traffic.'),
    postgrest: z
      .object({
        image: image
          .optional()
          .describe(
            "PostgREST's image. Absent: the operator's default, kept per revision, so that an operator upgrade rolls nothing.",
          ),
        config,
        jwtSecretRef: secretKeyRef
          .optional()
          .describe('Key of a Secret with the JWT secret or JWKS, given to PostgREST as jwt-secret.'),
        resources: resources.optional().describe('Compute resources of the PostgREST container.'),
      })
      .prefault({})
      .describe('How PostgREST runs.'),
    database: z
      .object({
        uriSecretRef: secretKeyRef.describe(
          'Key of a Secret that holds a libpq URI (postgres://user:password@host:port/database) of the authenticator role.',
        ),
      })
      .describe('The database to serve from.'),
    pooler: z
      .object({
        replicas: z.int().min(1).max(20).default(1).describe('PgBouncer pods.'),
        poolSize: z
          .int()
          .min(1)
          .max(1000)
          .default(20)
          .describe('Server connections of one revision in one PgBouncer pod.'),
        maxServerConnections: z
          .int()
          .min(1)
          .max(10_000)
          .default(40)
          .describe(
            'Server connections of all revisions and all PgBouncer pods together, divided evenly over the pods.',
          ),
        image: image
          .optional()
          .describe(
            "PgBouncer's image, 1.24 or newer. Absent: the operator's default, kept once the pooler runs, so that an operator upgrade rolls nothing.",
          ),
      })
      .optional()
      .describe(
        'PgBouncer in transaction mode between PostgREST and the database. Absent: PostgREST connects directly.',
      ),
    expose: z
      .object({
        host: host.describe('Host name under which clients reach the API.'),
        path: path
          .default('/')
          .describe(
            'Path prefix under which clients reach the API; it is stripped before PostgREST sees the request. Immutable.',
          ),
        className: objectName
          .default('nginx')
          .describe('IngressClass of the ingress-nginx controller that serves the host.'),
        annotations,
      })
      .describe('How clients reach the API.'),
    rollout: z
      .object({
        steps: z
          .array(step)
          .max(20)
          .default([])
          .describe(
            'What happens between the proof of the candidate and its promotion. Empty: straight to 100.',
          )
          .meta({ 'x-kubernetes-list-type': 'atomic' }),
        warmFor: duration
          .default('15m')
          .describe('How long the old revision keeps its pods after a promotion, for a rollback at once.'),
        revisionHistoryLimit: z
          .int()
          .min(1)
          .max(50)
          .default(5)
          .describe('How many old revisions are kept to roll back to.'),
      })
      .prefault({})
      .describe('How a change reaches the clients.'),
    suspend: z
      .boolean()
      .default(false)
      .describe('When true the operator changes nothing; what serves goes on serving.'),
  })
  .describe('How an ApiSchema is served: replicas, pooler, exposure, rollout.');
/** `spec` of an ApiInstance, defaults filled in. */
export type ApiInstanceSpec = z.infer<typeof apiInstanceSpec>;

const revisionNumber = z.int().min(1);

const revisionStatus = z.object({
  revision: revisionNumber.describe(
    'Number of the revision; its objects are called <instance>-r<number>-<5 hex digits>.',
  ),
  release: z.string().max(8).describe('Id of the release that it serves.'),
  replicas: z.int().min(0).describe('Pods that it has.'),
  ready: z.int().min(0).describe('Pods of it that are ready and proved.'),
});

/** The verbs of `pgrst.dev/action`. */
export const verbs = ['promote', 'abort', 'rollback', 'retry'] as const;
/** A verb of `pgrst.dev/action`. */
export type Verb = (typeof verbs)[number];

/** How a rollout ended. */
export const outcomes = ['Promoted', 'Aborted', 'Superseded', 'RolledBack'] as const;
/** How a rollout ended. */
export type RolloutOutcome = (typeof outcomes)[number];

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
    rejected: z
      .array(
        z.object({
          revision: revisionNumber.describe('Number of the rejected revision.'),
          hash: z
            .string()
            .max(64)
            .describe('Hash of its content: only a different content, or retry, clears it.'),
          to: revisionNumber.describe('The revision that serves instead.'),
          reason: z.enum(['Aborted', 'RolledBack']).describe('Why it was rejected.'),
          at: z.iso.datetime().describe('When (RFC 3339).').meta({ format: 'date-time' }),
        }),
      )
      .max(50)
      .optional()
      .describe('Revisions that somebody aborted or rolled back, newest first; at most 50.')
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
          from: revisionNumber
            .optional()
            .describe('The revision that had the traffic before; absent for the first.'),
          outcome: z.enum(outcomes).describe('How it ended.'),
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

/** An ApiInstance as the API server returns it; `spec` still has to pass `apiInstanceSpec.safeParse`. */
export interface ApiInstance {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'ApiInstance';
  readonly metadata: ObjectMeta;
  readonly spec: ApiInstanceSpec;
  readonly status?: ApiInstanceStatus;
}
