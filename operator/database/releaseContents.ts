import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';

/** A release that is there. */
export interface ReleaseSchema {
  readonly id: string;
  /** The schema that holds it. */
  readonly schema: string;
}

const contentsQuery = sqlFile('releaseContents');

/**
 * Remembers how much is in each of these releases. What it returns says, later in the same transaction, what was taken
 * out of one since: a CASCADE does that without a word, past PostgreSQL's own dependency check.
 */
export async function watchReleases(
  session: Session,
  releases: readonly ReleaseSchema[],
): Promise<() => Promise<string | undefined>> {
  const schemas = releases.map(({ schema }) => schema);
  const count = async (): Promise<ReadonlyMap<string, string>> => {
    const rows = await session.query<{ schema: string; number: string }>(contentsQuery, [schemas]);
    return new Map(rows.map(({ schema, number }) => [schema, number]));
  };
  const before = schemas.length === 0 ? new Map<string, string>() : await count();
  return async () => {
    if (schemas.length === 0) return undefined;
    const after = await count();
    const hurt = releases.filter(({ schema }) => before.get(schema) !== after.get(schema));
    if (hurt.length === 0) return undefined;
    return `It takes something out of release ${hurt.map(({ id }) => id).join(', ')}, which it does not end: write it without CASCADE, and PostgreSQL says what needs it.`;
  };
}
