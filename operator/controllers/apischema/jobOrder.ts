import { createHash } from 'node:crypto';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { apiVersion, group, type ObjectMeta } from '../../api/v1alpha1/shared.ts';
import { sentence } from '../../database/problemSentence.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { isConflict, isRefused } from '../../runtime/kubeError.ts';
import { refOf, type KubeObject } from '../../runtime/object.ts';

/** A Job of `spec.beforeMigration`. */
export interface BeforeJob {
  readonly name: string;
  /** Hash of the pending migrations that it was made for. */
  readonly pendingHash: string;
  readonly state: 'running' | 'succeeded' | 'failed';
  /** Of a failed one: the tail of its log, or what Kubernetes says. */
  readonly tail?: string;
}

/** How the creation of a Job ended. */
export type JobResult =
  | { readonly kind: 'created' }
  /** The API server does not take the template, or somebody else has a Job of this name. */
  | {
      readonly kind: 'jobRefused';
      /** Sentences: whose word it is, and what to do. */
      readonly message: string;
    };

const schemaLabel = `${group}/schema`;
const pendingAnnotation = `${group}/pending`;
const oneDaySeconds = 86_400;
// Linux takes no variable of more than 128 KiB (MAX_ARG_STRLEN): with 5,000 names no container would start.
const maxNames = 100;

type Json = Readonly<Record<string, unknown>>;

/** The Job that has to succeed before these are run. `pendingHash` is hex. */
export function beforeJob(
  { name, namespace, uid }: ObjectMeta,
  template: NonNullable<ApiSchemaSpec['beforeMigration']>['jobTemplate'],
  pending: { readonly hash: string; readonly names: readonly string[] },
  exposedSchema: string,
): KubeObject {
  const metadata = json(template['metadata']);
  const spec = json(template['spec']);
  const pod = json(spec['template']);
  const podSpec = json(pod['spec']);
  const env = [
    { name: 'PGRST_SCHEMA', value: exposedSchema },
    { name: 'PGRST_PENDING', value: namesText(pending.names) },
  ];
  const withEnv = (container: unknown): Json => ({
    // The tail of its log becomes part of the pod's status, where we may read it without a right to read logs.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ...json(container),
    env: [...list(json(container)['env']), ...env],
  });
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${name.slice(0, 40).replace(/[-.]+$/, '')}-before-${jobHash(uid, pending.hash)}`,
      namespace,
      labels: {
        ...(json(metadata['labels']) as Record<string, string>),
        [schemaLabel]: name,
        'app.kubernetes.io/managed-by': 'postgrest-operator',
      },
      annotations: {
        ...(json(metadata['annotations']) as Record<string, string>),
        [pendingAnnotation]: pending.hash,
      },
      ownerReferences: [
        { apiVersion, kind: 'ApiSchema', name, uid, controller: true, blockOwnerDeletion: true },
      ],
    },
    spec: {
      backoffLimit: 0,
      ttlSecondsAfterFinished: oneDaySeconds,
      ...spec,
      template: {
        ...pod,
        spec: {
          restartPolicy: 'Never',
          ...podSpec,
          containers: list(podSpec['containers']).map(withEnv),
        },
      },
    },
  };
}

function namesText(names: readonly string[]): string {
  const rest = names.length - maxNames;
  const text = names.slice(0, maxNames).join(',');
  return rest > 0 ? `${text}, and ${String(rest)} more` : text;
}

// Two long names may begin alike, and a Job may outlive the ApiSchema that it was made for: each has names of its own.
function jobHash(uid: string, pendingHash: string): string {
  return createHash('sha256').update(`${uid} ${pendingHash}`).digest('hex').slice(0, 10);
}

/** Creates the Job; one that is there and has the same owner is the one. Throws what time may heal. */
export async function createJob(
  job: KubeObject,
  client: KubeClient,
  signal: AbortSignal,
): Promise<JobResult> {
  try {
    // Not an apply: a Job's template is immutable, so it is made once and never corrected.
    await client.create(job, signal);
    return { kind: 'created' };
  } catch (error) {
    if (isRefused(error))
      return {
        kind: 'jobRefused',
        message: `${sentence(error.message)} Correct spec.beforeMigration.jobTemplate.`,
      };
    if (!isConflict(error)) throw error;
    const there = await client.get(refOf(job), signal);
    if (there === undefined) throw error; // It has just been deleted.
    const owners = there.metadata.ownerReferences ?? [];
    if (owners.some(({ uid }) => isOwner(job, uid))) return { kind: 'created' };
    const whose = owners.map(({ kind, name, uid }) => `${kind} ${name} (uid ${uid})`).join(', ');
    return {
      kind: 'jobRefused',
      message: `Job ${job.metadata.name} is there already and belongs to ${whose === '' ? 'nobody' : whose}, not to this ApiSchema. Delete it.`,
    };
  }
}

function isOwner({ metadata }: KubeObject, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.uid === uid) === true;
}

/** The Jobs that were made for the ApiSchema, with the end of the log of those that failed. */
export async function readJobs(
  schema: { readonly namespace: string; readonly name: string; readonly uid: string },
  client: KubeClient,
  signal: AbortSignal,
): Promise<readonly BeforeJob[]> {
  const { namespace, name, uid } = schema;
  const { items } = await client.list(
    { apiVersion: 'batch/v1', kind: 'Job', namespace, labelSelector: `${schemaLabel}=${name}` },
    signal,
  );
  const mine = items.filter((job) => isOwner(job, uid));
  return await Promise.all(
    mine.map(async (job) => {
      const state = stateOf(job);
      const tail = state === 'failed' ? await logTail(job, client, signal) : undefined;
      return {
        name: job.metadata.name,
        pendingHash: job.metadata.annotations?.[pendingAnnotation] ?? '',
        state,
        ...(tail === undefined ? {} : { tail }),
      };
    }),
  );
}

function stateOf(job: KubeObject): BeforeJob['state'] {
  const isSo = (type: string): boolean =>
    list(json(job['status'])['conditions']).some(
      (condition) => json(condition)['type'] === type && json(condition)['status'] === 'True',
    );
  if (isSo('Complete')) return 'succeeded';
  return isSo('Failed') ? 'failed' : 'running';
}

/** What the newest pod's containers said last, or why the Job gave up. */
async function logTail(job: KubeObject, client: KubeClient, signal: AbortSignal): Promise<string> {
  const { namespace = '', name } = job.metadata;
  const { items } = await client.list(
    { apiVersion: 'v1', kind: 'Pod', namespace, labelSelector: `batch.kubernetes.io/job-name=${name}` },
    signal,
  );
  const newest = [...items].sort((a, b) => (createdAt(a) < createdAt(b) ? 1 : -1))[0];
  const statuses = list(json(newest?.['status'])['containerStatuses']).map(json);
  const ends = statuses
    .map(({ state }) => json(json(state)['terminated']))
    .filter(({ exitCode }) => exitCode !== 0);
  const said = ends.map(({ message }) => message).filter((message) => typeof message === 'string');
  if (said.length > 0) return said.join('\n').trim().slice(-1000);
  const why = list(json(job['status'])['conditions'])
    .map(json)
    .find(({ type }) => type === 'Failed');
  return typeof why?.['message'] === 'string' ? why['message'] : 'it left no log';
}

function createdAt({ metadata }: KubeObject): string {
  return String(metadata.creationTimestamp);
}

function json(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
