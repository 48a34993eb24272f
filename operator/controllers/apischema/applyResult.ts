import { planMigrations, type Migration } from '../../migration/planMigrations.ts';
import type { Ledger, ReleaseRow } from '../../database/ledger.ts';
import type { StoredTextFinding } from '../../database/rewriteStoredText.ts';
import type { StatementFailure } from '../../database/runStatements.ts';

/** A published release. Dates are RFC 3339 in whole seconds, here and below. */
export interface PublishedRelease {
  readonly id: string;
  /** The schema that holds it. */
  readonly schema: string;
  readonly builtAt: string;
}

/** What the ledger says after a run, in the shape of `status`: lists hold the newest 50, newest first. */
export interface LedgerSummary {
  /** The release that is served. */
  readonly release?: PublishedRelease;
  readonly releases: readonly PublishedRelease[];
  readonly migrations: {
    readonly applied: number;
    readonly pending: number;
    readonly last: readonly {
      readonly name: string;
      readonly appliedAt: string;
      readonly durationMs: number;
    }[];
  };
}

/** Why a run cannot go on before a person changes something. */
export type BlockedReason =
  | 'LedgerNewer'
  | 'SchemaClaimed'
  | 'MigrationChanged'
  | 'MigrationMissing'
  | 'MigrationOrderChanged'
  | 'MigrationFailed'
  | 'MigrationNeedsIdempotent'
  | 'ApiBuildFailed'
  | 'ApiSqlRefused';

/** How a run ended. */
export type ApplyResult =
  | {
      readonly kind: 'applied';
      readonly summary: LedgerSummary;
      /** Names in stored text that were left as they are; empty when nothing was built. */
      readonly findings: readonly StoredTextFinding[];
    }
  | {
      readonly kind: 'blocked';
      readonly reason: BlockedReason;
      readonly message: string;
      /** What went wrong where; absent when nothing of the SQL was looked at. */
      readonly error?: StatementFailure & { readonly migration?: string };
      /** Absent when the ledger is not ours to read. */
      readonly summary?: LedgerSummary;
    };

const newest = 50;

/** The release that the id stands for, if its schema is there: itself, or the one it is the same as. */
export function servedRelease(ledger: Ledger, id: string): ReleaseRow | undefined {
  const found = ledger.releases.find((release) => release.id === id);
  const original = found?.sameAs ?? id;
  const release = ledger.releases.find((each) => each.id === original);
  return release?.present === true ? release : undefined;
}

/** The result of a run that did everything. */
export function applied(
  ledger: Ledger,
  request: { readonly migrations: readonly Migration[] },
  findings: readonly StoredTextFinding[],
): ApplyResult {
  return { kind: 'applied', summary: summarise(ledger, request), findings };
}

/** The result of a run that needs a person. */
export function blocked(
  ledger: Ledger,
  request: { readonly migrations: readonly Migration[] },
  reason: BlockedReason,
  message: string,
  error: StatementFailure & { readonly migration?: string },
): ApplyResult {
  return { kind: 'blocked', reason, message, error, summary: summarise(ledger, request) };
}

function summarise(ledger: Ledger, request: { readonly migrations: readonly Migration[] }): LedgerSummary {
  const releases = ledger.releases.flatMap((row) => {
    const release = published(row);
    return release === undefined ? [] : [release];
  });
  const release = releases.find(({ id }) => id === ledger.current);
  const plan = planMigrations(ledger.migrations, request.migrations);
  const names = new Set(ledger.migrations.map(({ name }) => name));
  const pending =
    plan.kind === 'run'
      ? plan.pending.length
      : request.migrations.filter(({ name }) => !names.has(name)).length;
  return {
    ...(release === undefined ? {} : { release }),
    releases: releases.slice(0, newest),
    migrations: {
      applied: request.migrations.length - pending,
      pending,
      last: ledger.migrations
        .slice(-newest)
        .reverse()
        .map(({ name, appliedAt, durationMs }) => ({ name, appliedAt: rfc3339(appliedAt), durationMs })),
    },
  };
}

function published({ id, schema, builtAt, present }: ReleaseRow): PublishedRelease | undefined {
  return schema === null || !present ? undefined : { id, schema, builtAt: rfc3339(builtAt) };
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
