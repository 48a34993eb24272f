import { hash } from 'node:crypto';
import { withoutBom } from './textProblem.ts';

/**
 * Checksum of SQL, as 64 hex digits of SHA-256 of its UTF-8. Line endings are normalised and a byte order mark does not
 * count (a checkout or an editor on Windows makes the same migration), nothing else: a changed comment is a changed text.
 * About 8 ms for 4 MB: what has been read from Kubernetes carries its checksum with it.
 */
export function sqlChecksum(sql: string): string {
  return hash('sha256', withoutBom(sql).replaceAll('\r\n', '\n'), 'hex');
}

/** A migration or contraction: its SQL, and the SQL's `sqlChecksum` where whoever read it has computed that already. */
export interface SummedSql {
  readonly sql: string;
  readonly checksum?: string;
}

/** The checksum of a migration or contraction. */
export function checksumOf({ sql, checksum }: SummedSql): string {
  return checksum ?? sqlChecksum(sql);
}

/** The API SQL, and its `sqlChecksum` where whoever read it has computed that already. */
export interface SummedApi {
  readonly apiSql: string;
  readonly apiChecksum?: string;
}

/** The checksum of the API SQL. */
export function apiChecksumOf({ apiSql, apiChecksum }: SummedApi): string {
  return apiChecksum ?? sqlChecksum(apiSql);
}

/** What a release is made of: the name it was built under, its API SQL, and the migrations beneath it in order. */
export interface ReleaseContent extends SummedApi {
  readonly exposedSchema: string;
  readonly migrations: readonly (SummedSql & { readonly name: string })[];
}

/** The hash of a release's content, as 64 hex digits. */
export function releaseHash(content: ReleaseContent): string {
  const parts = [
    content.exposedSchema,
    apiChecksumOf(content),
    ...content.migrations.flatMap((migration) => [migration.name, checksumOf(migration)]),
  ];
  return hash('sha256', JSON.stringify(parts), 'hex');
}

/** The id of a release: the first 8 hex digits of its hash. */
export function releaseId(hash: string): string {
  return hash.slice(0, 8);
}

/** The PostgreSQL schema that holds a release; at most 49 characters, because an exposed schema has at most 40. */
export function releaseSchema(schema: string, id: string): string {
  return `${schema}_${id}`;
}

/** The sentinel of a release: a function whose presence in a schema cache proves that the release is in it. */
export function sentinelName(id: string): string {
  return `pgrst_sentinel_${id}`;
}
