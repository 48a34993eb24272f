import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { acceptedAnnotation, actionAnnotation, isoTime } from '../../api/v1alpha1/shared.ts';
import {
  carryOut,
  formatAccepted,
  parseAccepted,
  resolveAction,
  type ActionWorld,
} from '../../rollout/actions.ts';
import type { Desired } from './desired.ts';
import type { InstancePlan } from './plan.ts';
import { usability, type Usability } from './usable.ts';
import type { World } from './world.ts';

/** Whether somebody has asked for something that is not accepted yet. */
export function pendingAction({ metadata }: World): boolean {
  return metadata.annotations?.[actionAnnotation] !== undefined;
}

/**
 * Swaps the action for its resolved form in one write that is conditional on the resourceVersion that was read, before
 * anything moves: "previous" is resolved once, and asking for the same again counts again.
 */
export function acceptAction(
  world: World,
  spec: ApiInstanceSpec,
  desired: Desired | undefined,
): InstancePlan {
  const text = world.metadata.annotations?.[actionAnnotation] ?? '';
  const resolved = spec.suspend
    ? { refused: 'spec.suspend is true: set it to false first' }
    : resolveAction(text, world.metadata.resourceVersion, actionWorld(world, spec, desired));
  if ('refused' in resolved) {
    return {
      ...justThis,
      metadata: { annotations: { [actionAnnotation]: null } },
      notes: [{ type: 'Warning', reason: 'ActionRefused', note: `Action refused: ${resolved.refused}.` }],
    };
  }
  return {
    ...justThis,
    metadata: { annotations: { [actionAnnotation]: null, [acceptedAnnotation]: formatAccepted(resolved) } },
    notes: [
      {
        type: 'Normal',
        reason: 'ActionAccepted',
        note: `Accepted ${text.trim()}${resolved.target > 0 ? `: revision ${resolved.target}` : ''}.`,
      },
    ],
  };
}

/** An accepted action that status does not remember yet becomes memory, in a status write and nothing else. */
export function carryOutAction(
  world: World,
  spec: ApiInstanceSpec,
  desired: Desired | undefined,
): InstancePlan | undefined {
  const accepted = parseAccepted(world.metadata.annotations?.[acceptedAnnotation]);
  if (!accepted || accepted.id === world.status.lastAction?.id) return undefined;
  const memory = carryOut(accepted, actionWorld(world, spec, desired), isoTime(world.now));
  return { ...justThis, status: { ...world.status, ...memory } };
}

function actionWorld(world: World, spec: ApiInstanceSpec, desired: Desired | undefined): ActionWorld {
  const all = usability(world);
  const numbers = (which: (each: Usability) => boolean): readonly number[] =>
    all
      .filter(which)
      .map(({ revision }) => revision.number)
      .sort((a, b) => a - b);
  return {
    memory: world.status,
    steps: spec.rollout.steps,
    desired,
    main: world.route.main,
    isJudged: ['Analysing', 'TooFewRequests', 'AnalysisInconclusive'].includes(waitsFor(world)),
    awaitsApproval: ['BreakingChange', 'ContractUnknown'].includes(waitsFor(world)),
    warm: world.revisions
      .map(({ number }) => number)
      .filter((number) => readyPods(world, number) >= spec.replicas),
    kept: numbers(({ isUsable }) => isUsable),
    ended: numbers(({ isUsable }) => !isUsable),
  };
}

/** The reason that the condition Progressing gives: what people have seen when they ask for something. */
function waitsFor({ status }: World): string {
  return status.conditions?.find(({ type }) => type === 'Progressing')?.reason ?? '';
}

function readyPods({ pods }: World, revision: number): number {
  return pods.filter((pod) => pod.revision === revision && pod.isReady).length;
}

/** A plan that changes nothing of what runs, long work included: its one write brings the next reconcile. */
const justThis: InstancePlan = {
  apply: [],
  prune: [],
  notes: [],
  // The object is read anew each time: nothing has to be waited for, and an abort is in a hurry.
  outcome: { kind: 'waiting', on: 'the action', retryAfterMs: 0 },
};
