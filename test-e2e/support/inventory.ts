import { watchObjects, type WatchedObject } from '../../hack/kube/watch.ts';

/** What the operator makes, or writes to, in the namespace of an ApiInstance. */
const collections = {
  ApiInstance: '/apis/pgrst.dev/v1alpha1/namespaces/NAMESPACE/apiinstances',
  ApiSchema: '/apis/pgrst.dev/v1alpha1/namespaces/NAMESPACE/apischemas',
  ConfigMap: '/api/v1/namespaces/NAMESPACE/configmaps',
  ControllerRevision: '/apis/apps/v1/namespaces/NAMESPACE/controllerrevisions',
  Deployment: '/apis/apps/v1/namespaces/NAMESPACE/deployments',
  Event: '/apis/events.k8s.io/v1/namespaces/NAMESPACE/events',
  Ingress: '/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/NAMESPACE/networkpolicies',
  Pod: '/api/v1/namespaces/NAMESPACE/pods',
  PodDisruptionBudget: '/apis/policy/v1/namespaces/NAMESPACE/poddisruptionbudgets',
  Secret: '/api/v1/namespaces/NAMESPACE/secrets',
  Service: '/api/v1/namespaces/NAMESPACE/services',
  ServiceAccount: '/api/v1/namespaces/NAMESPACE/serviceaccounts',
} as const;

/** A watch over everything in one namespace that the operator may write. */
export interface Inventory {
  /** What the operator changed since `forget` was last called, as `MODIFIED Deployment/tasks-r1`. */
  changes(): readonly string[];
  forget(): void;
  /** What belongs to the instance by its label, as `Deployment/tasks-r1`. */
  owned(): readonly string[];
  /** Waits until what another watch has seen has arrived here too: each watch has its own connection. */
  caughtUp(kind: keyof typeof collections, seen: WatchedObject): Promise<void>;
  /** Waits until nothing is owned any more. */
  empty(timeoutMs: number): Promise<void>;
  stop(): void;
}

/** Watches every collection that the operator writes to. */
export async function takeInventory(
  kubeconfig: string,
  namespace: string,
  instance: string,
): Promise<Inventory> {
  let changes: string[] = [];
  const written = new Map<string, string>();
  let onChange: () => void = () => undefined;
  const watches = Object.entries(collections).map(([kind, path]) => ({
    kind,
    watch: watchObjects(kubeconfig, { path: path.replace('NAMESPACE', namespace) }, ({ type, object }) => {
      const name = `${kind}/${object.metadata.name}`;
      const fields = operatorFields(object);
      if (type === 'DELETED' || fields !== (written.get(name) ?? '[]')) changes.push(`${type} ${name}`);
      written.set(name, fields);
      onChange();
    }),
  }));
  await Promise.all(watches.map(({ watch }) => watch.ready));

  const owned = (): string[] =>
    watches.flatMap(({ kind, watch }) =>
      [...watch.objects.values()]
        .filter(({ metadata }) => metadata.labels?.['pgrst.dev/instance'] === instance)
        .map(({ metadata }) => `${kind}/${metadata.name}`),
    );

  async function until(holds: () => boolean, timeoutMs: number, what: () => string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => {
      reject(new Error(`after ${String(timeoutMs / 1000)} s ${what()}`));
    }, timeoutMs);
    onChange = () => {
      if (holds()) resolve(undefined);
    };
    onChange();
    await promise.finally(() => {
      clearTimeout(timer);
    });
  }

  return {
    changes: () => changes,
    forget: () => {
      changes = [];
    },
    owned,
    caughtUp(kind, { metadata }) {
      const { watch } = watches.find((each) => each.kind === kind) ?? {};
      const version = (object: WatchedObject | undefined): number =>
        Number(object?.metadata.resourceVersion ?? 0);
      return until(
        () => version(watch?.objects.get(metadata.name)) >= Number(metadata.resourceVersion),
        10_000,
        () => `${kind}/${metadata.name} has not arrived`,
      );
    },
    empty: (timeoutMs) =>
      until(
        () => owned().length === 0,
        timeoutMs,
        () => `still there: ${owned().join(', ')}`,
      ),
    stop: () => {
      for (const { watch } of watches) watch.stop();
    },
  };
}

/**
 * What the API server has noted about the operator's own writes to an object: it changes with each of them, and with
 * nobody else's (ingress-nginx writes the address of an Ingress, kube-controller-manager the status of a Deployment).
 */
function operatorFields(object: WatchedObject): string {
  const entries = object.metadata.managedFields ?? [];
  return JSON.stringify(entries.filter(({ manager }) => manager?.startsWith('postgrest-operator')));
}
