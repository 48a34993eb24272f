import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { PoolerSpec } from '../../api/v1alpha1/apiInstancePooler.ts';
import type { Release } from '../../api/v1alpha1/apiSchemaStatus.ts';
import { readDatabaseUri, type DatabaseUri } from '../../api/v1alpha1/databaseUri.ts';
import type { SettledProcess, SettleProgress } from '../../console/settleProcess.ts';
import { poolerBudget } from '../../resources/budget.ts';
import { names, type Owner } from '../../resources/names.ts';
import {
  configGeneration,
  poolerCannotUse,
  poolerSecret,
  serverLine,
  type PoolerConfiguration,
  type PoolerTls,
} from '../../resources/pooler/configuration.ts';
import { poolerDeployment, poolerService } from '../../resources/pooler/deployment.ts';
import { poolerShare, type PoolerShare } from '../../resources/pooler/share.ts';
import type { OperandImages } from '../../resources/revision.ts';
import type { KubeObject } from '../../runtime/object.ts';
import type { WorkOrder, WorkState } from '../../runtime/reconciler.ts';
import type { PoolerPod, PoolerWork, Work, World } from './world.ts';

/** What is to become of the pooler. */
export interface PoolerDecision {
  readonly objects: readonly KubeObject[];
  readonly orders: readonly WorkOrder<Work>[];
  /** What each process may open while there are as many as now, or as are about to be. */
  readonly share: PoolerShare;
  /** What the configuration is known by. */
  readonly generation: string;
  /** The pods that are to stay, each with the order that settles it. */
  readonly staying: readonly { readonly pod: PoolerPod; readonly orderId: string }[];
}

/**
 * The pooler's objects, and the work that brings its processes to their share and their configuration; undefined without
 * one, and while its URI cannot be used: then all of it stays as it is.
 *
 * Shrink before you add: the share is that of all processes there may be, those that are stopping included, and the
 * Deployment gets its new size or template only once every process that runs keeps to it. A process that cannot be asked
 * holds nothing up: the condition PoolerReady says so.
 */
export function decidePooler(world: World, spec: ApiInstanceSpec, owner: Owner): PoolerDecision | undefined {
  const { credentials, pods } = world.pooler;
  const uri = usableUri(world, spec);
  const tls = tlsOf(world, spec);
  if (!spec.pooler || !credentials || !uri || tls === 'missing') return undefined;
  const { statement, request } = spec.expose.timeouts;
  const timeouts = { request, ...(statement === undefined ? {} : { statement }) };
  const { object, template } = poolerDeployment(owner, {
    spec: spec.pooler,
    images: pinned(world),
    credentials,
    server: serverLine({ uri, timeouts }),
    hasAuthority: tls?.ca !== undefined,
    timeouts,
  });
  const processes = processesOf(spec.pooler, pods, template);
  const share = poolerShare(spec.pooler, processes);
  const from: PoolerConfiguration = {
    uri,
    spec: spec.pooler,
    credentials,
    ...(tls ? { tls } : {}),
    processes,
    timeouts,
  };
  const generation = configGeneration(from);
  const inPlace = world.schema?.strategy === 'InPlace' ? world.schema.newest : undefined;
  const asked = pods.flatMap((pod) => order(pod, { owner, share, generation, template, inPlace }));
  const { replicas } = world.pooler;
  const adds =
    replicas !== undefined && (world.pooler.template !== template || spec.pooler.replicas > replicas);
  const isHeld = adds && asked.some(({ pod, id }) => pod.isReady && !keepsToShare(world.work.get(id)));
  return {
    objects: [
      poolerSecret(owner, from),
      poolerService(owner),
      ...(isHeld ? [] : [object]),
      poolerBudget(owner),
    ],
    orders: asked,
    share,
    generation,
    staying: asked
      .filter(({ spec: work }) => work.generation !== undefined)
      .map(({ pod, id }) => ({ pod, orderId: id })),
  };
}

/** The results of processes that run an image: what is known of its version. */
export function knownVersions(world: World, spec: PoolerSpec): readonly string[] {
  const image = spec.image ?? pinned(world).pgbouncer;
  return world.pooler.pods
    .filter((pod) => pod.image === image && !pod.isStopping)
    .flatMap((pod) =>
      [...world.work].flatMap(([id, state]) =>
        id.startsWith(`${idOf(pod)} `) && state.state === 'done'
          ? [(state.result as SettledProcess).version]
          : [],
      ),
    );
}

/** The default images with that of a pooler that runs already: an operator upgrade rolls no operand. */
function pinned({ images, pooler }: World): OperandImages {
  return {
    ...images,
    pgbouncer: pooler.image ?? images.pgbouncer,
    pgbouncerExporter: pooler.exporterImage ?? images.pgbouncerExporter,
  };
}

function usableUri({ databaseUri }: World, { database }: ApiInstanceSpec): DatabaseUri | undefined {
  if (databaseUri.state !== 'found') return undefined;
  const uri = readDatabaseUri(databaseUri.value);
  return 'error' in uri || poolerCannotUse(uri, database.tls) !== undefined ? undefined : uri;
}

/** Undefined: what the URI says. */
function tlsOf({ databaseCa }: World, { database }: ApiInstanceSpec): PoolerTls | 'missing' | undefined {
  if (!database.tls) return undefined;
  const { mode } = database.tls;
  if (!databaseCa) return { mode };
  return databaseCa.state === 'found' ? { mode, ca: databaseCa.value } : 'missing';
}

/** How many processes there may be at once: pods of another template are yet to be replaced, one for one. */
function processesOf({ replicas }: PoolerSpec, pods: readonly PoolerPod[], template: string): number {
  const same = pods.filter((pod) => pod.template === template).length;
  return pods.length - same + Math.max(replicas, same);
}

interface Wanted {
  readonly owner: Owner;
  readonly share: PoolerShare;
  readonly generation: string;
  readonly template: string;
  /** The release that has taken the place of the one before; undefined: each has a schema of its own. */
  readonly inPlace: Release | undefined;
}

/** A process that is younger than a release has no connection from before; the two times are of two clocks. */
const skewMs = 60_000;

/** What one pod's process is to be brought to. One that is about to go keeps the configuration that it has. */
function order(
  pod: PoolerPod,
  { owner, share, generation, template, inPlace }: Wanted,
): (WorkOrder<Work> & { readonly pod: PoolerPod; readonly spec: PoolerWork })[] {
  if (pod.ip === undefined || pod.template === undefined) return [];
  const { name, ip, isStopping } = pod;
  const stays = !isStopping && pod.template === template;
  const renews = inPlace !== undefined && pod.createdAt < Date.parse(inPlace.builtAt) + skewMs;
  const release = renews ? ` ${inPlace.id}` : '';
  const id = `${idOf(pod)} ${share.connections}/${share.poolSize} ${stays ? generation : isStopping ? 'stopping' : 'leaving'}${release}`;
  const work: PoolerWork & { readonly kind: 'pooler' } = {
    kind: 'pooler',
    namespace: owner.namespace,
    pod: name,
    ip,
    secret: names(owner.name).pooler,
    share,
    generation: stays ? generation : undefined,
    renews,
    isStopping,
  };
  return [{ id, spec: work, pod }];
}

function idOf({ uid, restarts }: PoolerPod): string {
  return `pooler ${uid} ${restarts}`;
}

/** Whether a process was seen to keep to its share, or cannot be asked. */
function keepsToShare(state: WorkState | undefined): boolean {
  if (state?.state !== 'running') return state !== undefined;
  return state.failure !== undefined || (state.progress as SettleProgress | undefined)?.isCapped === true;
}
