import { randomBytes } from 'node:crypto';
import type { ApiSchemaStatus } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { collectReleases } from '../../database/collectReleases.ts';
import { dropReleases } from '../../database/dropReleases.ts';
import {
  createPlannedController,
  type ControllerDeps,
  type PlannedController,
} from '../../runtime/plannedController.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { RunTask } from '../../runtime/tasks.ts';
import type { ApplyContext } from './applyRequest.ts';
import { applySchema } from './applySchema.ts';
import { watchTriggers, type Caches } from './caches.ts';
import { contract, survey } from './contractOrder.ts';
import { decide } from './decide.ts';
import { createJob } from './jobOrder.ts';
import { observe } from './observe.ts';
import { planSchema } from './planOrder.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiSchemas is made of. */
export interface ApiSchemaControllerDeps extends ControllerDeps {
  readonly caches: Caches;
  /** uid of the namespace kube-system: which cluster this is. */
  readonly clusterId: string;
  /** This operator process, for the ledger and pg_stat_activity: the pod's name. */
  readonly identity: string;
  /** Does the work: `createRunWork`, or what tests put in its place. */
  readonly run: RunTask<Work, WorkResult>;
}

/** What work is done with. */
export interface WorkTools extends Pick<ApplyContext, 'analyst' | 'squawk'> {
  readonly client: KubeClient;
}

/** Does the work of one order on the real database. */
export function createRunWork({ client, ...tools }: WorkTools): RunTask<Work, WorkResult> {
  return async ({ spec }, { signal, progress }) => {
    if (spec.kind === 'job') return await createJob(spec.job, client, signal);
    const context = { ...tools, signal, progress, patience: spec.patience };
    switch (spec.kind) {
      case 'apply':
        return await applySchema(spec.request, context);
      case 'plan':
        return await planSchema(spec.request, spec.inUse, context);
      case 'survey':
        return await survey(spec.request, context);
      case 'contract':
        return await contract(spec.request, context);
      case 'collect':
        return await collectReleases(spec.request, context);
      case 'drop':
        return await dropReleases(spec.request, context);
    }
  };
}

/** Wires observe, decide and act together, and what wakes them. */
export function createApiSchemaController(
  deps: ApiSchemaControllerDeps,
): PlannedController<World, ApiSchemaStatus, Work, WorkResult> {
  const { client, caches, clock, queue, clusterId, identity, run } = deps;
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
