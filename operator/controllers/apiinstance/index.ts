import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { ApiInstanceStatus } from '../../api/v1alpha1/apiInstanceStatus.ts';
import { analyse } from '../../proof/analysis.ts';
import { compareContracts } from '../../proof/contract.ts';
import { probePod } from '../../proof/podProbes.ts';
import { provePod } from '../../proof/podProof.ts';
import { reloadPod, type Notify } from '../../proof/reloadPod.ts';
import { proveGone, proveTraffic } from '../../proof/trafficProof.ts';
import { instanceLabel, revisionOf } from '../../resources/names.ts';
import type { Callers } from '../../resources/networkPolicy.ts';
import { adminPort } from '../../resources/ports.ts';
import type { OperandImages } from '../../resources/revision.ts';
import type { Primary } from '../../runtime/act.ts';
import type { Clock } from '../../runtime/clock.ts';
import { cacheKey } from '../../runtime/object.ts';
import {
  createPlannedController,
  type ControllerDeps,
  type PlannedController,
} from '../../runtime/plannedController.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import type { Queue } from '../../runtime/queue.ts';
import type { Key } from '../../runtime/reconciler.ts';
import type { RunTask } from '../../runtime/tasks.ts';
import { createTurns } from '../../runtime/turns.ts';
import { createLimitsQuestion } from './askLimits.ts';
import { lookUp, type Caches } from './caches.ts';
import { createSecretMemory } from './credentials.ts';
import { decide } from './decide.ts';
import { makeCredentials } from './makeCredentials.ts';
import { observe, podState } from './observe.ts';
import type { MakeCredentials } from './observePooler.ts';
import type { Routers } from './observeRoute.ts';
import type { Places } from './places.ts';
import { settlePooler } from './poolerWork.ts';
import { endedRollouts, type EndedRollout } from './ended.ts';
import { createNotifier } from './notifier.ts';
import type { Work, WorkResult, World } from './world.ts';

/** What the controller of ApiInstances is made of. */
export interface ApiInstanceControllerDeps extends ControllerDeps {
  readonly caches: Caches;
  readonly routers: Routers;
  /** The operator's defaults; a revision keeps those that it was made with. */
  readonly images: OperandImages;
  readonly places: Places;
  /** This operator process, for pg_stat_activity. */
  readonly identity: string;
  /** Who has to reach the pods, for network policies. */
  readonly callers: Callers;
  /** Told of every pod that was told to reload: after how many seconds it had, or undefined when it never did. */
  readonly onPodReloaded: (seconds: number | undefined) => void;
  /** Told of every rollout that ended, once its end is in status. */
  readonly onRolloutEnded: (ended: EndedRollout) => void;
  /** Proves things. Default: over the network; tests put theirs in its place. */
  readonly run?: RunTask<Work, WorkResult>;
  /** Makes credentials for new poolers. Default: random ones. */
  readonly makeCredentials?: MakeCredentials;
}

/** Wires observe, decide and act together, and what wakes them. */
export function createApiInstanceController(
  deps: ApiInstanceControllerDeps,
): PlannedController<World, ApiInstanceStatus, Work, WorkResult> {
  const { client, caches, clock, queue, routers, places, images, callers } = deps;
  const {
    run = workRunner(routers, caches, clock, client, createNotifier(client, deps.identity), deps),
    makeCredentials: make = makeCredentials,
  } = deps;
  const secrets = createSecretMemory();
  watchTriggers(caches, places, queue);
  const controller = createPlannedController<World, ApiInstanceStatus, Work, WorkResult>(
    {
      observe: (key, work, signal) =>
        observe(
          key,
          { client, caches, clock, routers, places, images, callers, secrets, makeCredentials: make, work },
          signal,
        ),
      decide,
      primary: (world) => world.primary as unknown as Primary,
      // No cache holds Secrets.
      observed: (ref, world) => (ref.kind === 'Secret' ? world.pooler.secret : lookUp(caches, ref)),
      run,
    },
    deps,
  );
  const { reconciler } = controller;
  return {
    ...controller,
    forget(key) {
      secrets.forget(key);
      controller.forget(key);
    },
    reconciler: {
      ...reconciler,
      async act(plan, world, signal) {
        await reconciler.act(plan, world, signal);
        for (const ended of endedRollouts(world.status, plan.status)) deps.onRolloutEnded(ended);
      },
    },
  };
}

/** How many groups of 5 requests the proofs of all instances have on their way at a time. */
const groupsAtOnce = 12;

function workRunner(
  routers: Routers,
  caches: Caches,
  clock: Clock,
  client: KubeClient,
  notifier: (order: Extract<Work, { kind: 'reload' }>) => Notify,
  { identity, onPodReloaded }: Pick<ApiInstanceControllerDeps, 'identity' | 'onPodReloaded'>,
): RunTask<Work, WorkResult> {
  const askLimits = createLimitsQuestion(identity, clock);
  const turn = createTurns(groupsAtOnce);
  const dataPlane = (spec: ApiInstanceSpec) => (signal: AbortSignal) => {
    const router = routers[spec.expose.router];
    return router ? router.dataPlane(spec, signal) : Promise.resolve([]);
  };
  const gates = (namespace: string, instance: string, revision: number) => () =>
    caches.pods
      .byIndex('instance', `${namespace}/${instance}`)
      .filter(({ metadata }) => revisionOf(metadata.labels) === revision)
      .flatMap(podState)
      .flatMap(({ uid, ip, isReady }) => (ip === undefined || !isReady ? [] : [{ uid, ip }]));
  return ({ spec }, context) => {
    switch (spec.kind) {
      case 'pod':
        return provePod({ ...spec, port: adminPort }, clock, context);
      case 'reload':
        return reloadPod({ ...spec, port: adminPort }, notifier(spec), clock, context).then((result) => {
          onPodReloaded('deaf' in result ? undefined : result.reloadedAfterMs / 1000);
          return result;
        });
      case 'pooler':
        return settlePooler(spec, client, clock, context);
      case 'probes':
        return probePod(spec, clock, context);
      case 'connections':
        return askLimits(spec, context);
      case 'contract':
        return compareContracts(spec, context);
      case 'analysis':
        return analyse(spec, gates(spec.namespace, spec.instance, spec.revision), adminPort, clock, context);
      case 'traffic':
        return proveTraffic(spec, { dataPlane: dataPlane(spec.spec), clock, turn }, context);
      case 'gone':
        return proveGone(spec.request, dataPlane(spec.spec), clock, context);
    }
  };
}

/** What wakes an instance: itself, its schema, whatever carries its label, and other places of its router. */
function watchTriggers(caches: Caches, places: Places, queue: Queue<Key>): void {
  places.onChange((router) => {
    for (const { metadata, ...instance } of caches.instances.list()) {
      const spec = instance['spec'] as ApiInstanceSpec | undefined;
      if (spec?.expose.router === router) queue.add(cacheKey(metadata) as Key, { priority: 'resync' });
    }
  });
  caches.instances.onChange(({ object, initial }) => {
    queue.add(cacheKey(object.metadata) as Key, { priority: initial ? 'resync' : 'changed' });
  });
  caches.schemas.onChange(({ object, initial }) => {
    if (initial) return;
    for (const instance of caches.instances.byIndex('schema', cacheKey(object.metadata)))
      queue.add(cacheKey(instance.metadata) as Key);
  });
  const children = [
    caches.deployments,
    caches.services,
    caches.configMaps,
    caches.ingresses,
    caches.pods,
    caches.budgets,
    caches.accounts,
    caches.policies,
    ...(caches.httpRoutes ? [caches.httpRoutes] : []),
  ];
  for (const cache of children) {
    cache.onChange(({ object, initial }) => {
      const instance = object.metadata.labels?.[instanceLabel];
      if (initial || instance === undefined) return;
      queue.add(`${object.metadata.namespace ?? ''}/${instance}`);
    });
  }
}
