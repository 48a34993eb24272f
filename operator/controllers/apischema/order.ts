import { createHash } from 'node:crypto';
import type { Claimant } from '../../database/ledger.ts';
import type { Visit } from '../../database/withSession.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { SchemaWorkState, Work, WorkResult, World } from './world.ts';

/** How often a settled database is looked at again, and a blocked one tried again; in milliseconds. */
export const resyncMs = 600_000;

/** The work order of one reconcile, and how it stands. */
export interface OrderedWork {
  readonly order: WorkOrder<Work>;
  /** Undefined: it has not begun. */
  readonly state: SchemaWorkState | undefined;
}

/** What an order is made from: all that decides what it does, and by what it is told apart from others. */
export interface OrderIdentity {
  /** What of it must not be interrupted for the sake of the rest: the migrations, which may take hours. */
  readonly migrations?: readonly unknown[];
  readonly rest: readonly unknown[];
}

/**
 * Names the work by its kind and its identity. A finished order keeps its name, so that it is not done again, until
 * `resyncMs` later; then the new name is made of the old one's end, which keeps it the same in every decision until that
 * one has ended too. While migrations run, a change of anything but them waits until they are through.
 */
export function orderFor(
  work: Work,
  identity: OrderIdentity,
  states: ReadonlyMap<string, SchemaWorkState>,
  now: number,
): OrderedWork {
  const stem = `${work.kind}-${hashOf(identity.migrations ?? [])}-`;
  const base = `${stem}${hashOf(identity.rest)}`;
  const same = [...states].find(([each]) => each === base || each.startsWith(`${base}@`));
  const [id = base, state] =
    same ?? [...states].find(([each, it]) => each.startsWith(stem) && isMigrating(it)) ?? [];
  const isDue = state?.state === 'done' && now - state.at >= resyncMs && mayRepeat(state.result);
  const order = { id: isDue ? `${base}@${String(state.at)}` : id, spec: work };
  return { order, state: isDue ? undefined : state };
}

/** Which database a run visits, and in whose name. */
export function visitOf(
  { object, clusterId, identity }: World,
  connection: { readonly uri: string; readonly tls?: Visit['tls'] },
  exposedSchema: string,
): Visit & Claimant {
  const { namespace, name } = object.metadata;
  const { uri, tls } = connection;
  return { uri, ...(tls === undefined ? {} : { tls }), namespace, name, clusterId, identity, exposedSchema };
}

// What failed in a migration fails again until a person changes something, and may hold locks until it does.
function mayRepeat(result: WorkResult): boolean {
  return (
    result.kind !== 'blocked' ||
    (result.reason !== 'MigrationFailed' && result.reason !== 'MigrationNeedsIdempotent')
  );
}

function isMigrating(state: SchemaWorkState): boolean {
  if (state.state !== 'running') return false;
  const progress = state.progress as { readonly isMigrating?: boolean } | undefined;
  return progress?.isMigrating === true;
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
