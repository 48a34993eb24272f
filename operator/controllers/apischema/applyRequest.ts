import type { SqlAnalyst } from '../../analysis/analyst.ts';
import type { Claimant } from '../../database/ledger.ts';
import type { WantedRole } from '../../database/rolePlan.ts';
import type { SecretValue } from '../../database/secrets.ts';
import type { Visit, VisitContext, VisitProgress } from '../../database/withSession.ts';
import type { LintOptions } from '../../lint/source.ts';
import type { Squawk } from '../../lint/squawk.ts';
import type { SummedApi } from '../../migration/checksum.ts';
import type { LaneEntry } from './lane.ts';

/** What the database must look like. */
export interface ApplyRequest extends Claimant, Visit, SummedApi {
  readonly strategy: 'Versioned' | 'InPlace';
  readonly migrations: readonly LaneEntry[];
  /** They are linted, and compared with the ledger; running them is other work. */
  readonly contractions: readonly LaneEntry[];
  /** Name of the last migration that the database has already. */
  readonly baseline?: string;
  /** pgTAP. */
  readonly tests?: string;
  readonly roles: readonly WantedRole[];
  readonly secrets: readonly SecretValue[];
  readonly lint: Pick<LintOptions, 'ignore' | 'failOn'>;
  readonly drift: 'Report' | 'Block' | 'Ignore';
  readonly breaking: 'Allow' | 'RequireApproval';
  /** Ids of releases that may be published although they break clients. */
  readonly approved: readonly string[];
  /** Hashes of the pending sets whose Job has succeeded; absent: no Job is wanted. */
  readonly backups?: readonly string[];
}

/** What a run is doing. */
export type ApplyProgress = (
  | VisitProgress
  | { readonly phase: 'migrating'; readonly migration: string; readonly number: number; readonly of: number }
  | { readonly phase: 'building'; readonly release: string }
) & {
  /** Migrations run, which may take hours: not to be interrupted for anything but a change of them. */
  readonly isMigrating?: boolean;
};

/** What a run needs beside its request. */
export interface ApplyContext extends VisitContext {
  readonly analyst: SqlAnalyst;
  readonly squawk: Squawk;
  readonly progress: (value: ApplyProgress) => void;
}
