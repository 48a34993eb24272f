import { checksumOf, releaseHash, releaseId } from '../../migration/checksum.ts';
import { planMigrations } from '../../migration/planMigrations.ts';
import { compareSnapshots, renewSnapshots } from '../../database/drift.ts';
import {
  baselineMigrations,
  ledgerVersion,
  newerLedger,
  readLedger,
  type Ledger,
} from '../../database/ledger.ts';
import type { Session } from '../../database/session.ts';
import { lockFor, transactionContext, withSession } from '../../database/withSession.ts';
import type { ApplyContext, ApplyRequest } from './applyRequest.ts';
import type { ApplyResult, Blocked, Findings } from './applyResult.ts';
import { blocked, driftBlocked } from './blocked.ts';
import { ensureClaim, ensureRolesAndSecrets } from './ensure.ts';
import { servedRelease, summarise } from './ledgerSummary.ts';
import { publish } from './publish.ts';
import { pendingSet, reviewSql, type Review } from './reviewSql.ts';
import { runPending } from './runPending.ts';

/** What `progress` calls it. */
const comparingWhat = 'comparing the releases with what was published';

/**
 * Makes the database look as the request says: runs the pending migrations and publishes the release. Safe to be killed
 * at any moment and to be run by two processes at once; where nothing is to be done it only reads.
 *
 * Returns `blocked` where a person must change something and `needsJob` where a Job has to succeed first; throws a
 * RunFailure where time or an administrator may help, and the reason of the signal when it aborts.
 */
export async function applySchema(request: ApplyRequest, context: ApplyContext): Promise<ApplyResult> {
  return await withSession(request, context, (session) => applyWith(session, request, context));
}

async function applyWith(
  session: Session,
  request: ApplyRequest,
  context: ApplyContext,
): Promise<ApplyResult> {
  const before = await readCurrentLedger(session, request, context);
  const verdict = await verdictOn(session, before, request, context);
  if (verdict !== undefined) return verdict;
  const review = await reviewSql(before, request, context);
  if (review.kind === 'blocked') return review;

  await lockFor(session, context);
  // Whoever had the lock before us may have done all of it, or have claimed the schema.
  const second = await verdictOn(session, await readLedger(session, request), request, context);
  if (second !== undefined) return second;
  const findings: Findings = { lint: review.lint };
  const result = await runUnderLock(session, request, review, context);
  return { ...findings, ...result };
}

async function runUnderLock(
  session: Session,
  request: ApplyRequest,
  review: Review,
  context: ApplyContext,
): Promise<ApplyResult> {
  await ensureClaim(session, request);
  await ensureBaseline(session, request);
  const refusal = await ensureRolesAndSecrets(session, request, () => lockFor(session, context));
  const ledger = await readLedger(session, request);
  if (refusal !== undefined) return blocked(ledger, request, refusal);
  const comparing = transactionContext(session, comparingWhat, context);
  // A run that was interrupted has left it to us.
  await renewSnapshots(comparing, request.exposedSchema);
  const drift =
    request.drift === 'Block'
      ? await compareSnapshots(comparing, request.exposedSchema, () => lockFor(session, context))
      : [];
  if (drift.length > 0) return driftBlocked(ledger, request, drift);
  const job = jobFor(ledger, request);
  if (job !== undefined) return job;
  const failure = await runPending(session, request, ledger, review, context);
  return failure ?? (await publish(session, request, review, context));
}

/** The ledger, brought up to the version that this operator knows. */
async function readCurrentLedger(
  session: Session,
  request: ApplyRequest,
  context: ApplyContext,
): Promise<Ledger> {
  const ledger = await readLedger(session, request);
  const isOld = ledger.version > 0 && ledger.version < ledgerVersion;
  if (!isOld || ledger.refusal !== undefined) return ledger;
  await lockFor(session, context);
  await ensureClaim(session, request);
  return await readLedger(session, request);
}

/** What the ledger alone decides: everything is done, or nothing may be. */
async function verdictOn(
  session: Session,
  ledger: Ledger,
  request: ApplyRequest,
  context: ApplyContext,
): Promise<ApplyResult | undefined> {
  const refused = refusalOf(ledger, request);
  if (refused !== undefined) return refused;
  const id = releaseId(releaseHash(request));
  const isDone =
    ledger.migrations.length === request.migrations.length &&
    ledger.current !== undefined &&
    servedRelease(ledger, id)?.id === ledger.current;
  if (!isDone) return undefined;
  // What is served is not in question, so that nobody needs to hear that a lock is waited for.
  const quiet = { ...context, progress: () => undefined };
  const takeLock = () => lockFor(session, quiet);
  const refusal = await ensureRolesAndSecrets(session, request, takeLock);
  if (refusal !== undefined) return blocked(ledger, request, refusal);
  const comparing = transactionContext(session, comparingWhat, quiet);
  const drift =
    request.drift === 'Ignore'
      ? {}
      : { drift: await compareSnapshots(comparing, request.exposedSchema, takeLock) };
  return { kind: 'applied', summary: summarise(ledger, request), unmapped: [], ...drift };
}

function refusalOf(ledger: Ledger, request: ApplyRequest): Blocked | undefined {
  const newer = newerLedger(ledger);
  if (newer !== undefined)
    return { kind: 'blocked', reason: 'LedgerNewer', message: `${newer}. Nothing was changed.` };
  if (ledger.refusal !== undefined)
    return { kind: 'blocked', reason: 'SchemaClaimed', message: `${ledger.refusal}. Nothing was changed.` };
  for (const plan of [
    planMigrations(ledger.migrations, request.migrations, ledger.unfinished),
    planMigrations(ledger.contractions, request.contractions, undefined, 'contractions'),
  ]) {
    if (plan.kind === 'blocked') {
      const { reason, message, migration } = plan;
      return blocked(ledger, request, { reason, message, error: { migration, message } });
    }
  }
  return baselineRefusal(ledger, request);
}

function baselineRefusal(ledger: Ledger, request: ApplyRequest): Blocked | undefined {
  const { baseline } = request;
  if (baseline === undefined || ledger.migrations.some(({ name }) => name === baseline)) return undefined;
  const message = !request.migrations.some(({ name }) => name === baseline)
    ? `spec.baseline names the migration ${baseline}, which is not in spec.migrations: correct or remove spec.baseline.`
    : ledger.migrations.length > 0 || ledger.unfinished !== undefined
      ? `spec.baseline is ${baseline}, but the ledger already has migrations and this one is not among them: a baseline is for a database whose ledger is empty. Remove spec.baseline, and the migrations are run as usual.`
      : undefined;
  return message === undefined ? undefined : blocked(ledger, request, { reason: 'BaselineRefused', message });
}

async function ensureBaseline(session: Session, request: ApplyRequest): Promise<void> {
  const { baseline, migrations, exposedSchema, identity } = request;
  if (baseline === undefined) return;
  const last = migrations.findIndex(({ name }) => name === baseline);
  await baselineMigrations(
    session,
    exposedSchema,
    migrations
      .slice(0, last + 1)
      .map((migration) => ({ name: migration.name, checksum: checksumOf(migration) })),
    identity,
  );
}

/** Set when a Job has to succeed before what is pending may run. */
function jobFor(ledger: Ledger, request: ApplyRequest): ApplyResult | undefined {
  const pending = pendingSet(request.migrations.slice(ledger.migrations.length));
  if (pending.names.length === 0 || request.backups?.includes(pending.hash) !== false) return undefined;
  return { kind: 'needsJob', summary: summarise(ledger, request), pending };
}
