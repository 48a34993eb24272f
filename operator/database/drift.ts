import { descriptionQuery } from './description.ts';
import { driftOf, type Difference, type Drift } from './driftSentences.ts';
import { withPrintSettings } from './printSettings.ts';
import type { Session } from './session.ts';
import { errorKind, sqlstateOf } from './sqlError.ts';
import { inTransaction, retrying, type TransactionContext } from './transaction.ts';

/** A published release: its id and the schema that holds it. */
export interface PublishedRelease {
  readonly id: string;
  readonly schema: string;
}

const serverMajor = "current_setting('server_version_num')::integer / 10000";

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
  await session.query(
    `update pgrst_ledger.releases set snapshot_major = ${serverMajor} where exposed_schema = $1 and id = $2`,
    [exposedSchema, release.id],
  );
}

/**
 * Writes into the ledger that our own SQL is about to change what lies under the releases, and what differs before it.
 * Call it under the lock, after `renewSnapshots`, before the first statement; and `renewSnapshots` after the last one. When
 * the run does not come to that, the next one does it.
 */
export async function announceChanges(context: TransactionContext, exposedSchema: string): Promise<void> {
  const { session } = context;
  await retrying(context, async () => {
    const standing = await readDifferences(session, exposedSchema);
    await session.query(
      'insert into pgrst_ledger.refreshes_due (exposed_schema, standing) values ($1, $2::jsonb)',
      [exposedSchema, JSON.stringify(standing.map(keyOf))],
    );
  });
}

/**
 * Takes what our own SQL has changed under the releases since `announceChanges` as their new baseline; what somebody else
 * had changed before that stays drift. Releases that have no snapshot, or one that a server of another major version
 * printed, are remembered as they are now. Only reads where none of this is due. Call it under the lock.
 *
 * The mark goes last, and doing it again comes to the same: so it needs no transaction, which would hold the locks on the
 * tables under all views at once.
 */
export async function renewSnapshots(context: TransactionContext, exposedSchema: string): Promise<void> {
  const { session } = context;
  for (const release of await publishedReleases(session, exposedSchema))
    if (!release.comparable)
      await inTransaction(context, async () => {
        await recordSnapshot(session, exposedSchema, release);
        return { value: undefined, end: 'commit' };
      });
  await retrying(context, async () => {
    const standing = await announcedStanding(session, exposedSchema);
    if (standing === undefined) return;
    const before = new Set(standing.map((key) => JSON.stringify(key)));
    const differences = await readDifferences(session, exposedSchema);
    const ours = differences.filter((each) => !before.has(JSON.stringify(keyOf(each))));
    if (ours.length > 0) await remember(session, exposedSchema, ours);
    await session.query('delete from pgrst_ledger.refreshes_due where exposed_schema = $1', [exposedSchema]);
  });
}

/**
 * What somebody other than the operator has changed in the releases and in the ledger, a sentence for each. Where nothing
 * differs it only reads, and needs no lock. What differs may be a run, a collection or a contraction that is at work, or
 * one that was interrupted: then it takes the lock, renews the snapshots where that is due, and only what differs then is
 * drift. Call it where nothing is pending.
 */
export async function compareSnapshots(
  context: TransactionContext,
  exposedSchema: string,
  takeLock: () => Promise<void>,
): Promise<readonly Drift[]> {
  if (await looksUnchanged(context, exposedSchema)) return [];
  await takeLock();
  await renewSnapshots(context, exposedSchema);
  return await retrying(context, async () => await readDrift(context.session, exposedSchema));
}

async function looksUnchanged(context: TransactionContext, exposedSchema: string): Promise<boolean> {
  const { session } = context;
  try {
    return await retrying(
      context,
      async () =>
        (await announcedStanding(session, exposedSchema)) === undefined &&
        (await publishedReleases(session, exposedSchema)).every(({ comparable }) => comparable) &&
        (await readDrift(session, exposedSchema)).length === 0,
    );
  } catch (error) {
    // A view that is dropped while it is printed is an error of the statement.
    if (sqlstateOf(error) !== undefined && errorKind(error) === 'permanent') return false;
    throw error;
  }
}

async function readDrift(session: Session, exposedSchema: string): Promise<readonly Drift[]> {
  return [
    ...(await ledgerDrift(session, exposedSchema)),
    ...driftOf(await readDifferences(session, exposedSchema)),
  ];
}

/** The keys that `announceChanges` wrote; undefined: no refresh is due. */
async function announcedStanding(
  session: Session,
  exposedSchema: string,
): Promise<readonly unknown[] | undefined> {
  const [mark] = await session.query<{ standing: readonly unknown[] }>(
    'select standing from pgrst_ledger.refreshes_due where exposed_schema = $1',
    [exposedSchema],
  );
  return mark?.standing;
}

/**
 * How the published releases differ from what was remembered of them; only reads. One statement for each release, so
 * that the locks on the tables under the views (ACCESS SHARE) are short.
 */
async function readDifferences(session: Session, exposedSchema: string): Promise<readonly Difference[]> {
  const releases = (await publishedReleases(session, exposedSchema)).filter(({ comparable }) => comparable);
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

async function remember(session: Session, exposedSchema: string, ours: readonly Difference[]): Promise<void> {
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
 * Of releases in one schema (`strategy: InPlace`) only the newest is there. `comparable`: this major version of the server
 * has printed what is remembered of it.
 */
async function publishedReleases(
  session: Session,
  exposedSchema: string,
): Promise<readonly (PublishedRelease & { readonly comparable: boolean })[]> {
  return await session.query(
    `select distinct on (r.schema_name) r.id, r.schema_name as schema,
            r.snapshot_major is not distinct from ${serverMajor}
              and exists (select from pgrst_ledger.snapshots s
                           where s.exposed_schema = r.exposed_schema and s.release = r.id) as comparable
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

function keyOf({ release, kind, object, aspect }: Difference): readonly string[] {
  return [release, kind, object, aspect];
}
