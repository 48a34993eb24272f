import { findCondition } from '../../runtime/conditions.ts';
import type { EventNote } from '../../runtime/reconciler.ts';
import { driftText } from './blocked.ts';
import { notDropped } from './collecting.ts';
import { shownMessage } from './fittedStatus.ts';
import { namesOf } from './served.ts';
import type { Verdict } from './status.ts';
import type { World } from './world.ts';

/** Events for what is new: a release, a reason to act, and what was found on the way. */
export function notesFor(world: World, verdict: Verdict): readonly EventNote[] {
  const previous = world.object.status;
  const said = (type: string) => findCondition(previous?.conditions, type);
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
  const ready = said('Ready');
  const isNews = ready?.reason !== verdict.reason || ready.message !== shownMessage(verdict.message);
  if (isNews && (verdict.isStalled || typeof verdict.lastError === 'object'))
    notes.push({ type: 'Warning', reason: verdict.reason, note: verdict.message });
  const { lint, drift, contraction, plan } = verdict;
  if (lint !== undefined && !lint.failed && lint.findings.length > 0 && isNew)
    notes.push({
      type: 'Warning',
      reason: 'LintWarnings',
      note: `The lint has ${String(lint.findings.length)} findings in release ${release.id}, see status.findings.`,
    });
  if (drift !== undefined && drift.length > 0 && said('Drifted')?.message !== shownMessage(driftText(drift)))
    notes.push({ type: 'Warning', reason: 'DriftDetected', note: driftText(drift) });
  if (contraction?.status === 'True' && said('ContractionPending')?.reason !== contraction.reason)
    notes.push({
      type: contraction.reason === 'ContractionFailed' ? 'Warning' : 'Normal',
      reason: contraction.reason,
      note: contraction.message,
    });
  const kept = notDropped(world, verdict.summary);
  if (kept !== undefined && kept !== previous?.notDropped)
    notes.push({ type: 'Warning', reason: 'InUse', note: kept });
  if (plan !== undefined && plan.plannedAt !== previous?.plan?.plannedAt)
    notes.push({
      type: 'Normal',
      reason: 'Planned',
      note: `${String(plan.total)} statements would run, see status.plan.`,
    });
  return notes;
}
