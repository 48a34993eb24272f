import { randomBytes } from 'node:crypto';
import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { dropReleases } from '../../database/dropReleases.ts';
import {
  createPlannedController,
  type ControllerDeps,
  type PlannedController,
} from '../../runtime/plannedController.ts';
import type { RunTask } from '../../runtime/tasks.ts';
import { applySchema } from './applySchema.ts';
import { watchTriggers, type Caches } from './caches.ts';
import { decide } from './decide.ts';
import { observe } from './observe.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiSchemas is made of. */
export interface ApiSchemaControllerDeps extends ControllerDeps {
  readonly caches: Caches;
  /** uid of the namespace kube-system: which cluster this is. */
  readonly clusterId: string;
  /** This operator process, for the ledger and pg_stat_activity: the pod's name. */
  readonly identity: string;
  /** Does the work on the database. Default `runWork`; tests put theirs in its place. */
  readonly run?: RunTask<Work, WorkResult>;
}

/** Does the work of one order on the real database. */
export const runWork: RunTask<Work, WorkResult> = async ({ spec }, context) =>
  spec.kind === 'apply'
    ? await applySchema(spec.request, context)
    : await dropReleases(spec.request, context);

/** Wires observe, decide and act together, and what wakes them. */
export function createApiSchemaController(
  deps: ApiSchemaControllerDeps,
): PlannedController<World, ApiSchemaStatus, Work, WorkResult> {
  const { client, caches, clock, queue, clusterId, identity, run = runWork } = deps;
  const salt = randomBytes(32);
  watchTriggers(caches, queue);
  return createPlannedController<World, ApiSchemaStatus, Work, WorkResult>(
    {
      observe: (key, work, signal) =>
        observe(key, { client, caches, clock, work, clusterId, identity, salt }, signal),
      decide,
      primary: (world) => world.object,
      observed: () => undefined,
      run,
    },
    deps,
  );
}
