import type { Drift } from '../../database/driftSentences.ts';
import type { Ledger } from '../../database/ledger.ts';
import { problemSentence, sentence } from '../../database/problemSentence.ts';
import { failureOfError, StatementError, type StatementFailure } from '../../database/runStatements.ts';
import { errorKind, sqlstateOf } from '../../database/sqlError.ts';
import type { ApplyRequest } from './applyRequest.ts';
import type { Blocked, BlockedReason } from './applyResult.ts';
import { summarise } from './ledgerSummary.ts';

type Lanes = Pick<ApplyRequest, 'migrations' | 'contractions'>;

/** A refusal, with what the ledger says. */
export function blocked(ledger: Ledger, lanes: Lanes, refusal: Omit<Blocked, 'kind' | 'summary'>): Blocked {
  return { kind: 'blocked', ...refusal, summary: summarise(ledger, lanes) };
}

/** A migration or a contraction cannot run, or did not get through. */
export function laneBlocked(
  ledger: Ledger,
  lanes: Lanes,
  name: string,
  failure: StatementFailure,
  reason: Extract<BlockedReason, 'MigrationFailed' | 'MigrationNeedsIdempotent'> = 'MigrationFailed',
): Blocked {
  const advice =
    reason === 'MigrationFailed'
      ? nothingRan(ledger, name)
        ? ' Nothing of it is in the database: correct its SQL and apply the object again.'
        : ' The statements before it have run; correct the rest of its SQL and apply the object again.'
      : '';
  const message = `${problemSentence(`Migration ${name}`, failure)}${advice}`;
  return blocked(ledger, lanes, {
    reason,
    message,
    error: { migration: name, ...failure },
  });
}

/** The API SQL cannot be built. */
export function apiBlocked(
  ledger: Ledger,
  lanes: Lanes,
  failure: StatementFailure,
  reason: Extract<BlockedReason, 'ApiBuildFailed' | 'ApiSqlRefused'> = 'ApiBuildFailed',
): Blocked {
  const advice =
    reason === 'ApiBuildFailed' ? ' Nothing was published: correct the SQL and apply the object again.' : '';
  const message = `${problemSentence('spec.api', failure)}${advice}`;
  return blocked(ledger, lanes, {
    reason,
    message,
    error: failure,
  });
}

/** Somebody else has changed the database, and the spec says to stop then. */
export function driftBlocked(ledger: Ledger, lanes: Lanes, drift: readonly Drift[]): Blocked {
  const message = `Nothing new is published, because spec.drift is Block and somebody else has changed the database: ${driftText(drift)}`;
  return { ...blocked(ledger, lanes, { reason: 'DriftDetected', message }), drift };
}

/** The first differences, as sentences. */
export function driftText(drift: readonly Drift[]): string {
  const shown = drift.slice(0, 10).map(({ difference }) => sentence(difference));
  const rest = drift.length - shown.length;
  return rest > 0 ? `${shown.join(' ')} And ${String(rest)} more.` : shown.join(' ');
}

/** What the user's SQL did wrong; anything else is thrown again. */
export function failureOf(error: unknown): StatementFailure {
  if (error instanceof StatementError) return error.failure;
  if (sqlstateOf(error) !== undefined && errorKind(error) === 'permanent') return failureOfError(error);
  throw error;
}

function nothingRan({ unfinished }: Ledger, name: string): boolean {
  return unfinished?.name !== name || unfinished.statementsDone === 0;
}
