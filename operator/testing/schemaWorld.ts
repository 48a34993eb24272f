import { finalizer } from '../api/v1alpha1/shared.ts';
import { apiSchemaSpec, type ApiSchema, type ApiSchemaSpec } from '../api/v1alpha1/apiSchema.ts';
import type { LedgerSummary } from '../controllers/apischema/ledgerSummary.ts';
import type { WorkResult, World } from '../controllers/apischema/world.ts';
import type { WorkState } from '../runtime/reconciler.ts';

/** Now, in the worlds below. */
export const worldNow = Date.UTC(2026, 0, 1);

/** A valid ApiSchema `shop/todo` with one migration; `spec` and `metadata` replace what they name. */
export function apiSchema(
  changes: {
    readonly spec?: Partial<ApiSchemaSpec>;
    readonly metadata?: Partial<ApiSchema['metadata']>;
    readonly status?: ApiSchema['status'];
  } = {},
): ApiSchema {
  return {
    apiVersion: 'pgrst.dev/v1alpha1',
    kind: 'ApiSchema',
    metadata: {
      name: 'todo',
      namespace: 'shop',
      uid: 'uid-1',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
      finalizers: [finalizer],
      ...changes.metadata,
    },
    spec: apiSchemaSpec.parse({
      database: { uriSecretRef: { name: 'db', key: 'uri' } },
      schema: 'api',
      migrations: [{ name: '001', sql: 'create table t ()' }],
      api: { sql: 'create view api.t as select 1' },
      ...changes.spec,
    }),
    ...(changes.status === undefined ? {} : { status: changes.status }),
  };
}

/** The world of a decision about `apiSchema()`: all there, no work yet. */
export function schemaWorld(object: ApiSchema = apiSchema(), changes: Partial<World> = {}): World {
  return {
    now: worldNow,
    object,
    spec: { kind: 'valid', value: object.spec },
    connection: {
      kind: 'found',
      uri: 'postgres://owner:s3cret@db/app',
      passwords: new Map(),
      secrets: [],
      token: 'token-1',
    },
    sources: {
      kind: 'found',
      migrations: object.spec.migrations.map(({ name, sql = '' }) => ({ name, sql })),
      contractions: object.spec.contractions.map(({ name, sql = '' }) => ({ name, sql })),
      apiSql: object.spec.api.sql ?? '',
    },
    followers: [],
    usage: [],
    unmetDependency: undefined,
    jobs: [],
    work: new Map(),
    clusterId: 'cluster-1',
    identity: 'operator-1',
    ...changes,
  };
}

/** What the ledger says once release `id` is served. */
export function summaryOf(id: string): LedgerSummary {
  const release = { id, schema: `api_${id}`, builtAt: '2026-01-01T00:00:00Z' };
  return {
    release,
    releases: [release],
    migrations: { applied: 1, pending: 0, last: [] },
    contractions: { applied: 0, pending: 0, last: [] },
  };
}

/** Work that has ended with this result, at `worldNow`. */
export function done(result: WorkResult, at = worldNow): WorkState<WorkResult> {
  return { state: 'done', result, at };
}
