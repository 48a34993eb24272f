import { createHash } from 'node:crypto';
import type { Claimant } from '../../database/ledger.ts';
import type { Visit } from '../../database/withSession.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { SchemaWorkState, Work, WorkResult, World } from './world.ts';

/** How often a settled database is looked at again, and a blocked one tried again; in milliseconds. */
export const resyncMs = 600_000;

/** One piece of work as a reconcile orders it, and how it stands. */
export interface OrderedWork {
  /** What is to be ordered: the work, and while it is done again the one before, whose result stands until then. */
  readonly orders: readonly WorkOrder<Work>[];
  /** Undefined: it has not begun. */
  readonly state: SchemaWorkState | undefined;
  /** What it came to when it was last done, also while it fails now. */
  readonly standing?: WorkResult;
}

/** What an order is made from: all that decides what it does, and by what it is told apart from others. */
export interface OrderIdentity {
  /** What of it must not be interrupted for the sake of the rest: the migrations, which may take hours. */
  readonly migrations?: readonly unknown[];
  readonly rest: readonly unknown[];
  /** Other work is under way that this would be in the way of: it is not done again for now. */
  readonly isHeld?: boolean;
}

/**
 * Names the work by its kind and its identity. A finished order keeps its name, so that it is not done again, until
 * `resyncMs` later; then the new name is made of the old one's end, and the old result stands until the new one is there.
 * While migrations run, a change of anything but them waits until they are through.
 */
export function orderFor(
  work: Work,
  identity: OrderIdentity,
  states: ReadonlyMap<string, SchemaWorkState>,
  now: number,
): OrderedWork {
  const stem = `${work.kind}-${hashOf(identity.migrations ?? [])}-`;
  const base = `${stem}${hashOf(identity.rest)}`;
  const ordered = (...ids: string[]) => ids.map((id) => ({ id, spec: work }));
  const turns = [...states]
    .filter(([id]) => id === base || id.startsWith(`${base}@`))
    .sort(([a], [b]) => stampOf(a) - stampOf(b));
  const [id, state] =
    turns.at(-1) ?? [...states].find(([each, it]) => each.startsWith(stem) && isMigrating(it)) ?? [];
  if (id === undefined || state === undefined) return { orders: ordered(base), state: undefined };
  if (state.state === 'done') {
    const isDue = now - state.at >= resyncMs && mayRepeat(state.result) && identity.isHeld !== true;
    const orders = isDue ? ordered(`${base}@${String(state.at)}`, id) : ordered(id);
    return { orders, state, standing: state.result };
  }
  const [before, last] = turns.at(-2) ?? [];
  if (before === undefined || last?.state !== 'done') return { orders: ordered(id), state };
  // What was said stands, until the new look has failed or has found something to do.
  const isNews = state.state === 'failed' || state.failure !== undefined || isMigrating(state);
  return { orders: ordered(id, before), state: isNews ? state : last, standing: last.result };
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

// What failed in a migration fails again until a person changes something, and may hold locks until it does. A plan and a
// survey take locks too, to try what they speak of: a plan is made when it is asked for, and a survey stands that found
// nothing against the contraction.
function mayRepeat(result: WorkResult): boolean {
  if (result.kind === 'contractionRefused' || result.kind === 'planned') return false;
  if (result.kind === 'surveyed' && result.refusal === undefined) return false;
  return (
    result.kind !== 'blocked' ||
    (result.reason !== 'MigrationFailed' && result.reason !== 'MigrationNeedsIdempotent')
  );
}

/** When the turn before ended; 0 for the first. */
function stampOf(id: string): number {
  return Number(id.split('@')[1] ?? 0);
}

function isMigrating(state: SchemaWorkState): boolean {
  if (state.state !== 'running') return false;
  const progress = state.progress as { readonly isMigrating?: boolean } | undefined;
  return progress?.isMigrating === true;
}

function hashOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}
