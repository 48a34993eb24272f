import { claim, ledgerVersion, readLedger } from '../../database/ledger.ts';
import { ensureRoles } from '../../database/roles.ts';
import { RunFailure } from '../../database/runFailure.ts';
import { ensureSecrets } from '../../database/secrets.ts';
import type { Session } from '../../database/session.ts';
import { errorKind, messageOf, sqlstateOf } from '../../database/sqlError.ts';
import type { ApplyRequest } from './applyRequest.ts';
import type { Blocked } from './applyResult.ts';

/** Creates or upgrades the ledger and claims the exposed schema, where that is not done. Under the lock. */
export async function ensureClaim(session: Session, request: ApplyRequest): Promise<void> {
  const ledger = await readLedger(session, request);
  if (ledger.claimed && ledger.version === ledgerVersion) return;
  try {
    await claim(session, request, ledger.version);
  } catch (error) {
    if (errorKind(error) !== 'permanent') throw error;
    throw new RunFailure(
      'SecretInvalid',
      `The role in the Secret could not write the ledger (schema pgrst_ledger): ${messageOf(error)}${sqlstateOf(error) === '42501' ? '. Grant it CREATE on the database, or use the role that owns the database objects' : ''}.`,
      error,
    );
  }
}

/** Makes roles and secrets what the request says; only reads where they are so already, else takes the lock first. */
export async function ensureRolesAndSecrets(
  session: Session,
  { exposedSchema, roles, secrets }: ApplyRequest,
  takeLock: () => Promise<void>,
): Promise<Pick<Blocked, 'reason' | 'message'> | undefined> {
  const made = await ensureRoles(session, exposedSchema, roles, takeLock);
  if (made.kind === 'refused') return { reason: 'RoleRefused', message: made.message };
  const kept = await ensureSecrets(session, exposedSchema, secrets, takeLock);
  return kept.kind === 'nameTaken' ? { reason: 'SecretNameTaken', message: kept.message } : undefined;
}
