import { z } from 'zod';
import { expose } from './apiInstanceExpose.ts';
import { pooler } from './apiInstancePooler.ts';
import { rollout } from './apiInstanceRollout.ts';
import type { ApiInstanceStatus } from './apiInstanceStatus.ts';
import { celList } from './nearestName.ts';
import { postgrestConfig } from './postgrestConfig.ts';
import { atMost, rule } from './rule.ts';
import { objectName, secretKeyRef, type apiVersion, type ObjectMeta } from './shared.ts';

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

const open = (what: string) =>
  z.looseObject({}).describe(what).meta({ 'x-kubernetes-preserve-unknown-fields': true });

const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*[/])?[A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?$/;
const labelValue = /^([A-Za-z0-9]([-._A-Za-z0-9]{0,61}[A-Za-z0-9])?)?$/;

/** Keys and values as Kubernetes takes them: a pod template that it refuses would be found out in the middle of a rollout. */
const labelMap = rule(atMost(z.record(z.string(), z.string().max(63)), 16), {
  cel: `self.all(name, name.matches('${labelKey.source}') && self[name].matches('${labelValue.source}'))`,
  js: (value) => Object.entries(value).every(([name, text]) => labelKey.test(name) && labelValue.test(text)),
  message:
    "labels have keys such as example.com/team, and values of at most 63 letters, digits, '-', '_' and '.'",
});

const podLabels = rule(labelMap, {
  cel: "!self.exists(name, name.startsWith('pgrst.dev/') || name.startsWith('app.kubernetes.io/'))",
  js: (value) =>
    !Object.keys(value).some(
      (name) => name.startsWith('pgrst.dev/') || name.startsWith('app.kubernetes.io/'),
    ),
  message: "labels under pgrst.dev/ and app.kubernetes.io/ are the operator's own: remove them",
});

const podAnnotations = rule(
  rule(atMost(z.record(z.string(), z.string().max(4096)), 16), {
    cel: `self.all(name, name.matches('${labelKey.source}'))`,
    js: (value) => Object.keys(value).every((name) => labelKey.test(name)),
    message: 'annotations have keys such as example.com/team',
  }),
  {
    cel: "!self.exists(name, name.startsWith('pgrst.dev/'))",
    js: (value) => !Object.keys(value).some((name) => name.startsWith('pgrst.dev/')),
    message: "annotations under pgrst.dev/ are the operator's own: remove them",
  },
);

/** What a user may add to the pods of a revision. */
const podTemplate = z
  .object({
    labels: podLabels.optional().describe('More labels of the pods.'),
    annotations: podAnnotations.optional().describe('Annotations of the pods.'),
    nodeSelector: labelMap.optional().describe('Labels that the node must have.'),
    tolerations: z
      .array(open('A toleration (core/v1 Toleration).'))
      .max(16)
      .optional()
      .describe('Taints that the pods tolerate.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    affinity: open('Affinity of the pods (core/v1 Affinity).').optional(),
    topologySpreadConstraints: z
      .array(open('A topology spread constraint (core/v1), with a labelSelector of yours or without one.'))
      .max(8)
      .optional()
      .describe(
        'How the pods of a revision spread; an entry without labelSelector means the pods of the revision. Absent: over the nodes, as well as can be.',
      )
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
    priorityClassName: objectName.optional().describe('PriorityClass of the pods.'),
    imagePullSecrets: z
      .array(z.object({ name: objectName.describe('Name of the Secret.') }))
      .max(8)
      .optional()
      .describe('Secrets for pulling the images.')
      .meta({ 'x-kubernetes-list-type': 'atomic' }),
  })
  .describe(
    'What the pods have beyond what the operator gives them. A part of the revision: a change rolls out new pods.',
  );
/** What a user may add to the pods of a revision. */
export type PodTemplateAdditions = z.infer<typeof podTemplate>;

/** TLS between PgBouncer and the database. */
const databaseTls = rule(
  z.object({
    mode: z
      .enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
      .describe("As libpq's sslmode, and instead of the one in the URI."),
    caSecretRef: secretKeyRef
      .optional()
      .describe(
        "Key of a Secret with the certificate authority's certificates (PEM), for verify-ca and verify-full.",
      ),
  }),
  {
    cel: "has(self.caSecretRef) == (self.mode in ['verify-ca', 'verify-full'])",
    js: ({ mode, caSecretRef }) => (caSecretRef !== undefined) === mode.startsWith('verify-'),
    message:
      'caSecretRef goes with the modes verify-ca and verify-full, and they need it: PgBouncer trusts no authority by itself',
  },
).describe("How PgBouncer's connections are encrypted. Absent: what the URI's sslmode says.");

/** `spec` of an ApiInstance. */
export const apiInstanceSpec = rule(
  z
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
          config: postgrestConfig,
          jwtSecretRef: secretKeyRef
            .optional()
            .describe('Key of a Secret with the JWT secret or JWKS, given to PostgREST as jwt-secret.'),
          resources: resources.optional().describe('Compute resources of the PostgREST container.'),
          podTemplate: podTemplate.optional(),
        })
        .prefault({})
        .describe('How PostgREST runs.'),
      database: z
        .object({
          uriSecretRef: secretKeyRef.describe(
            'Key of a Secret that holds a libpq URI (postgres://user:password@host:port/database) of the authenticator role.',
          ),
          tls: databaseTls.optional(),
        })
        .describe('The database to serve from.'),
      pooler: pooler
        .optional()
        .describe(
          'PgBouncer in transaction mode between PostgREST and the database. Absent: PostgREST connects directly.',
        ),
      expose,
      rollout,
      networkPolicy: z
        .object({
          allowFrom: z
            .array(z.looseObject({}).meta({ 'x-kubernetes-preserve-unknown-fields': true }))
            .max(16)
            .default([])
            .describe(
              "Who else may connect to the API's pods: NetworkPolicyPeers, such as {namespaceSelector: {}}. The ingress controller and the operator always may.",
            )
            .meta({ 'x-kubernetes-list-type': 'atomic' }),
        })
        .optional()
        .describe(
          'When set, NetworkPolicies let only the ingress controller, the operator and these peers in, and only the pods of the API to the pooler.',
        ),
      suspend: z
        .boolean()
        .default(false)
        .describe('When true the operator changes nothing; what serves goes on serving.'),
    })
    .describe('How an ApiSchema is served: replicas, pooler, exposure, rollout.'),
  {
    cel: '!has(self.database.tls) || has(self.pooler)',
    js: ({ database, pooler: given }) => database.tls === undefined || given !== undefined,
    message:
      'database.tls is for the connections of PgBouncer: without spec.pooler write sslmode into the URI and remove it',
  },
);
/** `spec` of an ApiInstance, defaults filled in. */
export type ApiInstanceSpec = z.infer<typeof apiInstanceSpec>;

/** An ApiInstance as the API server returns it; `spec` still has to pass `apiInstanceSpec.safeParse`. */
export interface ApiInstance {
  readonly apiVersion: typeof apiVersion;
  readonly kind: 'ApiInstance';
  readonly metadata: ObjectMeta;
  readonly spec: ApiInstanceSpec;
  readonly status?: ApiInstanceStatus;
}
