import type { Ledger, LaneRow, ReleaseRow } from '../../database/ledger.ts';
import { planMigrations, type Migration } from '../../migration/planMigrations.ts';

/** A published release. Dates are RFC 3339 in whole seconds, here and below. */
export interface PublishedRelease {
  readonly id: string;
  /** The schema that holds it. */
  readonly schema: string;
  readonly builtAt: string;
}

/** How far a lane is, in the shape of `status`: the newest 50, newest first. */
export interface LaneSummary {
  readonly applied: number;
  readonly pending: number;
  readonly last: readonly {
    readonly name: string;
    readonly appliedAt: string;
    readonly durationMs: number;
  }[];
}

/** What the ledger says after a run. */
export interface LedgerSummary {
  /** The release that is served. */
  readonly release?: PublishedRelease;
  /** All that are there, newest first. */
  readonly releases: readonly PublishedRelease[];
  readonly migrations: LaneSummary;
  readonly contractions: LaneSummary;
}

const newest = 50;

/** The release that the id stands for, if its schema is there: itself, or the one it is the same as. */
export function servedRelease(ledger: Ledger, id: string): ReleaseRow | undefined {
  const found = ledger.releases.find((release) => release.id === id);
  const original = found?.sameAs ?? id;
  const release = ledger.releases.find((each) => each.id === original);
  return release?.present === true ? release : undefined;
}

/** The ledger as status shows it, for these lanes of the spec. */
export function summarise(
  ledger: Ledger,
  lanes: { readonly migrations: readonly Migration[]; readonly contractions: readonly Migration[] },
): LedgerSummary {
  const releases = ledger.releases.flatMap((row) => {
    const release = published(row);
    return release === undefined ? [] : [release];
  });
  const release = releases.find(({ id }) => id === ledger.current);
  return {
    ...(release === undefined ? {} : { release }),
    releases,
    migrations: summariseLane(ledger.migrations, lanes.migrations),
    contractions: summariseLane(ledger.contractions, lanes.contractions),
  };
}

function summariseLane(applied: readonly LaneRow[], wanted: readonly Migration[]): LaneSummary {
  const plan = planMigrations(applied, wanted);
  const names = new Set(applied.map(({ name }) => name));
  const pending =
    plan.kind === 'run' ? plan.pending.length : wanted.filter(({ name }) => !names.has(name)).length;
  return {
    applied: wanted.length - pending,
    pending,
    last: applied
      .slice(-newest)
      .reverse()
      .map(({ name, appliedAt, durationMs }) => ({ name, appliedAt: rfc3339(appliedAt), durationMs })),
  };
}

function published({ id, schema, builtAt, present }: ReleaseRow): PublishedRelease | undefined {
  return schema === null || !present ? undefined : { id, schema, builtAt: rfc3339(builtAt) };
}

function rfc3339(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
