import type { AppliedMigration } from '../migration/planMigrations.ts';
import type { Session } from './session.ts';
import { ledgerSteps } from './sqlFiles.ts';

/** Who asks: the ApiSchema, the cluster it lives in, and the schema it exposes. */
export interface Claimant {
  readonly namespace: string;
  readonly name: string;
  /** uid of the namespace kube-system. */
  readonly clusterId: string;
  readonly exposedSchema: string;
}

/** An applied migration or contraction with its dates. */
export interface LaneRow extends AppliedMigration {
  readonly appliedAt: Date;
  readonly durationMs: number;
}

/** A migration of which the first statements have run, and are committed. */
export interface UnfinishedMigration extends AppliedMigration {
  readonly statementsDone: number;
}

/** A build of API SQL: a release, or the same as one. */
export interface ReleaseRow {
  readonly id: string;
  readonly hash: string;
  /** The schema that holds it; null when it was the same as release `sameAs`. */
  readonly schema: string | null;
  readonly sameAs: string | null;
  readonly fingerprint: string;
  readonly builtAt: Date;
  /** Whether it is there: its schema is, and holds this release (InPlace, many releases have had the same schema). */
  readonly present: boolean;
}

/** What the ledger says, as far as one claimant is concerned. */
export interface Ledger {
  /** Version of the ledger; 0: there is none yet. */
  readonly version: number;
  /** Why this claimant must not touch the database. */
  readonly refusal: string | undefined;
  /** Whether the exposed schema is claimed in this claimant's name; of a copy, and of another cluster's database, too. */
  readonly claimed: boolean;
  /** Id of the release that is served. */
  readonly current: string | undefined;
  /** In order of application. */
  readonly migrations: readonly LaneRow[];
  /** The one that was begun and comes after them; absent when there is none. */
  readonly unfinished?: UnfinishedMigration;
  /** In order of application. */
  readonly contractions: readonly LaneRow[];
  /** Newest first. */
  readonly releases: readonly ReleaseRow[];
}

const steps = ledgerSteps();
/** The version of the ledger that this operator writes. */
export const ledgerVersion = steps.at(-1)?.version ?? 0;

/** Why nobody here may use the ledger: a newer operator wrote it. Without a full stop; undefined when none has. */
export function newerLedger({ version }: Ledger): string | undefined {
  if (version <= ledgerVersion) return undefined;
  return `The ledger in this database has version ${String(version)}, this operator knows up to ${String(ledgerVersion)}: upgrade the operator`;
}

const empty: Ledger = {
  version: 0,
  refusal: undefined,
  claimed: false,
  current: undefined,
  migrations: [],
  contractions: [],
  releases: [],
};

/**
 * Reads the ledger; writes nothing. Of a ledger of another version than `ledgerVersion` only version and refusal are
 * read, and whether the schema is claimed: an older one has to be brought up to date first (`claim`).
 */
export async function readLedger(session: Session, claimant: Claimant): Promise<Ledger> {
  const [there] = await session.query<{ found: boolean }>(
    "select to_regclass('pgrst_ledger.meta') is not null as found",
  );
  if (there?.found !== true) return empty;
  const [meta] = await session.query<{ version: number }>('select version from pgrst_ledger.meta');
  if (meta === undefined) return empty;
  if (meta.version > ledgerVersion) return { ...empty, version: meta.version };
  const refusal = (await copyOrOtherCluster(session, claimant)) ?? (await otherClaim(session, claimant));
  const [claim] = await session.query<{ current_release: string | null }>(
    'select current_release from pgrst_ledger.claims where (exposed_schema, namespace, name) = ($1, $2, $3)',
    [claimant.exposedSchema, claimant.namespace, claimant.name],
  );
  const claimed = claim !== undefined;
  if (refusal !== undefined || meta.version < ledgerVersion)
    return { ...empty, version: meta.version, refusal, claimed };
  return {
    version: meta.version,
    refusal: undefined,
    claimed,
    current: claim?.current_release ?? undefined,
    ...(await readMigrations(session, claimant.exposedSchema)),
    contractions: await readContractions(session, claimant.exposedSchema),
    releases: await readReleases(session, claimant.exposedSchema),
  };
}

/**
 * `readLedger`, after an older ledger that has a claim of ours was brought up to date. Call it with the lock held.
 */
export async function readUpgradedLedger(session: Session, claimant: Claimant): Promise<Ledger> {
  const ledger = await readLedger(session, claimant);
  const isOurs = ledger.claimed && ledger.refusal === undefined;
  if (!isOurs || ledger.version >= ledgerVersion) return ledger;
  await claim(session, claimant, ledger.version);
  return await readLedger(session, claimant);
}

/**
 * Creates or upgrades the ledger and claims the exposed schema, in one transaction. Call it with the lock held, after
 * `readLedger` found no refusal. Doing it again changes nothing.
 */
export async function claim(session: Session, claimant: Claimant, version: number): Promise<void> {
  await session.query('begin');
  await claimInside(session, claimant, version);
  await session.query('commit');
}

/** What `claim` does, in the transaction that is open. */
export async function claimInside(session: Session, claimant: Claimant, version: number): Promise<void> {
  for (const step of steps.filter((each) => each.version > version)) await session.query(step.sql);
  await session.query(
    `insert into pgrst_ledger.meta (version, system_identifier, cluster_id) values ($1, $2, $3)
     on conflict (singleton) do update set version = excluded.version`,
    [ledgerVersion, await systemIdentifier(session), claimant.clusterId],
  );
  await session.query(
    `insert into pgrst_ledger.claims (exposed_schema, namespace, name) values ($1, $2, $3)
     on conflict (exposed_schema) do nothing`,
    [claimant.exposedSchema, claimant.namespace, claimant.name],
  );
}

/**
 * Records migrations that the database has already, in this order, without running them; where there are any in the
 * ledger it does nothing. Call it with the lock held and the schema claimed.
 */
export async function baselineMigrations(
  session: Session,
  exposedSchema: string,
  migrations: readonly AppliedMigration[],
  appliedBy: string,
): Promise<void> {
  await session.query(
    `insert into pgrst_ledger.migrations (exposed_schema, name, position, checksum, applied_by)
     select $1, m.name, m.ordinality - 1, m.checksum, $4
       from unnest($2::text[], $3::text[]) with ordinality as m (name, checksum, ordinality)
      where not exists (select from pgrst_ledger.migrations where exposed_schema = $1)`,
    [
      exposedSchema,
      migrations.map(({ name }) => name),
      migrations.map(({ checksum }) => checksum),
      `${appliedBy} (baseline)`,
    ],
  );
}

async function copyOrOtherCluster(session: Session, claimant: Claimant): Promise<string | undefined> {
  const [meta] = await session.query<{ cluster_id: string; system_identifier: string }>(
    'select cluster_id, system_identifier from pgrst_ledger.meta',
  );
  const here = await systemIdentifier(session);
  if (meta === undefined) return undefined;
  const take = `update pgrst_ledger.meta set cluster_id = '${claimant.clusterId}', system_identifier = '${here}'`;
  if (meta.cluster_id !== claimant.clusterId)
    return `This database is managed from another Kubernetes cluster (its kube-system namespace has the uid ${meta.cluster_id}). Delete the ApiSchema there first; then, to manage it from here, run in the database: ${take}`;
  if (meta.system_identifier !== here)
    return `This database is a copy: its ledger was written on another PostgreSQL server (system identifier ${meta.system_identifier}, here ${here}). Point the Secret at the right server; or, when this one has taken its place (a restore, a major upgrade), run in the database: ${take}`;
  return undefined;
}

async function otherClaim(session: Session, claimant: Claimant): Promise<string | undefined> {
  const [other] = await session.query<{ namespace: string; name: string }>(
    'select namespace, name from pgrst_ledger.claims where exposed_schema = $1 and (namespace, name) <> ($2, $3)',
    [claimant.exposedSchema, claimant.namespace, claimant.name],
  );
  if (other === undefined) return undefined;
  const schema = claimant.exposedSchema;
  return `Schema ${schema} of this database belongs to ApiSchema ${other.namespace}/${other.name}. Choose another spec.schema or another database; or, when that ApiSchema is gone for good, hand its migrations and releases over by running in the database: update pgrst_ledger.claims set namespace = '${claimant.namespace}', name = '${claimant.name}' where exposed_schema = '${schema}'`;
}

// Some hosted servers keep pg_control_system() to themselves: then copies are told apart by the cluster alone.
async function systemIdentifier(session: Session): Promise<string> {
  const [may] = await session.query<{ may: boolean }>(
    "select has_function_privilege('pg_catalog.pg_control_system()', 'execute') as may",
  );
  if (may?.may !== true) return 'unknown';
  const [row] = await session.query<{ id: string }>(
    'select system_identifier::text as id from pg_catalog.pg_control_system()',
  );
  return row?.id ?? 'unknown';
}

interface LaneColumns {
  readonly name: string;
  readonly checksum: string;
  /** Milliseconds since the epoch. */
  readonly appliedAt: number;
  readonly durationMs: number;
}

interface MigrationColumns extends LaneColumns {
  readonly state: 'running' | 'applied';
  readonly statementsDone: number;
}

async function readMigrations(
  session: Session,
  schema: string,
): Promise<Pick<Ledger, 'migrations' | 'unfinished'>> {
  const rows = await readLane<MigrationColumns>(session, schema, 'migrations', [
    "'state', state",
    "'statementsDone', statements_done",
  ]);
  const unfinished = rows.find(({ state }) => state === 'running');
  return {
    migrations: rows.filter(({ state }) => state === 'applied').map(laneRow),
    ...(unfinished === undefined
      ? {}
      : {
          unfinished: {
            name: unfinished.name,
            checksum: unfinished.checksum,
            statementsDone: unfinished.statementsDone,
          },
        }),
  };
}

async function readContractions(session: Session, schema: string): Promise<readonly LaneRow[]> {
  return (await readLane<LaneColumns>(session, schema, 'contractions', [])).map(laneRow);
}

// One JSON text in place of rows: node-postgres reads rows one by one in JavaScript, all that have arrived in one turn of
// the event loop, and of 5,000 that is felt.
async function readLane<Columns extends LaneColumns>(
  session: Session,
  schema: string,
  lane: 'migrations' | 'contractions',
  more: readonly string[],
): Promise<readonly Columns[]> {
  const fields = [
    "'name', name",
    "'checksum', checksum",
    "'appliedAt', floor(extract(epoch from applied_at) * 1000)",
    "'durationMs', duration_ms",
    ...more,
  ];
  const [answer] = await session.query<{ rows: string }>(
    `select coalesce(json_agg(json_build_object(${fields.join(', ')}) order by position), '[]')::text as rows
       from pgrst_ledger.${lane} where exposed_schema = $1`,
    [schema],
  );
  return JSON.parse(answer?.rows ?? '[]') as Columns[];
}

function laneRow({ name, checksum, appliedAt, durationMs }: LaneColumns): LaneRow {
  return { name, checksum, appliedAt: new Date(appliedAt), durationMs };
}

async function readReleases(session: Session, schema: string): Promise<readonly ReleaseRow[]> {
  // The date as a number: as text it follows the DateStyle of the role, and node-postgres reads the ISO style only.
  const rows = await session.query<{
    id: string;
    hash: string;
    schema_name: string | null;
    same_as: string | null;
    fingerprint: string;
    built_at: number;
    present: boolean;
  }>(
    `select r.id, r.hash, r.schema_name, r.same_as, r.fingerprint,
            floor(extract(epoch from r.built_at) * 1000)::float8 as built_at,
            n.oid is not null and r.collected_at is null as present
       from pgrst_ledger.releases r left join pg_namespace n on n.nspname = r.schema_name
      where r.exposed_schema = $1 order by r.built_at desc, r.id`,
    [schema],
  );
  return rows.map((row) => ({
    id: row.id,
    hash: row.hash,
    schema: row.schema_name,
    sameAs: row.same_as,
    fingerprint: row.fingerprint,
    builtAt: new Date(row.built_at),
    present: row.present,
  }));
}
