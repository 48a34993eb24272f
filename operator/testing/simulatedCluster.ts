import { instanceLabel, names, revisionOf } from '../resources/names.ts';
import type { Clock } from '../runtime/clock.ts';
import type { KubeObject, ObjectRef } from '../runtime/object.ts';
import type { TrafficReading } from '../traffic/router.ts';
import type { FakeKube } from './fakeKube.ts';
import {
  createSimulatedDataPlane,
  mainOf,
  type Followed,
  type SimulatedDataPlane,
} from './simulatedDataPlane.ts';

/** A cluster's own controllers and its data plane, in memory, for one instance in one namespace. */
export interface SimulatedCluster {
  /** Deployments get their pods, ready at once unless they crash, and the ingress takes up what is due. */
  reconcile(): void;
  /** What the objects of the route say. */
  route(): Followed;
  readonly dataPlane: SimulatedDataPlane;
  /** Revisions whose pods do not become ready; a change counts from the next `reconcile`. */
  readonly crashing: Set<number>;
  /** Deletes the oldest pod of a revision, as an eviction does. */
  evict(revision: number): void;
  /** PostgREST starts anew in every pod of a revision. */
  restartPods(revision: number): void;
  /** The revision's pods that are ready. */
  readyPods(revision: number): readonly Pod[];
  /**
   * Says that somebody meddled: revisions without a ready pod now have none because of that, and are nobody's fault
   * until they have one again.
   */
  excuse(): void;
  /** What clients of the stable Service and of the ingress met that they must never meet; empty: nothing. */
  readonly violations: string[];
}

/** A pod as tests look at it. */
export interface Pod extends KubeObject {
  readonly status?: {
    readonly podIP?: string;
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
    readonly containerStatuses?: readonly { readonly restartCount: number }[];
  };
}

interface Deployment extends KubeObject {
  readonly spec: {
    readonly replicas: number;
    readonly template: { readonly metadata: { readonly labels: Record<string, string> } };
  };
}

/** Where a pod keeps the template that it was made of. */
const madeOf = 'test/template';

/** The cluster around a fake API server. `read` is the router's view of its objects. */
export function createSimulatedCluster(
  kube: FakeKube,
  clock: Clock,
  instance: string,
  namespace: string,
  read: (objects: readonly KubeObject[]) => TrafficReading,
): SimulatedCluster {
  let serial = 0;
  const crashing = new Set<number>();
  const excused = new Set<number>();
  const violations: string[] = [];
  const { stableService, ingress, canaryIngress } = names(instance);
  const ingresses = [ingress, canaryIngress].map((name) => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    namespace,
    name,
  }));

  const route = (): Followed => {
    const service = kube.read({ apiVersion: 'v1', kind: 'Service', namespace, name: stableService });
    const { selector } = (service?.['spec'] ?? {}) as { selector?: Record<string, string> };
    const { main, canary } = read(ingresses.flatMap((ref) => kube.read(ref) ?? []));
    return { main, canary, selected: revisionOf(selector) };
  };
  const podRef = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Pod', namespace, name });
  const podsOf = (revision: number): readonly Pod[] =>
    kube.all('Pod').filter(({ metadata }) => revisionOf(metadata.labels) === revision);
  const readyPods = (revision: number) => podsOf(revision).filter(isReady);
  const dataPlane = createSimulatedDataPlane(clock, route, look);

  /** The invariant of clients: whoever gets requests has a pod for them. */
  function look(view: Followed): void {
    const main = mainOf(view);
    const used = [main, view.canary && view.canary.weight > 0 ? view.canary.revision : undefined];
    for (const revision of used) {
      if (revision === undefined || revision === 0) continue;
      if (readyPods(revision).length > 0 || excused.has(revision)) continue;
      const text = `r${revision} gets requests (${JSON.stringify(view)}) and has no ready pod`;
      if (!violations.includes(text)) violations.push(text);
    }
  }

  function start(deployment: Deployment): void {
    serial += 1;
    const { apiVersion, kind, metadata, spec } = deployment;
    const { labels } = spec.template.metadata;
    const name = `${metadata.name}-${serial}`;
    const owner = { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true };
    const annotations = { [madeOf]: JSON.stringify(spec.template) };
    kube.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels, annotations, ownerReferences: [owner] },
    });
    setReady(name, `10.0.${serial >> 8}.${serial & 255}`, 0, labels);
  }

  function setReady(name: string, podIP: string, restartCount: number, labels: Record<string, string>): void {
    const status = crashing.has(revisionOf(labels) ?? 0) ? 'False' : 'True';
    kube.putStatus(podRef(name), {
      podIP,
      conditions: [{ type: 'Ready', status }],
      containerStatuses: [{ restartCount }],
    });
  }

  function scale(deployment: Deployment): void {
    const template = JSON.stringify(deployment.spec.template);
    const mine = () =>
      kube
        .all('Pod')
        .filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === deployment.metadata.uid);
    const isOld = ({ metadata }: KubeObject) => metadata.annotations?.[madeOf] !== template;
    const before = mine();
    const wanted = deployment.spec.replicas;
    for (const { metadata } of before.slice(wanted)) kube.remove(podRef(metadata.name));
    for (let missing = wanted - before.length; missing > 0; missing -= 1) start(deployment);
    // A rolling update: another one first, then one less of the old ones.
    const old = mine().find(isOld);
    if (old) {
      start(deployment);
      kube.remove(podRef(old.metadata.name));
    }
    for (const pod of mine() as readonly Pod[]) {
      const restarts = pod.status?.containerStatuses?.[0]?.restartCount ?? 0;
      setReady(pod.metadata.name, pod.status?.podIP ?? '', restarts, pod.metadata.labels ?? {});
    }
    const { apiVersion, kind, metadata } = deployment;
    const readyReplicas = (mine() as readonly Pod[]).filter(isReady).length;
    kube.putStatus({ apiVersion, kind, namespace, name: metadata.name }, { readyReplicas });
  }

  return {
    crashing,
    violations,
    dataPlane,
    route,
    readyPods,
    reconcile() {
      for (const object of kube.all('Deployment')) scale(object as Deployment);
      for (const revision of excused) if (readyPods(revision).length > 0) excused.delete(revision);
      dataPlane.follow();
      for (const view of dataPlane.views()) look(view);
    },
    evict(revision) {
      const [oldest] = podsOf(revision);
      if (oldest) kube.remove(podRef(oldest.metadata.name));
    },
    restartPods(revision) {
      for (const { metadata, status } of podsOf(revision)) {
        const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
        setReady(metadata.name, status?.podIP ?? '', restarts + 1, metadata.labels ?? {});
      }
    },
    excuse() {
      const referenced = [route(), ...dataPlane.views()].flatMap((view) => [
        mainOf(view),
        view.selected,
        view.canary?.revision,
      ]);
      const known = kube
        .all('Deployment')
        .filter(({ metadata }) => metadata.labels?.[instanceLabel] === instance)
        .map(({ metadata }) => revisionOf(metadata.labels));
      for (const revision of [...referenced, ...known, ...crashing])
        if (revision !== undefined && (crashing.has(revision) || readyPods(revision).length === 0))
          excused.add(revision);
    },
  };
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;
}
