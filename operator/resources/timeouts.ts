import { durationMs } from '../api/v1alpha1/shared.ts';
import type { ApiInstanceStatus } from '../api/v1alpha1/apiInstanceStatus.ts';

/** `expose.timeouts`, absent where the spec says the same as the default. */
export interface Timeouts {
  /** A duration; absent: what the role or the database has. */
  readonly statement?: string;
  /** A duration; absent: `defaultRequestTimeout`. */
  readonly request?: string;
}

/** What the waits of a revision depend on: a part of its content. */
export interface Waiting {
  readonly timeouts?: Timeouts;
  readonly postgrest: { readonly config: Readonly<Record<string, string>> };
  readonly database: { readonly pooled: boolean };
}

/** How long the gate waits for PostgREST where the spec does not say: 5 s less than ingress-nginx waits by itself. */
export const defaultRequestTimeout = '55s';
/**
 * How long a gate goes on serving after it was told to stop, in seconds. ingress-nginx learns of a pod that leaves 0 to
 * 3.3 s later (its --sync-rate-limit); a request that it sends to a closed port waits 5 s.
 */
export const preStopSeconds = 6;
/** For PostgREST and the kubelet, which come after the gate; in seconds. */
const reserveSeconds = 10;
/** How much longer than the gate the ingress waits, in seconds. */
const ingressMarginSeconds = 5;
/** PostgREST's own default of `db-pool-acquisition-timeout`, in seconds. */
const defaultPoolWaitSeconds = 10;
const poolWaitParameter = 'db-pool-acquisition-timeout';

/** The longest that a request may take behind the gate, in whole seconds, rounded up. */
export function requestSeconds(timeouts: Timeouts | undefined): number {
  return Math.ceil(durationMs(timeouts?.request ?? defaultRequestTimeout) / 1000);
}

/** How long the router waits for the gate, in seconds: the one nearer to the database gives up first. */
export function routerSeconds(timeouts: Timeouts | undefined): number {
  return requestSeconds(timeouts) + ingressMarginSeconds;
}

/** How long a pod has from the order to stop until the kubelet kills it, in seconds. */
export function gracePeriodSeconds(timeouts: Timeouts | undefined): number {
  return preStopSeconds + requestSeconds(timeouts) + reserveSeconds;
}

/**
 * How long a request waits for a connection to the database where nobody says otherwise, in seconds: as long as
 * PostgREST does by itself, but less than the gate waits for the answer.
 */
export function poolWaitSeconds(timeouts: Timeouts | undefined): number {
  return Math.min(defaultPoolWaitSeconds, requestSeconds(timeouts) - 1);
}

/** The PostgREST parameters that keep the chain in order; empty where PostgREST's own default does. */
export function poolWaitConfig(timeouts: Timeouts | undefined): Record<string, string> {
  const seconds = poolWaitSeconds(timeouts);
  return seconds === defaultPoolWaitSeconds ? {} : { [poolWaitParameter]: String(seconds) };
}

/** The chain of waits of a revision, for status: from the database outwards, then what a pod does to stop. */
export function timeoutsOf(content: Waiting): NonNullable<ApiInstanceStatus['timeouts']> {
  const { timeouts, database } = content;
  const drain = requestSeconds(timeouts);
  const waits = [acquisitionSeconds(content), ...(database.pooled ? [poolWaitSeconds(timeouts)] : [])];
  return {
    ...(timeouts?.statement === undefined ? {} : { statement: timeouts.statement }),
    pool: seconds(Math.max(...waits)),
    request: timeouts?.request ?? defaultRequestTimeout,
    ingress: seconds(routerSeconds(timeouts)),
    preStop: seconds(preStopSeconds),
    drain: seconds(drain),
    gracePeriod: seconds(gracePeriodSeconds(timeouts)),
  };
}

/**
 * Why the chain is out of order, and what to do: only `postgrest.config` can bring it there, all other waits are
 * computed or checked by the API server. Undefined when it is in order.
 */
export function timeoutProblem(content: Waiting): string | undefined {
  const request = content.timeouts?.request ?? defaultRequestTimeout;
  const wait = acquisitionSeconds(content);
  if (wait * 1000 < durationMs(request)) return undefined;
  return `spec.postgrest.config.${poolWaitParameter} is ${wait} s, and the gate gives up after ${request} (spec.expose.timeouts.request): a client would never learn that there was no free connection. Lower ${poolWaitParameter}, or raise spec.expose.timeouts.request above it.`;
}

/** PostgREST takes its default for what is no number. */
function acquisitionSeconds({ postgrest, timeouts }: Waiting): number {
  const given = postgrest.config[poolWaitParameter]?.trim() ?? '';
  return /^[0-9]{1,9}$/.test(given) ? Number(given) : poolWaitSeconds(timeouts);
}

function seconds(count: number): string {
  return `${count}s`;
}
