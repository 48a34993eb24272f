import { apiSchemaSpec, type ApiSchema } from '../../api/v1alpha1/apiSchema.ts';
import { apiVersion } from '../../api/v1alpha1/shared.ts';
import { breathe } from '../../database/breathe.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { Key } from '../../runtime/reconciler.ts';
import type { Caches } from './caches.ts';
import { readConnection } from './credentials.ts';
import { unmetDependency } from './dependencies.ts';
import { readJobs } from './jobOrder.ts';
import { readSources } from './sources.ts';
import { followerOf, instancesOf, readUsage } from './usage.ts';
import type { Missing, SchemaWorkState, World } from './world.ts';

/** What `observe` reads from. */
export interface ObserveDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly work: ReadonlyMap<string, SchemaWorkState>;
  readonly clusterId: string;
  readonly identity: string;
  /** Key of the tokens that tell credentials apart; random for each process. */
  readonly salt: Uint8Array;
}

/**
 * All reads of one reconcile: the object, its Secrets, ConfigMaps and Jobs and the revisions that use its releases live,
 * instances and other ApiSchemas from the caches.
 */
export async function observe(key: Key, deps: ObserveDeps, signal: AbortSignal): Promise<World | undefined> {
  const [namespace = '', name = ''] = key.split('/');
  const { client, caches } = deps;
  const found = await client.get({ apiVersion, kind: 'ApiSchema', namespace, name }, signal);
  if (found === undefined) return undefined;
  const object = found as unknown as ApiSchema;
  // A spec with thousands of migrations takes its time: to read from JSON, and to check.
  await breathe();
  const parsed = apiSchemaSpec.safeParse(object.spec);
  const spec = parsed.data;
  await breathe();
  const missing: Missing = { kind: 'missing', reason: 'SecretNotFound', message: 'The spec is not valid.' };
  const instances = instancesOf(caches, namespace, name);
  const [connection, sources, usage, jobs] = await Promise.all([
    spec === undefined ? missing : readConnection(spec, namespace, deps, signal),
    spec === undefined ? missing : readSources(spec, namespace, client, signal),
    readUsage(instances, namespace, client, signal),
    spec?.beforeMigration === undefined ? [] : readJobs(object.metadata, client, signal),
  ]);
  return {
    now: deps.clock.now(),
    object,
    spec:
      spec === undefined
        ? {
            kind: 'invalid',
            // A condition's message is bounded, and nobody reads the hundredth complaint.
            problem: parsed.error.issues
              .slice(0, 10)
              .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
              .join('; '),
          }
        : { kind: 'valid', value: spec },
    connection,
    sources,
    followers: instances.map(followerOf),
    usage,
    unmetDependency: spec === undefined ? undefined : unmetDependency(spec, caches, namespace),
    jobs,
    work: deps.work,
    clusterId: deps.clusterId,
    identity: deps.identity,
  };
}
