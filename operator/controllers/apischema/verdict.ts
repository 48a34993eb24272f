import type { ApplyResult } from './applyResult.ts';
import type { ApplyProgress } from './applySchema.ts';
import { failureOf } from '../../database/runFailure.ts';
import type { WorkState } from '../../runtime/reconciler.ts';
import { previousVerdict, type Verdict } from './status.ts';
import type { WorkResult, World } from './world.ts';

/** A verdict that a person must act on. */
export function stalled(reason: Verdict['reason'], message: string): Verdict {
  return { status: 'False', reason, message, isStalled: true, lastError: 'keep' };
}

/** What the run of an ApiSchema says about it; undefined: it has only just been ordered. */
export function verdictOf(world: World, state: WorkState<WorkResult> | undefined): Verdict {
  switch (state?.state) {
    case undefined:
      return settledBefore(world) ?? applying('The database is being looked at.');
    case 'running':
      if (isProgress(state.progress)) return progressing(state.progress);
      if (state.failure !== undefined) return failed(state.failure.message);
      return settledBefore(world) ?? applying('The database is being looked at.');
    case 'failed':
      return failed(state.message);
    case 'done':
      return isApplyResult(state.result)
        ? finished(state.result)
        : applying('The database is being looked at.');
  }
}

/** The verdict of work that threw: time or an administrator may help, and it is tried again. */
export function failed(thrown: string): Verdict {
  const { reason, message } = failureOf(thrown);
  const sentence = `${message} It is tried again.`;
  return { status: 'False', reason, message: sentence, isStalled: false, lastError: { message } };
}

/** The message of an apply that has ended well, and everything that follows from it. */
function finished(result: ApplyResult): Verdict {
  const { summary } = result;
  if (result.kind === 'blocked') {
    const { reason, message, error } = result;
    return {
      ...stalled(reason, message),
      lastError: error ?? { message },
      ...(summary === undefined ? {} : { summary }),
    };
  }
  const { release, migrations } = result.summary;
  return {
    status: 'True',
    reason: 'Applied',
    message: `Migrations applied: ${String(migrations.applied)}. Release ${release?.id ?? ''} is published in schema ${release?.schema ?? ''}.`,
    isStalled: false,
    unmapped: result.findings.map(({ object, line }) => `${object}, line ${String(line)}`),
    summary: result.summary,
  };
}

function applying(message: string): Verdict {
  return { status: 'False', reason: 'Applying', message, isStalled: false };
}

function progressing(progress: ApplyProgress): Verdict {
  switch (progress.phase) {
    case 'waitingForLock':
      return {
        ...applying(`Waiting for the lock on the database, which is held by ${progress.holder}.`),
        reason: 'LockHeld',
      };
    case 'migrating':
      return applying(
        `Migration ${progress.migration} runs (${String(progress.number)} of ${String(progress.of)}).`,
      );
    case 'building':
      return applying(`Release ${progress.release} is being built.`);
    case 'retrying':
      return applying(
        `Attempt ${String(progress.attempt)} at ${progress.what} gave way to other sessions (${progress.cause}); it is tried again.`,
      );
  }
}

// A look that has found nothing to do yet, on a resync or after a restart, says nothing new: what was said stands.
function settledBefore(world: World): Verdict | undefined {
  const previous = previousVerdict(world);
  return previous !== undefined && (previous.status === 'True' || lasting.has(previous.reason))
    ? previous
    : undefined;
}

/** Reasons that a run gave, and that hold until a run gives another. */
const lasting: ReadonlySet<string> = new Set([
  'LedgerNewer',
  'SchemaClaimed',
  'MigrationChanged',
  'MigrationMissing',
  'MigrationOrderChanged',
  'MigrationFailed',
  'MigrationNeedsIdempotent',
  'ApiBuildFailed',
  'ApiSqlRefused',
  'DatabaseUnreachable',
  'SecretInvalid',
  'LockHeld',
]);

function isApplyResult(result: WorkResult): result is ApplyResult {
  return result.kind === 'applied' || (result.kind === 'blocked' && result.reason !== 'InUse');
}

function isProgress(value: unknown): value is ApplyProgress {
  return typeof value === 'object' && value !== null && 'phase' in value;
}
