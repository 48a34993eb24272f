import { watchObjects, type WatchedObject } from '../../hack/kube/watch.ts';

interface EndpointSlice extends WatchedObject {
  readonly endpoints?: readonly {
    readonly addresses: readonly string[];
    readonly conditions?: { readonly ready?: boolean };
  }[];
}

/** Watches one Service from its first ready endpoint on. */
export interface EndpointGuard {
  /** Moments, in epoch milliseconds, at which the Service had lost its last ready endpoint. */
  readonly losses: readonly number[];
  /** Whether it has ever had one: a guard that saw nothing proves nothing. */
  everReady(): boolean;
  stop(): void;
}

/**
 * Holds the invariant of every journey: the stable Service never loses its last ready endpoint, because ingress-nginx
 * answers 503 to everything then, whatever the canary's weight is.
 */
export async function guardEndpoints(
  kubeconfig: string,
  namespace: string,
  service: string,
): Promise<EndpointGuard> {
  const losses: number[] = [];
  let wasReady = false;
  let ever = false;
  const watch = watchObjects<EndpointSlice>(
    kubeconfig,
    {
      path: `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`,
      labelSelector: `kubernetes.io/service-name=${service}`,
    },
    ({ at }) => {
      const ready = [...watch.objects.values()].some((slice) =>
        slice.endpoints?.some(
          ({ addresses, conditions }) => addresses.length > 0 && conditions?.ready !== false,
        ),
      );
      if (wasReady && !ready) losses.push(at);
      wasReady = ready;
      ever ||= ready;
    },
  );
  await watch.ready;
  return {
    losses,
    everReady: () => ever,
    stop: () => {
      watch.stop();
    },
  };
}
