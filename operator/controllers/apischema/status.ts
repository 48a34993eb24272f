import type { ApiSchemaStatus, Release } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { Reason } from '../../api/v1alpha1/reasons.ts';
import type { Condition } from '../../api/v1alpha1/shared.ts';
import type { LedgerSummary } from './applyResult.ts';
import { findCondition, setCondition, type ConditionDraft } from '../../runtime/conditions.ts';
import type { EventNote } from '../../runtime/reconciler.ts';
import type { World } from './world.ts';

/** What a decision says about the object; conditions, status and Events are made from it. */
export interface Verdict {
  /** Whether the database is as the spec says. */
  readonly status: Condition['status'];
  readonly reason: Reason;
  /** What is so, and what to do about it. */
  readonly message: string;
  /** A person must act. */
  readonly isStalled: boolean;
  /** Places of a release just built whose names could not be mapped, as `function, line n`. */
  readonly unmapped?: readonly string[];
  /** What the ledger says now; absent: as before. */
  readonly summary?: LedgerSummary;
  /** Why it could not be applied; absent: it could, or is being. `keep`: as before. */
  readonly lastError?: NonNullable<ApiSchemaStatus['lastError']> | 'keep';
}

/** The verdict that the status holds already: for work that may still turn out to change nothing. */
export function previousVerdict(world: World): Verdict | undefined {
  const { status, metadata } = world.object;
  const ready = findCondition(status?.conditions, 'Ready');
  if (ready === undefined || status?.observedGeneration !== metadata.generation) return undefined;
  const stalled = findCondition(status.conditions, 'Stalled');
  return {
    status: ready.status,
    reason: ready.reason as Reason,
    message: ready.message,
    isStalled: stalled?.status === 'True',
    lastError: 'keep',
  };
}

/** The whole status for a verdict. */
export function statusFor(world: World, verdict: Verdict): ApiSchemaStatus {
  const previous = world.object.status ?? {};
  const { generation } = world.object.metadata;
  const release = verdict.summary === undefined ? previous.release : verdict.summary.release;
  const releases = verdict.summary?.releases ?? previous.releases;
  const migrations = verdict.summary?.migrations ?? previous.migrations;
  const lastError = verdict.lastError === 'keep' ? previous.lastError : verdict.lastError;
  const { status, reason, message } = verdict;
  const drafts: ConditionDraft[] = [
    { type: 'Ready', status, reason, message },
    { type: 'Applied', status, reason, message },
    { type: 'Served', ...served(world, verdict, release) },
    { type: 'Stalled', status: verdict.isStalled ? 'True' : 'False', reason, message },
  ];
  return {
    observedGeneration: generation,
    conditions: drafts.reduce<Condition[]>(
      (list, draft) => setCondition(list, { ...draft, observedGeneration: generation }, world.now),
      [...(previous.conditions ?? [])],
    ),
    ...(release === undefined ? {} : { release }),
    ...(releases === undefined ? {} : { releases: [...releases] }),
    ...(migrations === undefined ? {} : { migrations: { ...migrations, last: [...migrations.last] } }),
    ...(lastError === undefined ? {} : { lastError }),
  };
}

/** Events for what is new: a release, or a reason to act. */
export function notesFor(world: World, verdict: Verdict): readonly EventNote[] {
  const previous = world.object.status;
  const ready = findCondition(previous?.conditions, 'Ready');
  const notes: EventNote[] = [];
  const release = verdict.summary?.release;
  const isNew = release !== undefined && release.id !== previous?.release?.id;
  if (isNew)
    notes.push({
      type: 'Normal',
      reason: 'ReleasePublished',
      note: `Release ${release.id} is published in schema ${release.schema}.`,
    });
  if (isNew && verdict.unmapped !== undefined && verdict.unmapped.length > 0)
    notes.push({
      type: 'Warning',
      reason: 'NamesNotMapped',
      note: `Strings of release ${release.id} hold the name of the exposed schema, which was left as it is: ${namesOf(verdict.unmapped.map((name) => ({ name })))}.`,
    });
  const isNews = ready?.reason !== verdict.reason || ready.message !== verdict.message;
  if (isNews && (verdict.isStalled || typeof verdict.lastError === 'object'))
    notes.push({ type: 'Warning', reason: verdict.reason, note: verdict.message });
  return notes;
}

function served(world: World, verdict: Verdict, release: Release | undefined): Omit<ConditionDraft, 'type'> {
  if (verdict.status !== 'True' || release === undefined)
    return {
      status: verdict.status === 'Unknown' ? 'Unknown' : 'False',
      reason: verdict.status === 'Unknown' ? verdict.reason : 'NotServedYet',
      message: 'The newest spec has not been applied to the database: see the condition Applied.',
    };
  const followers = world.followers.filter(({ follows }) => follows);
  if (followers.length === 0)
    return {
      status: 'True',
      reason: 'NoInstances',
      message: 'No ApiInstance follows this ApiSchema, so none serves an older release.',
    };
  const late = followers.filter(({ serves, isRolling }) => serves !== release.id || isRolling);
  if (late.length === 0)
    return {
      status: 'True',
      reason: 'Served',
      message: `Release ${release.id} is served by every ApiInstance that follows this ApiSchema (${String(followers.length)}).`,
    };
  return {
    status: 'False',
    reason: 'NotServedYet',
    message: `Release ${release.id} is not yet, or not alone, what these ApiInstances serve: ${namesOf(late)}. Their own conditions say why.`,
  };
}

/** Names for a message: the first ten. */
export function namesOf(list: readonly { readonly name: string }[]): string {
  const names = list.slice(0, 10).map(({ name }) => name);
  return list.length > names.length
    ? `${names.join(', ')} and ${String(list.length - names.length)} more`
    : names.join(', ');
}
