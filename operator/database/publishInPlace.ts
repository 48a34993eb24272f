import type { Candidate } from './candidate.ts';
import { dependentsOf } from './dependents.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { recordPublished, type BuildRecord } from './recordBuild.ts';
import type { Session } from './session.ts';

/**
 * Publishes a build under the exposed name, in the transaction of the build: the schema that had the name is dropped, if
 * it is a release of ours or empty and nothing else depends on it, and PostgREST is told to reload.
 *
 * The drop comes last, because it waits for those who read the old views and makes others wait meanwhile. It waits half a
 * second for each lock, so that it gives way before PostgreSQL's deadlock check (1 s) can choose a reader as its victim;
 * the caller tries the whole build again.
 */
export async function publishInPlace(
  session: Session,
  build: BuildRecord,
  { parked }: Candidate,
  fingerprint: string,
): Promise<
  | { readonly kind: 'published'; readonly findings: readonly [] }
  | { readonly kind: 'refused'; readonly message: string }
> {
  const schema = build.exposedSchema;
  if (parked !== undefined) {
    const refusal = await replacementRefusal(session, schema, parked);
    if (refusal !== undefined) return { kind: 'refused', message: refusal };
  }
  await session.query(
    `update pgrst_ledger.releases set collected_at = clock_timestamp()
      where exposed_schema = $1 and schema_name = $1 and collected_at is null`,
    [schema],
  );
  await recordPublished(session, build, schema, fingerprint);
  await session.query("notify pgrst, 'reload schema'");
  if (parked !== undefined)
    await session.query(`set local lock_timeout = '500ms'; drop schema ${quoteIdentifier(parked)} cascade`);
  return { kind: 'published', findings: [] };
}

async function replacementRefusal(
  session: Session,
  schema: string,
  parked: string,
): Promise<string | undefined> {
  if (!(await isOursOrEmpty(session, schema, parked)))
    return `Schema ${schema} is there, holds objects, and is no release of this ApiSchema: the operator does not replace what it did not build. Rename it (alter schema ${schema} rename to ...) or drop it; or use spec.strategy: Versioned, which leaves it alone.`;
  const dependents = await dependentsOf(session, [parked]);
  if (dependents.length === 0) return undefined;
  const names = dependents.map((each) => each.replaceAll(parked, schema)).join(', ');
  return `Schema ${schema} cannot be replaced, because these would go with it: ${names}. Drop them, make them independent of ${schema}, or move them elsewhere, in a migration.`;
}

// A release proves by its sentinel that the schema is the one which the ledger speaks of.
async function isOursOrEmpty(session: Session, schema: string, parked: string): Promise<boolean> {
  const [row] = await session.query<{ ours: boolean }>(
    `select not exists (select from pg_depend d
                         where d.refclassid = 'pg_namespace'::regclass and d.refobjid = n.oid and d.deptype = 'n')
            or exists (select from pg_proc p join pgrst_ledger.releases r on p.proname = 'pgrst_sentinel_' || r.id
                        where p.pronamespace = n.oid and r.exposed_schema = $1 and r.schema_name = $1) as ours
       from pg_namespace n where n.nspname = $2`,
    [schema, parked],
  );
  return row?.ours === true;
}
