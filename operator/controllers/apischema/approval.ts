import { acceptedAnnotation, actionAnnotation, isoTime } from '../../api/v1alpha1/shared.ts';
import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import type { SchemaPlan } from './plan.ts';
import type { World } from './world.ts';

/** What a person may approve, as the accepted action and `status.approved` name it. */
export type Approvable = `release/${string}` | `contraction/${string}`;

const verbs = ['plan', 'approve'] as const;
type Verb = (typeof verbs)[number];

interface Accepted {
  readonly verb: Verb;
  /** What is approved; for `plan`, the generation that is to be planned. */
  readonly target: string;
  readonly id: string;
}

/** Whether somebody has asked for something that is not accepted yet. */
export function isActionPending({ object }: World): boolean {
  return object.metadata.annotations?.[actionAnnotation] !== undefined;
}

/**
 * Swaps the action for its resolved form in one write that is conditional on the resourceVersion that was read: what is
 * approved is what waited for approval at that moment, and what the conditions had said of it (`isShown`).
 */
export function acceptAction(world: World, waiting: Approvable | undefined, isShown: boolean): SchemaPlan {
  const text = world.object.metadata.annotations?.[actionAnnotation] ?? '';
  const resolved = resolve(text.trim(), world, waiting, isShown);
  if (typeof resolved === 'string')
    return {
      ...justThis,
      metadata: { annotations: { [actionAnnotation]: null } },
      notes: [{ type: 'Warning', reason: 'ActionRefused', note: `Action refused: ${resolved}.` }],
    };
  const { verb, target, id } = resolved;
  return {
    ...justThis,
    metadata: { annotations: { [actionAnnotation]: null, [acceptedAnnotation]: `${verb} ${target} ${id}` } },
    notes: [
      {
        type: 'Normal',
        reason: 'ActionAccepted',
        note: verb === 'plan' ? 'Accepted plan.' : `Accepted approve: ${target}.`,
      },
    ],
  };
}

function resolve(
  text: string,
  world: World,
  waiting: Approvable | undefined,
  isShown: boolean,
): Accepted | string {
  const verb = verbs.find((known) => known === text);
  const { resourceVersion: id, generation } = world.object.metadata;
  if (verb === undefined) return `"${text.slice(0, 60)}" is no action: use one of ${verbs.join(', ')}`;
  if (verb === 'plan') return { verb, target: String(generation), id };
  if (waiting === undefined) return 'nothing waits for approval';
  if (!isShown)
    return 'what waits for approval was not to be seen yet when this was asked for: read the conditions, then approve again';
  return { verb, target: waiting, id };
}

/** An accepted action that status does not remember yet becomes memory, in a status write and nothing else. */
export function rememberAction(world: World): SchemaPlan | undefined {
  const accepted = parse(world.object.metadata.annotations?.[acceptedAnnotation]);
  const status = world.object.status ?? {};
  if (accepted === undefined || accepted.id === status.lastAction?.id) return undefined;
  const approved = status.approved ?? [];
  const adds = accepted.verb === 'approve' && !approved.includes(accepted.target);
  const next: ApiSchemaStatus = {
    ...status,
    ...(adds ? { approved: [accepted.target, ...approved].slice(0, 20) } : {}),
    lastAction: { ...accepted, at: isoTime(world.now) },
  };
  return { ...justThis, status: next };
}

function parse(text: string | undefined): Accepted | undefined {
  const [name, target, id] = text?.split(' ') ?? [];
  const verb = verbs.find((known) => known === name);
  return verb === undefined || !target || !id ? undefined : { verb, target, id };
}

/** A plan that changes nothing of what runs, long work included: its one write brings the next reconcile. */
const justThis: SchemaPlan = {
  apply: [],
  prune: [],
  notes: [],
  outcome: { kind: 'waiting', on: 'the action', retryAfterMs: 100 },
};
