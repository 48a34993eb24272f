import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import { acceptedAnnotation, actionAnnotation, isoTime } from '../../api/v1alpha1/shared.ts';
import {
  carryOut,
  formatAccepted,
  parseAccepted,
  resolveAction,
  type Accepted,
  type ActionWorld,
} from '../../rollout/actions.ts';
import { canListen } from '../../resources/settingsFile.ts';
import type { Desired } from './desired.ts';
import type { InstancePlan } from './plan.ts';
import { usability, type Usability } from './usable.ts';
import type { World } from './world.ts';

/** What an action makes of the reconcile that meets it. */
export interface Taken {
  /** The world with what is remembered from now on: the rest of the plan is made of it. */
  readonly world: World;
  /** The write that accepts it, which a plan makes before all else, and its Event; empty where that was done before. */
  readonly accepting: Pick<InstancePlan, 'metadata' | 'notes'>;
  /** The whole plan, where traffic has to wait: for a refusal, and for what must be remembered before it is done. */
  readonly alone: InstancePlan | undefined;
}

/**
 * The action that somebody has asked for, accepted and carried out in one plan: first the write that swaps it for its
 * resolved form, conditional on the resourceVersion that was read ("previous" is resolved once, and asking for the same
 * again counts again), then traffic, then the status that remembers it. Whoever dies between them leaves an accepted
 * action that status does not remember, and that is carried out here first. Undefined: there is none.
 */
export function takeAction(
  world: World,
  spec: ApiInstanceSpec,
  desired: Desired | undefined,
): Taken | undefined {
  const { annotations } = world.metadata;
  const accepted = parseAccepted(annotations?.[acceptedAnnotation]);
  if (accepted && accepted.id !== world.status.lastAction?.id) {
    return carriedOut(accepted, { notes: [] }, world, spec, desired);
  }
  const text = annotations?.[actionAnnotation];
  if (text === undefined) return undefined;
  const resolved = spec.suspend
    ? { refused: 'spec.suspend is true: set it to false first' }
    : resolveAction(text, world.metadata.resourceVersion, actionWorld(world, spec, desired));
  if ('refused' in resolved) {
    const accepting: Taken['accepting'] = {
      metadata: { annotations: { [actionAnnotation]: null } },
      notes: [{ type: 'Warning', reason: 'ActionRefused', note: `Action refused: ${resolved.refused}.` }],
    };
    return { world, accepting, alone: { ...justThis, ...accepting } };
  }
  const accepting: Taken['accepting'] = {
    metadata: { annotations: { [actionAnnotation]: null, [acceptedAnnotation]: formatAccepted(resolved) } },
    notes: [
      {
        type: 'Normal',
        reason: 'ActionAccepted',
        note: `Accepted ${text.trim()}${resolved.target > 0 ? `: revision ${resolved.target}` : ''}.`,
      },
    ],
  };
  return carriedOut(resolved, accepting, world, spec, desired);
}

function carriedOut(
  accepted: Accepted,
  accepting: Taken['accepting'],
  world: World,
  spec: ApiInstanceSpec,
  desired: Desired | undefined,
): Taken {
  const memory = carryOut(accepted, actionWorld(world, spec, desired), isoTime(world.now));
  const status = { ...world.status, ...memory };
  // Its time goes into the pods, and whether pods had to be started goes into history: were they replaced or started
  // before that is remembered, another life would replace them again, or find them there.
  const isFirst =
    accepted.verb === 'restart' ||
    accepted.verb === 'reload' ||
    (accepted.verb === 'rollback' && memory.fast !== true);
  return {
    world: { ...world, status },
    accepting,
    alone: isFirst ? { ...justThis, ...accepting, status } : undefined,
  };
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
    reloadsBy: reloadsBy(world),
    isJudged: ['Analysing', 'TooFewRequests', 'AnalysisInconclusive'].includes(waitsFor(world)),
    awaitsApproval: ['BreakingChange', 'ContractUnknown'].includes(waitsFor(world)),
    warm: world.revisions
      .map(({ number }) => number)
      .filter((number) => readyPods(world, number) >= spec.replicas),
    kept: numbers(({ isUsable }) => isUsable),
    ended: numbers(({ isUsable }) => !isUsable),
  };
}

/** Pods that listen are told, where one can see whether they have heard it. */
function reloadsBy({ revisions, route, status }: World): 'Notify' | 'Replace' {
  const serving = revisions.find(({ number }) => number === route.main);
  const canBeTold = serving?.workload !== undefined && canListen(serving.content);
  return canBeTold && status.stable?.version !== undefined ? 'Notify' : 'Replace';
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
