import { legacy, type Canary, type Expectation } from '../rollout/types.ts';
import type { Clock } from '../runtime/clock.ts';

/** What the objects of a route say, or what a replica of the ingress makes of them. */
export interface Followed {
  /** Where the main route leads; undefined: there is none. */
  readonly main: 'stable' | 'from' | undefined;
  /** The revision behind the stable Service. */
  readonly selected: number | undefined;
  readonly canary: Canary | undefined;
}

/** After how many milliseconds a replica takes up a change of each part. */
export type Lag = Readonly<Record<keyof Followed, number>>;

/** Replicas of an ingress controller, each with its own view of the objects, which it takes up later. */
export interface SimulatedDataPlane {
  /** Takes up what is due; calls back for each replica that changed. */
  follow(): void;
  /** The view of each replica. */
  views(): readonly Followed[];
  /** Whether every replica does this now. */
  does(expectation: Expectation): boolean;
  /** How far the replicas are behind from now on; one replica for each. */
  lag(lags: readonly Lag[]): void;
}

const parts = ['main', 'selected', 'canary'] as const;

/** A data plane that follows at once until it is told to lag. A change that is taken back in time is never seen. */
export function createSimulatedDataPlane(
  clock: Clock,
  read: () => Followed,
  onChange: (view: Followed) => void,
): SimulatedDataPlane {
  let lags: readonly Lag[] = [{ main: 0, selected: 0, canary: 0 }];
  let views: Followed[] = [read()];
  const due = new Map<string, number>();

  function follow(): void {
    const now = read();
    views = views.map((view, replica) => {
      const next = parts.reduce((sum, part) => {
        const slot = `${replica} ${part}`;
        if (JSON.stringify(view[part]) === JSON.stringify(now[part])) {
          due.delete(slot);
          return sum;
        }
        const at = due.get(slot) ?? clock.now() + (lags[replica]?.[part] ?? 0);
        due.set(slot, at);
        if (clock.now() < at) return sum;
        due.delete(slot);
        return { ...sum, [part]: now[part] };
      }, view);
      if (next !== view) onChange(next);
      return next;
    });
  }

  return {
    follow,
    views: () => views,
    does(expectation) {
      follow();
      return views.every((view) => doesOne(view, expectation));
    },
    lag(next) {
      lags = next;
      views = next.map((_, replica) => views[replica] ?? views[0] ?? read());
      due.clear();
      follow();
    },
  };
}

/** Who answers on the main route. */
export function mainOf({ main, selected }: Followed): number | undefined {
  return main === 'from' ? legacy : main === 'stable' ? selected : undefined;
}

function doesOne(view: Followed, expectation: Expectation): boolean {
  const main = mainOf(view);
  const { canary } = view;
  const weight = canary?.weight ?? 0;
  if (main === undefined) return false;
  switch (expectation.kind) {
    case 'main':
      return main === expectation.revision;
    case 'stable':
      return view.selected === expectation.revision;
    case 'canary':
      return canary?.revision === expectation.revision;
    case 'weights':
      if (expectation.stable === expectation.candidate) return main === expectation.stable && weight === 0;
      if (expectation.weight === 100) return canary?.revision === expectation.candidate && weight === 100;
      return (
        main === expectation.stable &&
        weight === expectation.weight &&
        (weight === 0 || canary?.revision === expectation.candidate)
      );
  }
}
