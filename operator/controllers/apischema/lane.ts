import { checksumOf } from '../../migration/checksum.ts';
import type { Migration } from '../../migration/planMigrations.ts';

/** One migration or contraction of the spec with its SQL in hand. */
export interface LaneEntry extends Migration {
  /** Its author says that what ran alone and was interrupted may be done again. */
  readonly idempotent?: boolean;
  /** Absent: its statements take as long as they take. */
  readonly statementTimeoutMs?: number;
  /** Rules of the lint that are left out. */
  readonly ignore?: readonly { readonly rule: string; readonly reason: string }[];
}

/** What tells a lane apart from another. */
export function laneIdentity(lane: readonly LaneEntry[]): readonly unknown[] {
  return lane.map((entry) => [
    entry.name,
    checksumOf(entry),
    entry.idempotent,
    entry.statementTimeoutMs,
    entry.ignore,
  ]);
}
