import { apiVersion } from '../api/v1alpha1/shared.ts';
import type { Caches } from '../controllers/apischema/caches.ts';
import { createInformer, type Informer, type InformerOptions } from '../runtime/informer.ts';

/** The caches of the ApiSchema controller, filled from whatever the client talks to, and what stops them. */
export function startSchemaCaches(deps: Pick<InformerOptions, 'client' | 'clock' | 'rng' | 'log'>): {
  readonly caches: Caches;
  readonly stop: () => void;
} {
  const cache = (kind: string, version: string, metadataOnly = false): Informer =>
    createInformer({ ...deps, apiVersion: version, kind, metadataOnly });
  const caches = {
    schemas: cache('ApiSchema', apiVersion),
    instances: cache('ApiInstance', apiVersion),
    configMaps: cache('ConfigMap', 'v1', true),
  };
  return {
    caches,
    stop: () => {
      Object.values(caches).forEach((each) => {
        each.stop();
      });
    },
  };
}
