import { wholeSecond, type PodProofOrder } from '../../proof/podProof.ts';
import type { Owner } from '../../resources/names.ts';
import { behaviourOf } from '../../resources/postgrestVersions.ts';
import type { RevisionSnapshot } from '../../resources/revision.ts';
import {
  canListen,
  channelOf,
  isInPlace,
  pokedPod,
  settingsConfigMap,
  settingsToken,
  type Mark,
} from '../../resources/settingsFile.ts';
import { refOf, type KubeObject, type ObjectRef } from '../../runtime/object.ts';
import type { WorkOrder } from '../../runtime/reconciler.ts';
import type { NewRevision } from './desired.ts';
import { podProgress } from './work.ts';
import type { PodState, Work, World } from './world.ts';

/** What is to be done so that every pod has loaded what is there now. */
export interface Reloading {
  /** At most one: the pods are told one after the other, so that they do not reload in one herd. */
  readonly orders: readonly WorkOrder<Work>[];
  /** Annotations that make the kubelet look after their volumes. */
  readonly pokes: readonly KubeObject[];
  /** A pod that was told again and again and heard nothing: another one takes its place. */
  readonly replaced: readonly ObjectRef[];
}

/**
 * The settings ConfigMap of a revision that has a workload, if it is to be written: its pods read it at their start, and
 * anew when they are told to.
 */
export function settingsObjects(
  owner: Owner,
  revision: RevisionSnapshot | NewRevision,
  world: World,
): KubeObject[] {
  const { number, content, workload } = revision;
  if (workload === undefined || !canListen(content)) return [];
  if (isWritten(revision, world)) return [];
  const source = { number, content, reloadAt: reloadAt(number, world) };
  const written = world.settings.get(workload);
  // What is written before there are pods, they all start with.
  const writtenAt = written === undefined ? undefined : world.now;
  return [settingsConfigMap(owner, workload, source, markOf(world), writtenAt)];
}

/** What a pod has to show beyond the sentinel of the release that its gate knows. */
export function toShow(
  pod: PodState,
  world: Pick<World, 'settings' | 'revisions' | 'status'>,
): Pick<PodProofOrder, 'release' | 'settings'> {
  const revision = world.revisions.find(({ number }) => number === pod.revision);
  const written = world.settings.get(pod.workload);
  if (!revision || !written) return {};
  const mark = markOf(world);
  return {
    ...(isInPlace(revision.content) ? { release: revision.content.release.id } : {}),
    ...(mark === undefined || startedWith(pod, written.writtenAt)
      ? {}
      : { settings: { token: written.token, mark } }),
  };
}

/** Tells the pods, one after the other, that have not loaded what is there now. */
export function reloading(world: World, { namespace }: Owner): Reloading {
  const stale = world.pods
    .filter(
      (pod) => pod.isReady && podProgress(pod, world)?.isStale === true && world.settings.has(pod.workload),
    )
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const deaf = stale.find((pod) => resultOf(pod, world) === 'deaf');
  const others = (pod: PodState): number =>
    world.pods.filter((other) => other.workload === pod.workload && other.isReady && other !== pod).length;
  const next = stale.find((pod) => pod !== deaf);
  return {
    orders: [deaf, next].flatMap((pod) => (pod ? reloadOrders(pod, world, namespace) : [])),
    pokes: stale.flatMap((pod) => poke(pod, world, namespace)),
    // The last one stays: stale is better than nobody.
    replaced: deaf && others(deaf) > 0 ? [{ ...refOf(podObject(deaf, namespace)), uid: deaf.uid }] : [],
  };
}

/** Whether pods of a revision are being told to reload. */
export function isReloading(revision: number, world: World): boolean {
  return world.pods.some((pod) => pod.revision === revision && podProgress(pod, world)?.isStale === true);
}

/** Whether nothing of a reload is left to begin: its settings are written, or no pod is older than it. */
export function isReloaded(
  { revision, at, way }: NonNullable<World['status']['reload']>,
  world: World,
): boolean {
  const snapshot = world.revisions.find(({ number }) => number === revision);
  if (way === 'Notify') return snapshot !== undefined && isWritten(snapshot, world);
  const asked = wholeSecond(Date.parse(at));
  return world.pods.filter((pod) => pod.revision === revision).every(({ createdAt }) => createdAt >= asked);
}

/** Whether the settings of a revision are those that its workload has. */
function isWritten({ number, content, workload }: RevisionSnapshot | NewRevision, world: World): boolean {
  const written = workload === undefined ? undefined : world.settings.get(workload);
  return written?.token === settingsToken({ number, content, reloadAt: reloadAt(number, world) });
}

function reloadOrders(pod: PodState, world: World, namespace: string): WorkOrder<Work>[] {
  const revision = world.revisions.find(({ number }) => number === pod.revision);
  const database = revision?.content.database;
  if (pod.ip === undefined || !revision || !database || database.pooled) return [];
  return [
    {
      id: reloadId(pod, world),
      spec: {
        kind: 'reload',
        ip: pod.ip,
        pod: pod.name,
        channel: channelOf(revision.content, pod.name),
        namespace,
        uriSecretRef: database.uriSecretRef,
        ...toShow(pod, world),
      },
    },
  ];
}

function reloadId(pod: PodState, { settings }: World): string {
  return `reload ${pod.uid} ${pod.restarts} ${settings.get(pod.workload)?.token ?? ''}`;
}

function resultOf(pod: PodState, world: World): 'deaf' | undefined {
  const state = world.work.get(reloadId(pod, world));
  return state?.state === 'done' && 'deaf' in state.result ? 'deaf' : undefined;
}

function poke(pod: PodState, { settings }: World, namespace: string): KubeObject[] {
  const token = settings.get(pod.workload)?.token;
  return token === undefined || pod.poked === token
    ? []
    : [pokedPod({ namespace, name: pod.name, uid: pod.uid }, token)];
}

function podObject({ name }: PodState, namespace: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace } };
}

/** Kubernetes stamps pods in whole seconds, rounded down: one of the same second may have started with the ones before. */
function startedWith({ createdAt }: PodState, writtenAt: number | undefined): boolean {
  return writtenAt === undefined || createdAt > writtenAt;
}

function markOf({ status }: Pick<World, 'status'>): Mark | undefined {
  return behaviourOf(status.stable?.version)?.settingsMark;
}

function reloadAt(number: number, { status }: World): string | undefined {
  const { reload } = status;
  return reload?.revision === number && reload.way === 'Notify' ? reload.at : undefined;
}
