import { dependentsOf } from './dependents.ts';
import { newerLedger, readUpgradedLedger, type Claimant, type Ledger } from './ledger.ts';
import { quoteIdentifier } from './quoteIdentifier.ts';
import { inTransaction } from './transaction.ts';
import { lockFor, transactionContext, withSession, type Visit, type VisitContext } from './withSession.ts';
import type { Session } from './session.ts';

/** Whose releases are to go. */
export interface DropRequest extends Claimant, Visit {}

/** How dropping ended. */
export type DropResult =
  | { readonly kind: 'dropped' }
  | {
      readonly kind: 'blocked';
      readonly reason: 'InUse' | 'LedgerNewer' | 'SchemaClaimed';
      readonly message: string;
    };

/**
 * Drops the releases of one ApiSchema and its rows of the ledger, in one transaction; nothing else, and nothing at all
 * while something outside depends on them. Where another ApiSchema or nobody has claimed the schema there is nothing to
 * drop. A copy, and a database of another cluster, where the claim has our name, are left to a person.
 * Throws a RunFailure where time or an administrator may help.
 */
export async function dropReleases(request: DropRequest, context: VisitContext): Promise<DropResult> {
  return await withSession(request, context, async (session) => {
    await lockFor(session, context);
    const ledger = await readUpgradedLedger(session, request);
    const newer = newerLedger(ledger);
    if (newer !== undefined)
      return {
        kind: 'blocked',
        reason: 'LedgerNewer',
        message: `${newer}, or set spec.deletionPolicy to Retain.`,
      };
    if (!ledger.claimed) return { kind: 'dropped' };
    if (ledger.refusal !== undefined)
      return {
        kind: 'blocked',
        reason: 'SchemaClaimed',
        message: `${ledger.refusal}. Nothing was dropped; to leave everything as it is, set spec.deletionPolicy to Retain.`,
      };
    return await inTransaction<DropResult>(transactionContext(session, 'dropping', context), async () => {
      const result = await dropInside(session, request, ledger);
      return { value: result, end: result.kind === 'dropped' ? 'commit' : 'rollback' };
    });
  });
}

function inUse(what: string, dependents: readonly string[]): DropResult {
  return {
    kind: 'blocked',
    reason: 'InUse',
    message: `These depend on ${what} and would go as well: ${dependents.join(', ')}. Drop them or make them independent first, or set spec.deletionPolicy to Retain.`,
  };
}

async function dropInside(session: Session, request: DropRequest, ledger: Ledger): Promise<DropResult> {
  const schemas = ledger.releases.flatMap(({ schema, present }) =>
    schema !== null && present ? [schema] : [],
  );
  const dependents = await dependentsOf(session, schemas);
  if (dependents.length > 0) return inUse('the releases', dependents);
  for (const schema of schemas) await session.query(`drop schema ${quoteIdentifier(schema)} cascade`);
  await session.query('delete from pgrst_ledger.claims where exposed_schema = $1', [request.exposedSchema]);
  const [rest] = await session.query<{ claims: string }>(
    'select count(*) as claims from pgrst_ledger.claims',
  );
  if (rest?.claims !== '0') return { kind: 'dropped' };
  // What uses pgrst_ledger.secret() by reference: views, BEGIN ATOMIC functions.
  const users = await dependentsOf(session, ['pgrst_ledger']);
  if (users.length > 0) return inUse('the ledger, schema pgrst_ledger,', users);
  await session.query('drop schema pgrst_ledger cascade');
  return { kind: 'dropped' };
}
