import type { ApplyProgress } from './applyRequest.ts';
import type { ApplyResult } from './applyResult.ts';
import { failureOf } from '../../database/runFailure.ts';
import { previousVerdict, type Verdict } from './status.ts';
import type { SchemaWorkState, WorkResult, World } from './world.ts';

/** A verdict that a person must act on. */
export function stalled(reason: Verdict['reason'], message: string): Verdict {
  return { status: 'False', reason, message, isStalled: true, lastError: 'keep' };
}

/** What the run of an ApiSchema says about it; undefined: it has only just been ordered. */
export function verdictOf(world: World, state: SchemaWorkState | undefined): Verdict {
  switch (state?.state) {
    case undefined:
      return settledBefore(world) ?? lookingAt;
    case 'running':
      if (isProgress(state.progress)) return progressing(state.progress);
      if (state.failure !== undefined) return failed(state.failure.message);
      return settledBefore(world) ?? lookingAt;
    case 'failed':
      return failed(state.message);
    case 'done':
      return isApplyResult(state.result) && state.result.kind !== 'needsJob'
        ? finished(state.result)
        : lookingAt;
  }
}

/** The verdict of work that threw: time or an administrator may help, and it is tried again. */
export function failed(thrown: string): Verdict {
  const { reason, message } = failureOf(thrown);
  return {
    status: 'False',
    reason,
    message: failedMessage(thrown),
    isStalled: false,
    lastError: { message },
  };
}

/** The same as a sentence. */
export function failedMessage(thrown: string): string {
  return `${failureOf(thrown).message} It is tried again.`;
}

/** The message of an apply that has ended, and everything that follows from it. */
function finished(result: Exclude<ApplyResult, { kind: 'needsJob' }>): Verdict {
  const { summary, lint, drift, tests, changes } = result;
  const findings = {
    ...(lint === undefined ? {} : { lint }),
    ...(drift === undefined ? {} : { drift }),
    ...(tests === undefined ? {} : { tests }),
    ...(changes === undefined ? {} : { changes }),
  };
  if (result.kind === 'blocked') {
    const { reason, message, error } = result;
    return {
      ...stalled(reason, message),
      ...findings,
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
    ...findings,
    unmapped: result.unmapped.map(({ object, line }) => `${object}, line ${String(line)}`),
    summary: result.summary,
  };
}

function applying(message: string): Verdict {
  return { status: 'False', reason: 'Applying', message, isStalled: false };
}

const lookingAt = applying('The database is being looked at.');

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
    case 'blocked': {
      const by = progress.by
        .map(({ pid, applicationName }) => `backend ${String(pid)} (application ${applicationName})`)
        .join(', ');
      return {
        ...applying(`The ${progress.what} waits for a lock that is held by ${by}.`),
        reason: 'LockHeld',
      };
    }
    case 'indexing': {
      const { step, done, total } = progress;
      const share = total > 0 ? `, ${String(Math.floor((100 * done) / total))} % of its blocks` : '';
      return applying(`The ${progress.what} builds an index: ${step}${share}.`);
    }
  }
}

/** What was said stands, while a look has found nothing to do yet: on a resync or after a restart it says nothing new. */
export function settledBefore(world: World): Verdict | undefined {
  const previous = previousVerdict(world);
  return previous !== undefined && (previous.status === 'True' || lasting.has(previous.reason))
    ? previous
    : undefined;
}

/** Reasons that a run gave, and that hold until a run gives another. */
const lasting: ReadonlySet<string> = new Set([
  'LedgerNewer',
  'SchemaClaimed',
  'BaselineRefused',
  'MigrationChanged',
  'MigrationMissing',
  'MigrationOrderChanged',
  'MigrationFailed',
  'MigrationNeedsIdempotent',
  'LintFailed',
  'RoleRefused',
  'SecretNameTaken',
  'ApiBuildFailed',
  'ApiSqlRefused',
  'TestsFailed',
  'BreakingChange',
  'DriftDetected',
  'BeforeMigrationRunning',
  'BeforeMigrationFailed',
  'DatabaseUnreachable',
  'SecretInvalid',
  'LockHeld',
]);

/** Whether it is the result of an apply, and of no other work. */
export function isApplyResult(result: WorkResult): result is ApplyResult {
  return (
    result.kind === 'applied' ||
    result.kind === 'needsJob' ||
    (result.kind === 'blocked' && result.reason !== 'InUse' && !('dropped' in result))
  );
}

function isProgress(value: unknown): value is ApplyProgress {
  return typeof value === 'object' && value !== null && 'phase' in value;
}
