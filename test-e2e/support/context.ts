import type { Cluster } from '../../hack/cluster/types.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** How the journeys reach the cluster that the global setup has brought up. */
    cluster: Pick<Cluster, 'provider' | 'kubectl' | 'kubeconfig' | 'ingressUrl' | 'images'>;
  }
}
