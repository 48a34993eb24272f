import fc from 'fast-check';
import { expect } from 'vitest';
import { createInstanceHarness, type Instance, type InstanceHarness, type Turn } from './instanceHarness.ts';

/** Something that a person does, and how one sees that it has come to rest. */
export interface Act {
  readonly does: (h: InstanceHarness) => void;
  readonly until: (turn: Turn, h: InstanceHarness) => boolean;
}

/** What people do to an instance, each act once the one before has come to rest. */
export interface Journey {
  readonly acts: readonly Act[];
  /** Fields of the spec beyond those that the harness gives. */
  readonly spec?: object;
  /** What proofs and checks come to from the beginning. */
  readonly script?: (h: InstanceHarness) => void;
}

/** The reconcile came to rest. */
export const settled = ({ outcome }: Turn): boolean => outcome?.kind === 'settled';

/** A condition of the instance. */
export function condition(instance: Instance | undefined, type: string) {
  return instance?.status?.conditions?.find((each) => each.type === type);
}

/** The rollout stands where it is, and Progressing gives this reason. */
export const standsFor =
  (reason: string) =>
  ({ instance }: Turn): boolean =>
    condition(instance, 'Progressing')?.reason === reason;

/** A pause of the steps runs. */
export const paused = ({ instance }: Turn): boolean => condition(instance, 'Paused')?.status === 'True';

/** It came to rest after this verb was carried out. */
export const done =
  (verb: string) =>
  (turn: Turn): boolean =>
    settled(turn) && turn.instance?.status?.lastAction?.verb === verb;

/** This revision is stable, and nothing runs. */
export const serves =
  (revision: number) =>
  (turn: Turn): boolean =>
    settled(turn) && turn.instance?.status?.stable?.revision === revision;

/** This holds, and in the last turns nothing was written. */
export const quietWhile = (holds: Act['until']): Act['until'] => {
  const seen = new WeakMap<InstanceHarness, { readonly writes: number; readonly turns: number }>();
  return (turn, h) => {
    const before = seen.get(h);
    const turns = before?.writes === h.writes() ? before.turns + 1 : 0;
    seen.set(h, { writes: h.writes(), turns });
    return turns > 5 && holds(turn, h);
  };
};

/** It has come to rest after this verb was carried out, and in the last turns nothing was written. */
export const quietAfter = (verb: string): Act['until'] => quietWhile(done(verb));

/** Nothing is done. */
export const nothing = (): void => undefined;

/** Somebody sets `pgrst.dev/action`. */
export const action =
  (verb: string) =>
  (h: InstanceHarness): void => {
    h.edit({ annotations: { 'pgrst.dev/action': verb } });
  };

/** A release is published. */
export const publish =
  (id: string) =>
  (h: InstanceHarness): void => {
    h.publish(id);
  };

/** The first rollout, to its end. */
export const begin: Act = { does: nothing, until: settled };

/** A release is rolled out as far as the first pause. */
export const release = (id: string): Act => ({ does: publish(id), until: paused });

/** Somebody skips the pause, and the rollout goes to its end. */
export const promote: Act = { does: action('promote'), until: done('promote') };

/** Somebody leaves the rollout. */
export const abort: Act = { does: action('abort'), until: done('abort') };

/** Travels with an operator whose lives are so many writes long. */
export async function setOut(
  { acts, spec, script }: Journey,
  lives: readonly number[] = [],
): Promise<InstanceHarness> {
  const h = createInstanceHarness(lives, spec);
  script?.(h);
  for (const { does, until } of acts) {
    does(h);
    await h.run((turn) => until(turn, h));
  }
  return h;
}

/** The same, and demands that nothing was wrong on the way and nothing is written at the end. */
export async function travel(journey: Journey, lives: readonly number[] = []): Promise<InstanceHarness> {
  const h = await setOut(journey, lives);
  const before = h.writes();
  for (let turns = 0; turns < 4; turns += 1) await h.turn();
  expect(h.writes()).toBe(before);
  expect(h.violations()).toEqual([]);
  return h;
}

/** Whichever of the given lists of lives the operators have, the same end is reached. */
export async function sameEnd(
  journey: Journey,
  lives: readonly number[],
  undisturbed: InstanceHarness,
): Promise<void> {
  const h = await travel(journey, lives);
  expect(fixedPoint(h), `dead after ${lives.join(', ')} writes`).toEqual(fixedPoint(undisturbed));
}

/** Kills operators anywhere, up to three in one journey, and demands the same end; `numRuns` times. */
export async function surviveDeaths(
  journey: Journey,
  undisturbed: InstanceHarness,
  numRuns: number,
): Promise<void> {
  const life = fc.nat({ max: undisturbed.writes() - 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 3 }), (lives) =>
      sameEnd(journey, lives, undisturbed),
    ),
    { numRuns, seed: 1 },
  );
}

/** The world without what differs from one run to the next: versions, stamps and who died when. */
function fixedPoint(h: InstanceHarness): unknown {
  const volatile = new Set([
    'uid',
    'resourceVersion',
    'generation',
    'observedGeneration',
    'creationTimestamp',
  ]);
  const versions = new Set(
    ['accepted', 'config-version', 'credentials', 'settings'].map((name) => `pgrst.dev/${name}`),
  );
  const times = /(At|Time|^at|^id|Since|restarted-at|written-at)$/;
  // A reload that is asked for makes other settings of the same values: when it was is in their token.
  const tokens = /(?<=settings-)[0-9a-f]{12}/gi;
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (typeof value === 'string') return value.replace(tokens, 'token');
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !volatile.has(key) && !times.test(key))
        .map(([key, entry]) => [key, versions.has(key) ? 'version' : strip(entry)]),
    );
  };
  return h.kube
    .all()
    .filter(({ kind }) => kind !== 'Pod')
    .map(strip)
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}
