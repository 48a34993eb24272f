import { meaningOf } from '../api/v1alpha1/postgrestMeaning.ts';
import type { RevisionContent } from './revision.ts';

/**
 * Connections of the operator's own that may be open at a time: a run of migrations and what watches it, and one that
 * asks or notifies.
 */
const operatorConnections = 3;

/** Pods of a revision that connect to the server themselves. */
export interface DirectPods {
  readonly pods: number;
  /** Connections that each pod opens for requests: `db-pool`. */
  readonly pool: number;
  /** Whether each has one more, on which it listens for reloads. */
  readonly listens: boolean;
}

/** The most that an instance opens at one time. */
export interface Demand {
  readonly direct: readonly DirectPods[];
  /** Server connections of all PgBouncer processes together; undefined without a pooler. */
  readonly pooler: number | undefined;
}

/** What the server, the database or the role allows. */
export interface Limit {
  readonly of: 'server' | 'database' | 'role';
  /** Name of the database or the role; empty for the server. */
  readonly name: string;
  readonly max: number;
  /** Kept for superusers, and for those who may use reserved connections. */
  readonly reserved: number;
  /** In use now by sessions that are not of this instance. */
  readonly others: number;
}

/** Whether a demand fits the limits. */
export interface Budget {
  readonly fits: boolean;
  /** The sum in words, the limit that is nearest, and what to do where it does not fit. */
  readonly message: string;
}

/** What the pods of a revision open themselves. Its PostgREST has the default of `db-pool` where the spec says nothing. */
export function directPods({ postgrest, database }: RevisionContent, pods: number): DirectPods {
  const { config } = postgrest;
  const pool = Number(meaningOf('db-pool', config['db-pool']));
  const listens =
    !database.pooled && meaningOf('db-channel-enabled', config['db-channel-enabled']) !== 'false';
  return { pods, pool, listens };
}

/** The sum of a demand in words: the same for equal demands, whatever the server says. */
export function demandWords({ direct, pooler }: Demand): string {
  const each = ({ pods, pool, listens }: DirectPods): string =>
    `x ${pods} ${pods === 1 ? 'pod' : 'pods'} x ${listens ? `(${pool} + 1)` : pool}`;
  const groups = Map.groupBy(direct, each);
  const parts = [...groups].map(
    ([words, same]) =>
      `${same.length} ${same.length === 1 ? 'revision' : 'revisions'} ${words} = ${same.reduce((sum, pods) => sum + connectionsOf(pods), 0)}`,
  );
  if (pooler !== undefined) parts.push(`at most ${pooler} of PgBouncer`);
  parts.push(`${operatorConnections} of the operator`);
  return `${parts.join(', ')}: ${sumOf({ direct, pooler })} connections`;
}

/** Holds a demand against the limits. Assumes at least one. */
export function budgetOf(demand: Demand, limits: readonly Limit[]): Budget {
  const sum = sumOf(demand);
  const nearest = limits.reduce((a, b) => (freeOf(b) < freeOf(a) ? b : a));
  const free = freeOf(nearest);
  const words = demandWords(demand);
  if (free >= sum) return { fits: true, message: `${words}; ${where(nearest)}.` };
  const advice = [...lower(demand), raise(nearest, sum)].join(', or ');
  return {
    fits: false,
    message: `${words}; only ${where(nearest)}: ${sum - free} too many. ${advice.charAt(0).toUpperCase()}${advice.slice(1)}.`,
  };
}

function connectionsOf({ pods, pool, listens }: DirectPods): number {
  return pods * (pool + (listens ? 1 : 0));
}

function sumOf({ direct, pooler }: Demand): number {
  return direct.reduce((sum, pods) => sum + connectionsOf(pods), (pooler ?? 0) + operatorConnections);
}

function freeOf({ max, reserved, others }: Limit): number {
  return Math.max(0, max - reserved - others);
}

function where(limit: Limit): string {
  const { of, name, max, reserved, others } = limit;
  const whose = of === 'server' ? `the server's ${max}` : `the ${max} of ${of} ${name}`;
  const kept = reserved > 0 ? `${reserved} reserved, ` : '';
  return `${freeOf(limit)} of ${whose} are free (${kept}${others} in use by others)`;
}

function lower({ direct, pooler }: Demand): string[] {
  const wait = direct.length > 2 ? ['wait until rollout.warmFor of the revision before is over'] : [];
  const pods = direct.length > 0 ? ['lower spec.replicas or db-pool in spec.postgrest.config'] : [];
  const cap =
    pooler === undefined
      ? ['set spec.pooler, whose maxServerConnections is then the sum']
      : ['lower spec.pooler.maxServerConnections'];
  return [...wait, ...pods, ...cap];
}

function raise({ of, name, reserved, others }: Limit, sum: number): string {
  const needed = sum + reserved + others;
  return of === 'server'
    ? `raise max_connections of the server to ${needed}`
    : `raise the limit: alter ${of} ${name} connection limit ${needed}`;
}
