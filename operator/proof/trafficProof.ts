import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import type { Turns } from '../runtime/turns.ts';
import { legacy, type Expectation } from '../rollout/types.ts';
import type { Address, ProbeRequest } from '../traffic/router.ts';
import { answeredBy, judge } from './judge.ts';
import { probe, reasonOf, type ProbeAnswer } from './probe.ts';

/** What has to be seen, and where to look. */
export interface TrafficProofOrder {
  readonly expectation: Expectation;
  /** The weight that was proved before, for telling a new share from an old one; percent. */
  readonly previousWeight: number;
  /** Whether it was proved before, and nothing has been written since: then fewer answers do, until one disagrees. */
  readonly isStanding: boolean;
  readonly request: ProbeRequest;
}

/** What a traffic proof tells while it runs. */
export interface TrafficProofProgress {
  /** Why a place of the router cannot be asked, or who answers there in our stead; undefined: all is as it should be. */
  readonly unreachable: string | undefined;
}

/** What a traffic proof works with. */
export interface TrafficProofDeps {
  readonly dataPlane: (signal: AbortSignal) => Promise<readonly Address[]>;
  readonly clock: Clock;
  /** Shared by all proofs, each with 5 requests at a time: a thousand of them at once would keep everything else waiting. */
  readonly turn: Turns;
}

/** That the data plane does what was expected, or why that is only assumed. */
export type TrafficProof = { readonly requests: number } | { readonly assumed: string };

/**
 * When none of the places could be asked for so long, the change is taken for done: it is longer than what any router
 * needs (ingress-nginx 4.3 s, Traefik 2 s), and longer than a controller's pod takes to restart.
 */
export const blindWaitMs = 30_000;

/** So many requests at a time to one place; judged after each time, so that a change is seen soon. */
const parallel = 5;
/** For so long a new route may answer 404 or 503 before the ingress knows it; after that somebody else answers. */
const strangerMs = 10_000;
/** After answers that did not agree: a change takes up to 3.3 s, and asking must not become load. */
const betweenMs = 60;

/**
 * Asks every place of the router until each one does what is expected; resolves then, with the number of requests it
 * took. Runs until that, or until the order is withdrawn: how long that may take is for the reconciler to judge. Where
 * no place can be asked at all, the order counts as assumed after `blindWaitMs`.
 *
 * All requests are GETs without a body. The gates answer them by themselves (the probe header), so they reach no
 * PostgREST; a service of `rollout.from` knows nothing of that header and serves them like any other GET.
 */
export async function proveTraffic(
  order: TrafficProofOrder,
  deps: TrafficProofDeps,
  { signal, progress }: TaskContext,
): Promise<TrafficProof> {
  const { dataPlane, clock } = deps;
  let requests = 0;
  const began = clock.monotonic();
  for (;;) {
    // A wait that is aborted ends like any other.
    signal.throwIfAborted();
    const isBlind = requests === 0 && clock.monotonic() - began >= blindWaitMs;
    const places = await dataPlane(signal);
    if (places.length === 0) {
      if (isBlind) return { assumed: 'the ingress controller has no ready pod' };
      progress({ unreachable: 'the ingress controller has no ready pod' } satisfies TrafficProofProgress);
      await delay(clock, 1000, signal);
      continue;
    }
    const results = await Promise.all(
      places.map((place) => provePlace(place, order, deps, { signal, progress })),
    );
    requests += results.reduce((total, result) => total + result.requests, 0);
    const failed = results.find((result) => result.error !== undefined);
    if (!failed) {
      // A replica that came up while the others were asked has not been: look again, and be done when nothing is new.
      progress({ unreachable: undefined } satisfies TrafficProofProgress);
      const now = await dataPlane(signal);
      if (now.every(({ ip }) => places.some((place) => place.ip === ip))) return { requests };
      continue;
    }
    if (isBlind && requests === 0) return { assumed: failed.error ?? '' };
    progress({ unreachable: failed.error } satisfies TrafficProofProgress);
    await delay(clock, 500, signal);
  }
}

interface PlaceResult {
  readonly requests: number;
  /** Why the place could not be asked. */
  readonly error?: string;
}

async function provePlace(
  place: Address,
  order: TrafficProofOrder,
  { clock, turn }: TrafficProofDeps,
  { signal, progress }: TaskContext,
): Promise<PlaceResult> {
  const { expectation, previousWeight, request } = order;
  const began = clock.monotonic();
  let { isStanding } = order;
  let tally = new Map<number, number>();
  let requests = 0;
  const ask = (): Promise<ProbeAnswer[]> => {
    signal.throwIfAborted();
    return Promise.all(Array.from({ length: parallel }, () => probe(place, request, signal)));
  };
  for (;;) {
    try {
      const answers = await turn(ask);
      for (const answer of answers) {
        const who = answeredBy(answer);
        tally.set(who, (tally.get(who) ?? 0) + 1);
      }
      requests += answers.length;
      await pace(request, answers.length, clock, signal);
      const stranger = answers.find((answer) => isStranger(answer, expectation));
      if (stranger && clock.monotonic() - began > strangerMs) {
        progress({ unreachable: strangerMessage(place, stranger.status) } satisfies TrafficProofProgress);
      }
    } catch (error) {
      signal.throwIfAborted();
      return { requests, error: `${place.ip}:${place.port}: ${reasonOf(error)}` };
    }
    const verdict = judge(expectation, previousWeight, tally, isStanding);
    if (verdict === 'proved') return { requests };
    if (verdict === 'contradicted') {
      isStanding = false;
      tally = new Map();
      await delay(clock, betweenMs, signal);
    }
  }
}

/** Waits, after so many requests, for as long as the router wants them to take. */
async function pace(
  { perSecond }: ProbeRequest,
  requests: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  if (perSecond !== undefined) await delay(clock, (requests * 1000) / perSecond, signal);
}

/** Somebody without a gate where only revisions should answer; where `legacy` is expected too, its answers have none. */
function isStranger(answer: ProbeAnswer, expectation: Expectation): boolean {
  if (answer.revision !== undefined) return false;
  const expected =
    expectation.kind === 'weights' ? [expectation.stable, expectation.candidate] : [expectation.revision];
  return !(expected.includes(legacy) && answeredBy(answer) === legacy);
}

function strangerMessage({ ip, port }: Address, status: number): string {
  return `${ip}:${port} answers ${status} without asking a gate; an annotation for authentication or redirects, or another Ingress with this host and path, would do that`;
}

/** How many answers in a row without a gate behind them show that a place of the router has forgotten the routes. */
const goneAfter = 20;

/** Asks every place of the router until no gate answers there any more: the routes are gone from the data plane. */
export async function proveGone(
  request: ProbeRequest,
  dataPlane: (signal: AbortSignal) => Promise<readonly Address[]>,
  clock: Clock,
  { signal }: TaskContext,
): Promise<{ readonly requests: number }> {
  let requests = 0;
  for (const place of await dataPlane(signal)) {
    for (let silent = 0; silent < goneAfter; silent += 1) {
      const answer = await probe(place, request, signal).catch(() => undefined);
      signal.throwIfAborted();
      requests += 1;
      await pace(request, 1, clock, signal);
      if (answer?.revision === undefined) continue;
      silent = 0;
      await delay(clock, betweenMs, signal);
    }
  }
  return { requests };
}
