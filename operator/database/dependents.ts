import type { Session } from './session.ts';
import { sqlFile } from './sqlFiles.ts';

const dependentsQuery = sqlFile('releaseDependents');

/**
 * What dropping these schemas with CASCADE would take beside the releases in them: objects elsewhere that depend on them,
 * and relations in them that hold data. At most 20, by kind and name.
 */
export async function dependentsOf(session: Session, schemas: readonly string[]): Promise<readonly string[]> {
  const rows = await session.query<{ what: string }>(dependentsQuery, [schemas]);
  return rows.map(({ what }) => what);
}
