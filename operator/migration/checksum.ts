import { hash } from 'node:crypto';
import { withoutBom } from './textProblem.ts';

/**
 * Checksum of SQL, as 64 hex digits of SHA-256 of its UTF-8. Line endings are normalised and a byte order mark does not
 * count (a checkout or an editor on Windows makes the same migration), nothing else: a changed comment is a changed text.
 * About 8 ms for 4 MB: what is asked for more than once is asked of `checksumOf` and `apiChecksumOf`.
 */
export function sqlChecksum(sql: string): string {
  return hash('sha256', withoutBom(sql).replaceAll('\r\n', '\n'), 'hex');
}

/** `sqlChecksum` of a migration or contraction, computed once for each such object: none is ever changed. */
export const checksumOf = remembered(({ sql }: { readonly sql: string }) => sqlChecksum(sql));

/** `sqlChecksum` of the API SQL, computed once for each object that holds it. */
export const apiChecksumOf = remembered(({ apiSql }: { readonly apiSql: string }) => sqlChecksum(apiSql));

function remembered<K extends object, V>(compute: (key: K) => V): (key: K) => V {
  const known = new WeakMap<K, V>();
  return (key) => {
    const value = known.get(key) ?? compute(key);
    known.set(key, value);
    return value;
  };
}

/** What a release is made of: the name it was built under, its API SQL, and the migrations beneath it in order. */
export interface ReleaseContent {
  readonly exposedSchema: string;
  readonly apiSql: string;
  readonly migrations: readonly { readonly name: string; readonly sql: string }[];
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
