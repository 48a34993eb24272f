import { recordSnapshot } from './drift.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import type { Session } from './session.ts';

/** What the ledger and the sentinel need to know of a build. */
export interface BuildRecord {
  readonly exposedSchema: string;
  readonly id: string;
  /** The whole hash of which `id` is the beginning. */
  readonly hash: string;
  /** Name of its sentinel. */
  readonly sentinel: string;
  readonly apiSql: string;
  /** Who builds it. */
  readonly builtBy: string;
}

/**
 * Creates the sentinel in the schema that holds the release, writes the release into the ledger, makes it current and
 * remembers what it is, so that drift can be told.
 * Call it in the transaction of the build. The sentinel needs no grant: PostgREST caches every function of the schema,
 * whatever its privileges.
 */
export async function recordPublished(
  session: Session,
  build: BuildRecord,
  schema: string,
  fingerprint: string,
): Promise<void> {
  const sentinel = `${quoteIdentifier(schema)}.${quoteIdentifier(build.sentinel)}()`;
  await session.query(
    `create function ${sentinel} returns text language sql stable as 'select ''${build.id}''::text';
     revoke execute on function ${sentinel} from public;
     comment on function ${sentinel} is 'Proves that release ${build.id} is in a schema cache.'`,
  );
  await session.query(
    `insert into pgrst_ledger.releases (exposed_schema, id, hash, schema_name, api_sql, fingerprint, built_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (exposed_schema, id) do update
       set hash = excluded.hash, schema_name = excluded.schema_name, same_as = null, collected_at = null,
           fingerprint = excluded.fingerprint, built_by = excluded.built_by, built_at = clock_timestamp()`,
    [build.exposedSchema, build.id, build.hash, schema, build.apiSql, fingerprint, build.builtBy],
  );
  await session.query('update pgrst_ledger.claims set current_release = $2 where exposed_schema = $1', [
    build.exposedSchema,
    build.id,
  ]);
  await recordSnapshot(session, build.exposedSchema, { id: build.id, schema });
}

/** Writes into the ledger that a build turned out to be the same as release `sameAs`. */
export async function recordSame(
  session: Session,
  build: BuildRecord,
  sameAs: string,
  fingerprint: string,
): Promise<void> {
  await session.query(
    `insert into pgrst_ledger.releases (exposed_schema, id, hash, same_as, api_sql, fingerprint, built_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (exposed_schema, id) do update
       set hash = excluded.hash, schema_name = null, same_as = excluded.same_as, collected_at = null,
           fingerprint = excluded.fingerprint, built_by = excluded.built_by, built_at = clock_timestamp()`,
    [build.exposedSchema, build.id, build.hash, sameAs, build.apiSql, fingerprint, build.builtBy],
  );
}
