import { descriptionQuery } from './description.ts';
import { driftOf, type Difference, type Drift } from './driftSentences.ts';
import { withPrintSettings } from './printSettings.ts';
import type { Session } from './session.ts';

/** A published release: its id and the schema that holds it. */
export interface PublishedRelease {
  readonly id: string;
  readonly schema: string;
}

/**
 * Remembers a release as it is now, in place of what was remembered of it. Call it in the transaction that publishes the
 * release, after its row of the ledger, when its sentinel is there and its stored text is rewritten.
 */
export async function recordSnapshot(
  session: Session,
  exposedSchema: string,
  release: PublishedRelease,
): Promise<void> {
  // Also of what the operator has dropped meanwhile: nobody will compare that again.
  await session.query(
    `delete from pgrst_ledger.snapshots s using pgrst_ledger.releases r
      where (r.exposed_schema, r.id) = (s.exposed_schema, s.release) and s.exposed_schema = $1
        and (s.release = $2 or r.collected_at is not null)`,
    [exposedSchema, release.id],
  );
  await withPrintSettings(session, async () =>
    session.query(
      `insert into pgrst_ledger.snapshots (exposed_schema, release, kind, within, object, aspect, value)
       select $2, $4, kind, within, object, aspect, value from (${descriptionQuery}) as description`,
      [release.schema, exposedSchema, null, release.id],
    ),
  );
}

/**
 * How the published releases differ from what was remembered of them; only reads. One statement for each release, so
 * that the locks on the tables under the views (ACCESS SHARE) are short. A release that was published before snapshots
 * were kept counts as unchanged. Throws what the session threw, so also 55P03 where a table stays locked.
 *
 * A run that has migrations to run calls it before them, and gives the result to `refreshSnapshots`.
 */
export async function readDifferences(
  session: Session,
  exposedSchema: string,
): Promise<readonly Difference[]> {
  const releases = (await publishedReleases(session, exposedSchema)).filter(({ remembered }) => remembered);
  return await withPrintSettings(session, async () => {
    const differences: Difference[] = [];
    for (const { id, schema } of releases) {
      const rows = await session.query<Omit<Difference, 'release'> & Record<string, unknown>>(
        `with found as materialized (${descriptionQuery}),
              known as materialized (select kind, within, object, aspect, value from pgrst_ledger.snapshots
                                     where exposed_schema = $2 and release = $4)
         select kind, within, object, aspect, known.value as before, found.value as after
           from known full join found using (kind, within, object, aspect)
          where known.value is distinct from found.value
          order by kind, object, aspect`,
        [schema, exposedSchema, null, id],
      );
      differences.push(...rows.map((row) => ({ ...row, release: id })));
    }
    return differences;
  });
}

/**
 * Takes what the operator's own migrations have changed under the releases as their new baseline. What somebody else had
 * changed before (`standing`, from `readDifferences`) stays drift. Writes nothing where nothing has changed. Call it under
 * the lock, after the migrations, whether all of them succeeded or not.
 */
export async function refreshSnapshots(
  session: Session,
  exposedSchema: string,
  standing: readonly Difference[],
): Promise<void> {
  for (const release of await publishedReleases(session, exposedSchema))
    if (!release.remembered) await recordSnapshot(session, exposedSchema, release);
  const before = new Set(standing.map(keyOf));
  const ours = (await readDifferences(session, exposedSchema)).filter((each) => !before.has(keyOf(each)));
  if (ours.length === 0) return;
  await session.query(
    `with ours as (select * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
                     as o (release, kind, within, object, aspect, value)),
          gone as (delete from pgrst_ledger.snapshots s using ours o
                    where s.exposed_schema = $1 and (s.release, s.kind, s.object, s.aspect) = (o.release, o.kind, o.object, o.aspect))
     insert into pgrst_ledger.snapshots (exposed_schema, release, kind, within, object, aspect, value)
     select $1, release, kind, within, object, aspect, value from ours where value is not null`,
    [
      exposedSchema,
      ours.map(({ release }) => release),
      ours.map(({ kind }) => kind),
      ours.map(({ within }) => within),
      ours.map(({ object }) => object),
      ours.map(({ aspect }) => aspect),
      ours.map(({ after }) => after),
    ],
  );
}

/**
 * What somebody other than the operator has changed in the releases and in the ledger, a sentence for each; only reads.
 * Call it where nothing is pending: in the middle of a run everything changes.
 */
export async function compareSnapshots(session: Session, exposedSchema: string): Promise<readonly Drift[]> {
  return [
    ...(await ledgerDrift(session, exposedSchema)),
    ...driftOf(await readDifferences(session, exposedSchema)),
  ];
}

/** Of releases in one schema (`strategy: InPlace`) only the newest is there. */
async function publishedReleases(
  session: Session,
  exposedSchema: string,
): Promise<readonly (PublishedRelease & { readonly remembered: boolean })[]> {
  return await session.query(
    `select distinct on (r.schema_name) r.id, r.schema_name as schema,
            exists (select from pgrst_ledger.snapshots s
                     where s.exposed_schema = r.exposed_schema and s.release = r.id) as remembered
       from pgrst_ledger.releases r join pg_namespace n on n.nspname = r.schema_name
      where r.exposed_schema = $1 and r.collected_at is null order by r.schema_name, r.built_at desc`,
    [exposedSchema],
  );
}

async function ledgerDrift(session: Session, exposedSchema: string): Promise<readonly Drift[]> {
  return await session.query<Drift & Record<string, unknown>>(
    `select r.id as release, 'schema ' || r.schema_name as object, 'presence' as aspect,
            'The schema of release ' || r.id || ' is gone: nothing can go back to it, and pods that serve it fail.' as difference
       from pgrst_ledger.releases r
      where r.exposed_schema = $1 and r.schema_name is not null and r.collected_at is null
        and not exists (select from pg_namespace n where n.nspname = r.schema_name)
     union all
     select null, 'schema ' || n.nspname, 'ledger',
            'Schema ' || n.nspname || ' holds a release that the ledger does not know: its row was deleted, or it was restored.'
       from pg_namespace n
      where n.nspname ~ ('^' || $1 || '_[0-9a-f]{8}$')
        and exists (select from pg_proc p where p.pronamespace = n.oid and p.proname = 'pgrst_sentinel_' || right(n.nspname, 8))
        and not exists (select from pgrst_ledger.releases r where r.exposed_schema = $1 and r.schema_name = n.nspname)
     union all
     select null, 'schema ' || n.nspname, 'presence',
            'Schema ' || n.nspname || ' is the name under which a build parks schema ' || $1
            || ', and no build is running: builds fail until it is renamed or dropped.'
       from pg_namespace n where n.nspname = $1 || '__pgrst_parked'
     union all
     select null, 'ledger', 'migrations',
            'The ledger lacks ' || max(position) + 1 - count(*) || ' of its first ' || max(position) + 1
            || ' rows of migrations: the operator would run these migrations once more.'
       from pgrst_ledger.migrations where exposed_schema = $1 having max(position) + 1 <> count(*)
     union all
     select null, 'ledger', 'current release',
            'The ledger names ' || c.current_release || ' as the current release, but has no such release.'
       from pgrst_ledger.claims c
      where c.exposed_schema = $1 and c.current_release is not null
        and not exists (select from pgrst_ledger.releases r where r.exposed_schema = $1 and r.id = c.current_release)`,
    [exposedSchema],
  );
}

function keyOf({ release, kind, object, aspect }: Difference): string {
  return JSON.stringify([release, kind, object, aspect]);
}
