import { durationMs } from '../../api/v1alpha1/shared.ts';
import type { ApiSchemaSpec } from '../../api/v1alpha1/apiSchema.ts';
import { patienceOf, type Patience } from '../../database/transaction.ts';
import { apiChecksumOf, sqlChecksum } from '../../migration/checksum.ts';
import type { ApplyRequest } from './applyRequest.ts';
import { laneIdentity } from './lane.ts';
import { visitOf, type OrderIdentity } from './order.ts';
import type { Connection, Sources, World } from './world.ts';

/** Everything at hand that a run needs. */
export interface Inputs {
  readonly spec: ApiSchemaSpec;
  readonly connection: Extract<Connection, { kind: 'found' }>;
  readonly sources: Extract<Sources, { kind: 'found' }>;
}

/** What the database must look like, as a run takes it. */
export function applyRequestOf(world: World, { spec, connection, sources }: Inputs): ApplyRequest {
  const { migrations, contractions, apiSql, tests } = sources;
  return {
    ...visitOf(world, connection, spec.schema),
    strategy: spec.strategy,
    migrations,
    contractions,
    ...(spec.baseline === undefined ? {} : { baseline: spec.baseline }),
    apiSql,
    apiChecksum: apiChecksumOf(sources),
    ...(tests === undefined ? {} : { tests }),
    roles: spec.roles.map(({ name, login, inherits }) => {
      const password = connection.passwords.get(name);
      return { name, login, memberOf: inherits, ...(password === undefined ? {} : { password }) };
    }),
    secrets: connection.secrets,
    lint: spec.lint,
    drift: spec.drift,
    breaking: spec.breaking,
    approved: approvedReleases(world),
    ...(spec.beforeMigration === undefined ? {} : { backups: succeededJobs(world) }),
  };
}

/** What tells one apply from another. Secrets are in it by the connection's token only. */
export function applyIdentity({ spec, connection, sources }: Inputs, request: ApplyRequest): OrderIdentity {
  const { namespace, name, clusterId, exposedSchema, approved, backups } = request;
  return {
    migrations: [namespace, name, clusterId, exposedSchema, laneIdentity(sources.migrations), spec.baseline],
    rest: [
      connection.token,
      apiChecksumOf(sources),
      sources.tests === undefined ? undefined : sqlChecksum(sources.tests),
      laneIdentity(sources.contractions),
      [spec.roles, spec.lint, spec.drift, spec.breaking, spec.locks, spec.beforeMigration],
      [approved, backups],
    ],
  };
}

/** How patient the runs of this ApiSchema are. */
export function patienceFor({ locks }: ApiSchemaSpec): Patience {
  return patienceOf(durationMs(locks.timeout), durationMs(locks.retryFor));
}

function approvedReleases({ object }: World): readonly string[] {
  return (object.status?.approved ?? []).flatMap((what) =>
    what.startsWith('release/') ? [what.slice('release/'.length)] : [],
  );
}

function succeededJobs({ jobs }: World): readonly string[] {
  return jobs.filter(({ state }) => state === 'succeeded').map(({ pendingHash }) => pendingHash);
}
