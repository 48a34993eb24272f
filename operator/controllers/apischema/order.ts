import { createHash } from 'node:crypto';
import type { Claimant } from '../../database/ledger.ts';
import type { Visit } from '../../database/withSession.ts';
import { sqlChecksum } from '../../migration/checksum.ts';
import type { WorkOrder, WorkState } from '../../runtime/reconciler.ts';
import type { Work, WorkResult, World } from './world.ts';

/** How often a settled database is looked at again, and a blocked one tried again; in milliseconds. */
export const resyncMs = 600_000;

/** The work order of one reconcile, and how it stands. */
export interface OrderedWork {
  readonly order: WorkOrder<Work>;
  /** Undefined: it has not begun. */
  readonly state: WorkState<WorkResult> | undefined;
}

/**
 * Names the work by all that decides it: the SQL, the Secret, the claimant. A finished order keeps its name, so that it
 * is not done again, until `resyncMs` later; then the new name is made of the old one's end, which keeps it the same in
 * every decision until that one has ended too.
 */
export function orderFor(
  work: Work,
  token: string,
  states: ReadonlyMap<string, WorkState<WorkResult>>,
  now: number,
): OrderedWork {
  const base = hashOf(work, token);
  const [id = base, state] = [...states].find(([each]) => each === base || each.startsWith(`${base}@`)) ?? [];
  const isDue = state?.state === 'done' && now - state.at >= resyncMs && mayRepeat(state.result);
  const order = { id: isDue ? `${base}@${String(state.at)}` : id, spec: work };
  return { order, state: isDue ? undefined : state };
}

// What failed in a migration fails again until a person changes something, and may hold locks until it does.
function mayRepeat(result: WorkResult): boolean {
  return (
    result.kind !== 'blocked' ||
    (result.reason !== 'MigrationFailed' && result.reason !== 'MigrationNeedsIdempotent')
  );
}

function hashOf({ kind, request }: Work, token: string): string {
  const { namespace, name, clusterId, exposedSchema } = request;
  const sql =
    'apiSql' in request
      ? [sqlChecksum(request.apiSql), ...request.migrations.map((each) => [each.name, sqlChecksum(each.sql)])]
      : [];
  return createHash('sha256')
    .update(JSON.stringify([kind, namespace, name, clusterId, exposedSchema, token, sql]))
    .digest('hex');
}

/** Which database a run visits, and in whose name. */
export function visitOf(
  { object, clusterId, identity }: World,
  uri: string,
  exposedSchema: string,
): Visit & Claimant {
  const { namespace, name } = object.metadata;
  return { uri, namespace, name, clusterId, identity, exposedSchema };
}
