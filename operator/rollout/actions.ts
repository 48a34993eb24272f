import { verbs, type ApiInstanceStatus, type Verb } from '../api/v1alpha1/apiInstanceStatus.ts';
import type { Step } from '../api/v1alpha1/apiInstanceRollout.ts';
import type { Rejected } from './target.ts';
import { hasMoved, type HistoryEntry } from './scale.ts';
import { legacy } from './types.ts';

/** What the operator remembers of rollouts: the part of status that is not derived from the world. */
export type Memory = Pick<
  ApiInstanceStatus,
  | 'stable'
  | 'candidate'
  | 'step'
  | 'pausedSince'
  | 'heldSince'
  | 'fast'
  | 'startedAt'
  | 'progressedAt'
  | 'breaking'
  | 'restart'
  | 'reload'
  | 'rejected'
  | 'lastAction'
  | 'history'
>;

/** The world as far as an action needs it. */
export interface ActionWorld {
  readonly memory: Memory;
  readonly steps: readonly Step[];
  /** The revision of the spec; undefined while the spec cannot be turned into one. */
  readonly desired: { readonly number: number; readonly hash: string; readonly release: string } | undefined;
  /** Who has the main route: a revision, or `legacy`. */
  readonly main: number | undefined;
  /** Revisions that one can go back to. */
  readonly kept: readonly number[];
  /** Kept revisions whose release is gone or about to go: they cannot serve any more. */
  readonly ended: readonly number[];
  /** Revisions that have all their pods: going back to one of them waits for nothing. */
  readonly warm: readonly number[];
  /** How the pods of the revision that serves are made to load everything anew. */
  readonly reloadsBy: 'Notify' | 'Replace';
  /** The pause is over and the rollout waits for a judgement only. */
  readonly isJudged: boolean;
  /** What the candidate takes from clients, or that nobody knows it, holds it up. */
  readonly awaitsApproval: boolean;
}

/** An action with its target: what `pgrst.dev/accepted` holds. */
export interface Accepted {
  readonly verb: Verb;
  /** The revision that is meant; 0 where the verb has none. */
  readonly target: number;
  readonly id: string;
}

/** An action that cannot be carried out, and why. */
export interface Refused {
  readonly refused: string;
}

/**
 * Resolves what a person asked for against the world of this moment, so that "previous" means one thing however often
 * the result is carried out. `id` must be new for each request.
 */
export function resolveAction(text: string, id: string, world: ActionWorld): Accepted | Refused {
  const match = /^([a-z-]+)(?:=([0-9]{1,9}))?$/.exec(text.trim());
  const verb = verbs.find((known) => known === match?.[1]);
  const wanted = match?.[2] === undefined ? undefined : Number(match[2]);
  if (!verb || (wanted !== undefined && verb !== 'rollback')) {
    return { refused: `"${text.slice(0, 60)}" is no action: use one of ${verbs.join(', ')}, or rollback=N` };
  }
  const target = resolvers[verb](world, wanted);
  return typeof target === 'number' ? { verb, target, id } : target;
}

const resolvers: Record<Verb, (world: ActionWorld, wanted: number | undefined) => number | Refused> = {
  promote: (world) => {
    if (!isStepping(world)) return { refused: `there is no rollout to promote: ${whyNone(world)}` };
    if (promotedStep(world) === undefined) {
      return { refused: 'there is nothing to skip: no pause is left in this rollout' };
    }
    return candidateOf(world) ?? legacy;
  },
  'promote-full': (world) =>
    isStepping(world)
      ? (candidateOf(world) ?? legacy)
      : { refused: `there is no rollout to promote: ${whyNone(world)}` },
  pause: (world) => {
    if (!isStepping(world)) return { refused: `there is no rollout to pause: ${whyNone(world)}` };
    return world.memory.heldSince === undefined
      ? (candidateOf(world) ?? legacy)
      : { refused: 'the rollout is paused already: use resume to go on' };
  },
  resume: (world) => {
    if (!isStepping(world)) return { refused: `there is no rollout to resume: ${whyNone(world)}` };
    return world.memory.heldSince === undefined
      ? { refused: 'nobody has paused the rollout: use promote to skip a pause of the steps' }
      : (candidateOf(world) ?? legacy);
  },
  abort: (world) => {
    if (!isStepping(world)) return { refused: `there is no rollout to abort: ${whyNone(world)}` };
    const stable = world.memory.stable?.revision;
    if (stable !== undefined) return stable;
    return world.main === legacy ? legacy : { refused: 'the first rollout has nothing to go back to' };
  },
  restart: (world) =>
    world.main === undefined || world.main === legacy
      ? { refused: 'no revision serves yet: there are no pods to replace' }
      : world.main,
  reload: (world) =>
    world.main === undefined || world.main === legacy
      ? { refused: 'no revision serves yet: there are no pods to reload' }
      : world.main,
  approve: (world) => {
    if (!isStepping(world)) return { refused: `there is no rollout to approve: ${whyNone(world)}` };
    return world.awaitsApproval
      ? (candidateOf(world) ?? legacy)
      : { refused: 'nothing waits for an approval' };
  },
  rollback: (world, wanted) => {
    if (!world.desired)
      return { refused: 'the spec cannot be read, so it cannot be rejected: mend it first' };
    const target = wanted ?? previous(world);
    if (target === undefined) {
      return { refused: `no revision before this one is kept: kept are ${world.kept.join(', ')}` };
    }
    if (world.ended.includes(target)) {
      return {
        refused: `revision ${target} cannot serve any more, because its release is gone or a contraction ends it: safe targets are ${world.kept.join(', ') || 'none'}`,
      };
    }
    if (!world.kept.includes(target)) {
      return { refused: `revision ${target} is not kept: kept are ${world.kept.join(', ')}` };
    }
    if (target === world.desired.number) {
      return isRejected(world)
        ? { refused: `revision ${target} is what the spec says: use retry to roll it out again` }
        : {
            refused: `revision ${target} is what the spec says and what is rolled out: nothing to roll back`,
          };
    }
    return target;
  },
  retry: (world) =>
    isRejected(world) && world.desired
      ? world.desired.number
      : { refused: 'the revision of the spec is not rejected: there is nothing to retry' },
};

/** The text of `pgrst.dev/accepted`. */
export function formatAccepted({ verb, target, id }: Accepted): string {
  return `${verb} ${target} ${id}`;
}

/** Reads `pgrst.dev/accepted`; undefined when it is not one of ours. */
export function parseAccepted(text: string | undefined): Accepted | undefined {
  const [name, target, id] = text?.split(' ') ?? [];
  const verb = verbs.find((known) => known === name);
  if (!verb || !id || !/^[0-9]{1,9}$/.test(target ?? '')) return undefined;
  return { verb, target: Number(target), id };
}

/**
 * Carries an accepted action out: what the operator remembers from now on. Traffic follows from it by `chooseTarget`
 * and `decideTraffic`. Carrying the same id out twice is impossible, because `lastAction` remembers it.
 */
export function carryOut(accepted: Accepted, world: ActionWorld, nowIso: string): Memory {
  const { memory } = world;
  const done = (result: string, change: Memory = {}): Memory => ({
    ...memory,
    ...change,
    lastAction: { ...accepted, at: nowIso, result },
  });
  switch (accepted.verb) {
    case 'promote': {
      const step = promotedStep(world);
      if (step === undefined || accepted.target !== candidateOf(world)) {
        return done('The rollout had moved on: nothing was skipped.');
      }
      const what = world.isJudged ? 'Waived the judgement at' : 'Skipped the pause at';
      return done(`${what} step ${step - 1}.`, { step, ...noPause });
    }
    case 'promote-full':
      if (accepted.target !== candidateOf(world)) return done('The rollout had ended: nothing was skipped.');
      return done('The remaining steps, pauses and checks are skipped.', { fast: true, ...noPause });
    case 'pause':
      if (accepted.target !== candidateOf(world))
        return done('The rollout had ended before it could be paused.');
      return done(`Revision ${accepted.target} stays where it is.`, { heldSince: nowIso });
    case 'resume':
      return done('The rollout goes on.', { heldSince: undefined });
    case 'restart':
      return done(`The pods of revision ${accepted.target} are replaced, one after the other.`, {
        restart: { revision: accepted.target, at: nowIso },
      });
    case 'reload': {
      const reload = { revision: accepted.target, at: nowIso, way: world.reloadsBy };
      return world.reloadsBy === 'Notify'
        ? done(`The pods of revision ${accepted.target} are told to reload, one after the other.`, { reload })
        : done(
            `The pods of revision ${accepted.target} cannot be told to reload, so they are replaced, one after the other.`,
            { reload, restart: { revision: accepted.target, at: nowIso } },
          );
    }
    case 'approve': {
      if (accepted.target !== candidateOf(world)) return done('The rollout had ended: nothing was approved.');
      const shown = memory.breaking ?? {
        revision: accepted.target,
        stable: memory.stable?.revision ?? accepted.target,
        total: 0,
        changes: [],
      };
      return done(`What clients lose with revision ${accepted.target} is approved.`, {
        breaking: { ...shown, approved: true },
      });
    }
    case 'abort': {
      if (!isStepping(world)) return done('The rollout had ended before it could be aborted.');
      const left = candidateOf(world) ?? accepted.target;
      const serves =
        accepted.target === legacy ? 'the service of rollout.from' : `revision ${accepted.target}`;
      return done(
        `Revision ${left} is rejected; ${serves} serves.`,
        leave(world, accepted.target, 'Aborted', nowIso),
      );
    }
    case 'rollback':
      if (!world.desired) return done('The spec cannot be read: nothing was rolled back.');
      return done(
        `Revision ${world.desired.number} is rejected; traffic goes to revision ${accepted.target}.`,
        {
          // In the middle of a rollout that is an abort too: history has an entry for what was left.
          ...(isStepping(world) ? leave : reject)(world, accepted.target, 'RolledBack', nowIso),
          fast: world.warm.includes(accepted.target) ? true : undefined,
        },
      );
    case 'retry': {
      const hash = world.desired?.hash;
      return done(`Revision ${accepted.target} is rolled out again.`, {
        rejected: (memory.rejected ?? []).filter((entry) => entry.hash !== hash),
        ...fromStart,
      });
    }
  }
}

/**
 * What is remembered once the candidate is left before it was promoted, by a person or by a check: its content is
 * rejected, and history says why. `message`: check, value, threshold, samples.
 */
export function leave(
  world: Pick<ActionWorld, 'memory' | 'desired'>,
  to: number,
  reason: Rejected['reason'],
  nowIso: string,
  message?: string,
): Memory {
  const { memory, desired } = world;
  if (!desired) return {};
  return {
    ...reject(world, to, reason, nowIso, message),
    history: addHistory(memory.history, {
      revision: desired.number,
      release: desired.release,
      from: to,
      outcome: 'Aborted',
      ...(message === undefined ? {} : { message }),
      ...(memory.startedAt === undefined ? {} : { startedAt: memory.startedAt }),
      at: nowIso,
    }),
  };
}

/** The content of the spec is rejected, and whatever rollout ran begins anew. */
function reject(
  { memory, desired }: Pick<ActionWorld, 'memory' | 'desired'>,
  to: number,
  reason: Rejected['reason'],
  nowIso: string,
  message?: string,
): Memory {
  if (!desired) return {};
  const { hash, number } = desired;
  const others = (memory.rejected ?? []).filter((entry) => entry.hash !== hash);
  const said = message === undefined ? {} : { message };
  const entry = { revision: number, hash, to, reason, ...said, at: nowIso };
  return { rejected: [entry, ...others].slice(0, 50), ...fromStart };
}

/** Puts a rollout that ended in front of the others; the newest 50 are kept. */
export function addHistory(
  history: readonly HistoryEntry[] | undefined,
  entry: HistoryEntry,
): HistoryEntry[] {
  return [entry, ...(history ?? [])].slice(0, 50);
}

const noPause = { pausedSince: undefined, heldSince: undefined } as const;
const fromStart = {
  candidate: undefined,
  step: 0,
  ...noPause,
  fast: undefined,
  startedAt: undefined,
  breaking: undefined,
} as const;

function isRejected({ memory, desired }: ActionWorld): boolean {
  return (memory.rejected ?? []).some((entry) => entry.hash === desired?.hash);
}

function whyNone(world: ActionWorld): string {
  if (world.main === undefined) return 'the first one has nothing to skip and nothing to go back to';
  if (!isRejected(world)) return 'the spec is what serves';
  return 'the revision of the spec is rejected (retry rolls it out again)';
}

/** Whether the revision of the spec is being rolled out (a way back is not a rollout that one could promote or abort). */
function isStepping(world: ActionWorld): boolean {
  return candidateOf(world) !== undefined && !isRejected(world);
}

function candidateOf({ memory, desired, main }: ActionWorld): number | undefined {
  if (!desired || main === undefined) return undefined;
  // After the switch of the stable Service the rollout is not over until status says so.
  return desired.number !== memory.stable?.revision ? desired.number : undefined;
}

/** The step that `promote` leads to: behind the judgement that is waited for, or behind the pause that runs or comes next. */
function promotedStep({ memory, steps, isJudged }: ActionWorld): number | undefined {
  const from = memory.step ?? 0;
  if (isJudged) return from + 1;
  const index = steps.findIndex((step, at) => at >= from && step.pause !== undefined);
  return index < 0 ? undefined : index + 1;
}

/** What "previous" is: the stable one while a rollout runs, else what had the traffic before it. */
function previous(world: ActionWorld): number | undefined {
  const stable = world.memory.stable?.revision;
  if (isStepping(world)) return stable;
  const rejected = new Set((world.memory.rejected ?? []).map((entry) => entry.revision));
  const left = (world.memory.history ?? []).find(
    (entry) =>
      entry.revision === stable &&
      entry.from !== undefined &&
      hasMoved(entry) &&
      entry.from !== legacy &&
      world.kept.includes(entry.from) &&
      !rejected.has(entry.from),
  );
  if (left?.from !== undefined) return left.from;
  const older = world.kept.filter((n) => stable !== undefined && n < stable && !rejected.has(n));
  return older.length > 0 ? Math.max(...older) : undefined;
}
