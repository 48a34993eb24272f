import type { SqlStatement } from '../migration/statements.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { rewriteStoredText, type NameMapper, type StoredTextFinding } from './rewriteStoredText.ts';
import { runStatements } from './runStatements.ts';
import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';
import { inTransaction, type TransactionContext } from './transaction.ts';

/** What a release is built from. */
export interface Build {
  readonly exposedSchema: string;
  readonly id: string;
  /** The whole hash of which `id` is the beginning. */
  readonly hash: string;
  /** The schema that will hold it. */
  readonly releaseSchema: string;
  /** Name of its sentinel. */
  readonly sentinel: string;
  readonly apiSql: string;
  /** `sqlChecksum` of the API SQL. */
  readonly checksum: string;
  readonly statements: readonly SqlStatement[];
  /** The release that is served now, if its schema is there. */
  readonly current: { readonly id: string; readonly fingerprint: string } | undefined;
  /** Who builds it, for the ledger. */
  readonly builtBy: string;
  readonly mapper: NameMapper;
}

/** How a build ended. */
export type BuildResult =
  /** A new release is published. */
  | { readonly kind: 'published'; readonly findings: readonly StoredTextFinding[] }
  /** PostgREST would see no difference to the current release: nothing is published, the ledger remembers it. */
  | { readonly kind: 'same' }
  /** It does what API SQL must not do; nothing is changed. */
  | { readonly kind: 'refused'; readonly message: string };

const fingerprintQuery = sqlFile('fingerprint');
const writesQuery = sqlFile('apiWrites');

/**
 * Builds the API SQL as a new release, in one transaction: parks what has the exposed name, runs the SQL verbatim in a
 * fresh schema of that name, takes the fingerprint, renames the build to the release's own name and gives the parked
 * schema its name back. Readers of other releases see nothing of it, and a failure leaves nothing behind.
 * Throws a StatementError, a RunFailure, or what the connection threw.
 */
export async function buildRelease(context: TransactionContext, build: Build): Promise<BuildResult> {
  const result = await inTransaction(context, async () => {
    const built = await buildInside(context.session, build);
    return { value: built, end: built.kind === 'published' ? 'commit' : 'rollback' };
  });
  if (result.kind === 'same') await inTransaction(context, () => recordSame(context.session, build, result));
  return result.kind === 'same' ? { kind: 'same' } : result;
}

type Built =
  | Exclude<BuildResult, { kind: 'same' }>
  | { readonly kind: 'same'; readonly as: string; readonly fingerprint: string };

async function buildInside(session: Session, build: Build): Promise<Built> {
  const exposed = quoteIdentifier(build.exposedSchema);
  const parkedName = `${build.exposedSchema}__pgrst_parked`;
  const parked = quoteIdentifier(parkedName);
  const isTaken = await schemaExists(session, build.exposedSchema);
  if (isTaken) await session.query(`alter schema ${exposed} rename to ${parked}`);
  await session.query(`create schema ${exposed}`);
  await runStatements(session, build.statements);

  const refusal = await writesRefusal(session, build.exposedSchema, parkedName);
  if (refusal !== undefined) return { kind: 'refused', message: refusal };
  const fingerprint = await fingerprintOf(session, build);
  if (fingerprint === build.current?.fingerprint) return { kind: 'same', as: build.current.id, fingerprint };

  const releaseName = build.releaseSchema;
  await session.query(`alter schema ${exposed} rename to ${quoteIdentifier(releaseName)}`);
  if (isTaken) await session.query(`alter schema ${parked} rename to ${exposed}`);
  const findings = await rewriteStoredText(
    session,
    { from: build.exposedSchema, to: releaseName },
    build.mapper,
  );
  const ambiguous = findings.find(({ kind }) => kind === 'ambiguous');
  if (ambiguous !== undefined) return { kind: 'refused', message: ambiguityMessage(ambiguous, build) };
  await createSentinel(session, build);
  await recordRelease(session, build, fingerprint);
  return { kind: 'published', findings };
}

async function schemaExists(session: Session, name: string): Promise<boolean> {
  const rows = await session.query('select from pg_namespace where nspname = $1', [name]);
  return rows.length > 0;
}

async function writesRefusal(session: Session, schema: string, parked: string): Promise<string | undefined> {
  const rows = await session.query<{ kind: 'outside' | 'state'; what: string }>(writesQuery, [
    schema,
    parked,
  ]);
  const state = rows.filter(({ kind }) => kind === 'state').map(({ what }) => what);
  if (state.length > 0)
    return `The API SQL creates ${state.join(', ')} in schema ${schema}. A release holds no state, because it is rebuilt for every change: create them in another schema, in a migration.`;
  const outside = rows.map(({ what }) => what);
  if (outside.length > 0)
    return `The API SQL creates or changes what lies outside of schema ${schema}: ${outside.join(', ')}. That would change the release that is served now: move it into a migration, or, when it was meant for the API, write its name as ${schema}.<name>.`;
  return undefined;
}

async function fingerprintOf(session: Session, build: Build): Promise<string> {
  const [row] = await session.query<{ fingerprint: string }>(fingerprintQuery, [
    build.exposedSchema,
    build.checksum,
  ]);
  if (row === undefined) throw new Error('the fingerprint query gave no row');
  return row.fingerprint;
}

function ambiguityMessage(finding: StoredTextFinding, build: Build): string {
  const name = build.exposedSchema;
  return `In function ${finding.object.replace(build.releaseSchema, name)}, line ${String(finding.line)} of its body, ${name} is the name of something else (an alias, a variable, a parameter or a column), while ${name}. is used for the schema as well: give the former another name.`;
}

// No grant is needed: PostgREST caches every function of the schema, whatever its privileges.
async function createSentinel(session: Session, { releaseSchema, sentinel, id }: Build): Promise<void> {
  const name = `${quoteIdentifier(releaseSchema)}.${quoteIdentifier(sentinel)}()`;
  await session.query(`create function ${name} returns text language sql stable as 'select ''${id}''::text'`);
  await session.query(`revoke execute on function ${name} from public`);
  await session.query(`comment on function ${name} is 'Proves that release ${id} is in a schema cache.'`);
}

async function recordRelease(session: Session, build: Build, fingerprint: string): Promise<void> {
  await session.query(
    `insert into pgrst_ledger.releases (exposed_schema, id, hash, schema_name, api_sql, fingerprint, built_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (exposed_schema, id) do update
       set hash = excluded.hash, schema_name = excluded.schema_name, same_as = null,
           fingerprint = excluded.fingerprint, built_by = excluded.built_by, built_at = clock_timestamp()`,
    [
      build.exposedSchema,
      build.id,
      build.hash,
      build.releaseSchema,
      build.apiSql,
      fingerprint,
      build.builtBy,
    ],
  );
  await session.query('update pgrst_ledger.claims set current_release = $2 where exposed_schema = $1', [
    build.exposedSchema,
    build.id,
  ]);
}

async function recordSame(
  session: Session,
  build: Build,
  same: { readonly as: string; readonly fingerprint: string },
): Promise<{ value: undefined; end: 'commit' }> {
  await session.query(
    `insert into pgrst_ledger.releases (exposed_schema, id, hash, same_as, api_sql, fingerprint, built_by)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (exposed_schema, id) do update
       set hash = excluded.hash, schema_name = null, same_as = excluded.same_as,
           fingerprint = excluded.fingerprint, built_by = excluded.built_by, built_at = clock_timestamp()`,
    [build.exposedSchema, build.id, build.hash, same.as, build.apiSql, same.fingerprint, build.builtBy],
  );
  return { value: undefined, end: 'commit' };
}
