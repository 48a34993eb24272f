import type { ApiInstanceSpec } from '../../api/v1alpha1/apiInstance.ts';
import type { Informer } from '../../runtime/informer.ts';
import type { KubeClient } from '../../runtime/kubeClient.ts';
import { readyAddresses } from '../../traffic/common.ts';

/** A router's name in the spec. */
export type RouterName = ApiInstanceSpec['expose']['router'];

/** Where each router listens at the moment. */
export interface Places {
  /** Tells one set of ready places from another: equal texts, equal sets. */
  of(router: RouterName): string;
  /** Calls back whenever that of a router has changed. */
  onChange(handler: (router: RouterName) => void): void;
}

/** The places of each router, by the EndpointSlices of its Service; a router without a cache has none. */
export function watchPlaces(slices: Readonly<Record<RouterName, Informer | undefined>>): Places {
  const of = (router: RouterName): string => readyAddresses(slices[router]?.list() ?? []).join(' ');
  return {
    of,
    onChange(handler) {
      for (const router of Object.keys(slices) as RouterName[]) {
        let known = of(router);
        slices[router]?.onChange(() => {
          const now = of(router);
          if (now === known) return;
          known = now;
          handler(router);
        });
      }
    },
  };
}

/** Answers a router's question for its EndpointSlices from their cache: a proof asks for them again and again. */
export function cachedSlices(slices: Informer): Pick<KubeClient, 'list'> {
  return { list: () => Promise.resolve({ items: slices.list(), resourceVersion: '' }) };
}
