import { createHmac } from 'node:crypto';
import { apiSchemaSpec, type ApiSchema, type ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import type { ApiInstance } from '../../api/v1alpha1/apiInstance.ts';
import { apiVersion } from '../../api/v1alpha1/shared.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { Key, WorkState } from '../../runtime/reconciler.ts';
import { schemaNameOf, type Caches } from './caches.ts';
import type { Connection, Follower, Missing, Sources, WorkResult, World } from './world.ts';

/** What `observe` reads from. */
export interface ObserveDeps {
  readonly client: KubeClient;
  readonly caches: Caches;
  readonly clock: Clock;
  readonly work: ReadonlyMap<string, WorkState<WorkResult>>;
  readonly clusterId: string;
  readonly identity: string;
  /** Key of the tokens that tell Secrets apart; random for each process. */
  readonly salt: Uint8Array;
}

/** All reads of one reconcile: the object, its Secret and its ConfigMaps live, the instances from the cache. */
export async function observe(key: Key, deps: ObserveDeps, signal: AbortSignal): Promise<World | undefined> {
  const [namespace = '', name = ''] = key.split('/');
  const found = await deps.client.get({ apiVersion, kind: 'ApiSchema', namespace, name }, signal);
  if (found === undefined) return undefined;
  const object = found as unknown as ApiSchema;
  const parsed = apiSchemaSpec.safeParse(object.spec);
  const missing: Missing = { kind: 'missing', reason: 'SecretNotFound', message: 'The spec is not valid.' };
  const [connection, sources] = parsed.success
    ? await Promise.all([
        readConnection(parsed.data, namespace, deps, signal),
        readSources(parsed.data, namespace, deps.client, signal),
      ])
    : [missing, missing];
  return {
    now: deps.clock.now(),
    object,
    spec: parsed.success
      ? { kind: 'valid', value: parsed.data }
      : {
          kind: 'invalid',
          // A condition's message is bounded, and nobody reads the hundredth complaint.
          problem: parsed.error.issues
            .slice(0, 10)
            .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
            .join('; '),
        },
    connection,
    sources,
    followers: followersOf(deps.caches, namespace, name),
    work: deps.work,
    clusterId: deps.clusterId,
    identity: deps.identity,
  };
}

async function readConnection(
  spec: ApiSchemaSpec,
  namespace: string,
  { client, salt }: ObserveDeps,
  signal: AbortSignal,
): Promise<Connection> {
  const { name, key } = spec.database.uriSecretRef;
  const secret = await client.get({ apiVersion: 'v1', kind: 'Secret', namespace, name }, signal);
  if (secret === undefined)
    return {
      kind: 'missing',
      reason: 'SecretNotFound',
      message: `Secret ${name} does not exist: create it with the database's URI under the key ${key}, or correct spec.database.uriSecretRef.`,
    };
  const value = textOf(secret['data'], key, 'base64');
  if (value === undefined)
    return {
      kind: 'missing',
      reason: 'SecretNotFound',
      message: `Secret ${name} has no key ${key}: add the database's URI under it, or correct spec.database.uriSecretRef.`,
    };
  return { kind: 'found', uri: value, token: createHmac('sha256', salt).update(value).digest('hex') };
}

async function readSources(
  spec: ApiSchemaSpec,
  namespace: string,
  client: KubeClient,
  signal: AbortSignal,
): Promise<Sources> {
  const configMaps = new Map<string, KubeObject | undefined>();
  const read = async (ref: { name: string; key: string }): Promise<string | Missing> => {
    const { name, key } = ref;
    if (!configMaps.has(name))
      configMaps.set(
        name,
        await client.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name }, signal),
      );
    const configMap = configMaps.get(name);
    const text = textOf(configMap?.['data'], key, 'utf8') ?? textOf(configMap?.['binaryData'], key, 'base64');
    if (text !== undefined) return text;
    const what =
      configMap === undefined ? `ConfigMap ${name} does not exist` : `ConfigMap ${name} has no key ${key}`;
    return {
      kind: 'missing',
      reason: 'ConfigMapNotFound',
      message: `${what}: create it with the SQL under the key ${key}, or correct the reference in the spec.`,
    };
  };

  const migrations: { name: string; sql: string }[] = [];
  for (const { name, sql, sqlFrom } of spec.migrations) {
    const text = sql ?? (sqlFrom === undefined ? '' : await read(sqlFrom.configMapKeyRef));
    if (typeof text !== 'string') return text;
    migrations.push({ name, sql: text });
  }
  const parts: string[] = [];
  if (spec.api.sql !== undefined) parts.push(spec.api.sql);
  for (const { configMapKeyRef } of spec.api.sqlFrom ?? []) {
    const text = await read(configMapKeyRef);
    if (typeof text !== 'string') return text;
    parts.push(text);
  }
  // A part that does not end its last line or statement must not run into the next one.
  return { kind: 'found', migrations, apiSql: parts.join('\n') };
}

function textOf(data: unknown, key: string, encoding: 'utf8' | 'base64'): string | undefined {
  const value = (data as Readonly<Record<string, string>> | undefined)?.[key];
  return value === undefined ? undefined : Buffer.from(value, encoding).toString('utf8');
}

function followersOf(caches: Caches, namespace: string, schema: string): readonly Follower[] {
  return caches.instances
    .list()
    .filter(({ metadata }) => metadata.namespace === namespace)
    .map((object) => object as unknown as ApiInstance)
    .filter((instance) => schemaNameOf(instance) === schema)
    .map(({ metadata, spec, status }) => ({
      name: metadata.name,
      follows: spec.schemaRef.release === undefined,
      ...(status?.stable === undefined ? {} : { serves: status.stable.release }),
      isRolling: status?.candidate !== undefined,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
