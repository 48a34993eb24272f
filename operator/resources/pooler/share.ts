import type { PoolerSpec } from '../../api/v1alpha1/apiInstancePooler.ts';

/** What one PgBouncer process may open towards the database. */
export interface PoolerShare {
  /** `max_user_connections`: all its connections, whatever the revision. */
  readonly connections: number;
  /** `default_pool_size`: its connections for one revision. */
  readonly poolSize: number;
}

/**
 * The share of one of so many processes. PgBouncer counts per process, so the cap is divided; and two revisions always
 * fit into a share, so that a slow candidate cannot take stable's. At least one connection each: more processes than
 * `maxServerConnections` exceed it.
 */
export function poolerShare(
  spec: Pick<PoolerSpec, 'maxServerConnections' | 'poolSize'>,
  processes: number,
): PoolerShare {
  const connections = Math.max(1, Math.floor(spec.maxServerConnections / processes));
  return { connections, poolSize: Math.max(1, Math.min(spec.poolSize, Math.floor(connections / 2))) };
}

/**
 * What a process has by its configuration, before the operator gives it more over its console: as little as it may have
 * while every pod is being replaced, or by more `processes` if there are more. So no process ever starts with too much,
 * whoever has started it.
 */
export function startingShare(
  spec: Pick<PoolerSpec, 'maxServerConnections' | 'poolSize' | 'replicas'>,
  processes: number,
): PoolerShare {
  return poolerShare(spec, Math.max(2 * spec.replicas, processes));
}
