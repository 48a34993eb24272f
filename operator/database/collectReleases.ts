import { dependentsOf } from './dependents.ts';
import { newerLedger, readLedger, type Claimant } from './ledger.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import type { Session } from './session.ts';
import { inTransaction } from './transaction.ts';
import { lockFor, transactionContext, withSession, type Visit, type VisitContext } from './withSession.ts';

/** Which releases are to go. */
export interface CollectRequest extends Claimant, Visit {
  /** Ids of releases that no kept revision uses. */
  readonly releases: readonly string[];
}

/** How collecting ended. */
export type CollectResult =
  | { readonly kind: 'collected'; readonly dropped: readonly string[] }
  | {
      readonly kind: 'blocked';
      readonly reason: 'InUse' | 'LedgerNewer' | 'SchemaClaimed';
      readonly message: string;
      /** Ids of those that could go. */
      readonly dropped: readonly string[];
    };

/**
 * Drops the schemas of these releases, each in a transaction of its own; what is not there is no error, and the release
 * that is current stays, whoever asks. A release on which something outside depends stays as well, and is named. Rows of
 * the ledger stay: an API SQL that comes back is built again. Throws a RunFailure where time or an administrator may help.
 */
export async function collectReleases(
  request: CollectRequest,
  context: VisitContext,
): Promise<CollectResult> {
  return await withSession(request, context, async (session) => {
    await lockFor(session, context);
    const ledger = await readLedger(session, request);
    const newer = newerLedger(ledger);
    if (newer !== undefined)
      return {
        kind: 'blocked',
        reason: 'LedgerNewer',
        message: `${newer}. No release was dropped.`,
        dropped: [],
      };
    if (ledger.refusal !== undefined)
      return {
        kind: 'blocked',
        reason: 'SchemaClaimed',
        message: `${ledger.refusal}. No release was dropped.`,
        dropped: [],
      };
    const dropped: string[] = [];
    const problems: string[] = [];
    for (const { id, schema, present } of ledger.releases) {
      if (schema === null || !present || id === ledger.current || !request.releases.includes(id)) continue;
      context.signal.throwIfAborted();
      const dependents = await inTransaction(
        transactionContext(session, `dropping release ${id}`, context),
        async () => {
          const value = await dropRelease(session, request.exposedSchema, { id, schema });
          return { value, end: value.length === 0 ? 'commit' : 'rollback' };
        },
      );
      if (dependents.length === 0) dropped.push(id);
      else problems.push(`release ${id} (${schema}) is needed by ${dependents.join(', ')}`);
    }
    if (problems.length === 0) return { kind: 'collected', dropped };
    return {
      kind: 'blocked',
      reason: 'InUse',
      message: `These releases stay in the database, because something outside of them would go with them: ${problems.join('; ')}. Drop it or make it independent.`,
      dropped,
    };
  });
}

/**
 * Drops the schema of one release and marks its row, in the transaction that is open; with dependents it does neither
 * and returns their names (`dependentsOf`).
 */
export async function dropRelease(
  session: Session,
  exposedSchema: string,
  release: { readonly id: string; readonly schema: string },
): Promise<readonly string[]> {
  const dependents = await dependentsOf(session, [release.schema]);
  if (dependents.length > 0) return dependents;
  await session.query(
    'update pgrst_ledger.releases set collected_at = clock_timestamp() where exposed_schema = $1 and id = $2',
    [exposedSchema, release.id],
  );
  await session.query(`drop schema ${quoteIdentifier(release.schema)} cascade`);
  return [];
}
