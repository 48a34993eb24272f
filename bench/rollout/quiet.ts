import { setTimeout as delay } from 'node:timers/promises';
import { watchObjects } from '../../hack/kube/watch.ts';
import type { Router } from './stage.ts';

/** Knows when the ingress controller last had something to do. */
export interface Quiet {
  /**
   * Waits until nobody has written a route or an EndpointSlice for 5 s. Counts from `since` (epoch milliseconds) at the
   * earliest: what was written just before may not have been heard of yet.
   */
  readonly reached: (since: number) => Promise<void>;
  readonly stop: () => void;
}

/** ingress-nginx begins a sync at most every 3.3 s, endpoints included: after this time none is owed. */
const quietMs = 5000;
const patienceMs = 120_000;

/** Watches all namespaces, because the controller does. */
export async function createQuiet(kubeconfig: string, router: Router, signal: AbortSignal): Promise<Quiet> {
  let lastWriteAt = Date.now();
  const onWrite = (): void => {
    lastWriteAt = Date.now();
  };
  const paths = [
    '/apis/discovery.k8s.io/v1/endpointslices',
    router === 'gateway'
      ? '/apis/gateway.networking.k8s.io/v1/httproutes'
      : '/apis/networking.k8s.io/v1/ingresses',
  ];
  const watches = paths.map((path) => watchObjects(kubeconfig, { path }, onWrite));
  await Promise.all(watches.map(({ ready }) => ready));
  return {
    async reached(since) {
      const begunAt = Date.now();
      for (;;) {
        const left = Math.max(since, lastWriteAt) + quietMs - Date.now();
        if (left <= 0) return;
        if (Date.now() > begunAt + patienceMs)
          throw new Error(
            `Somebody writes routes or EndpointSlices all the time: no 5 s without one within ${String(patienceMs / 1000)} s. The benchmark needs a cluster of its own.`,
          );
        await delay(left, undefined, { signal });
      }
    },
    stop() {
      for (const watch of watches) watch.stop();
    },
  };
}
