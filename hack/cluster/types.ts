import type { Image } from '../images/image.ts';
import type { PartName } from '../images/index.ts';
import type { Log } from '../lib/log.ts';

export type ProviderName = 'host' | 'kind' | 'existing';

/** A Kubernetes cluster with ingress-nginx that the demo and the end-to-end tests can use. */
export interface Cluster {
  provider: ProviderName;
  /** Path of a kubeconfig with an administrator's rights. */
  kubeconfig: string;
  /** Where ingress-nginx answers, without a slash at the end. */
  ingressUrl: string;
  /** References to name in manifests. `operator` is empty until loadOperator has built it. */
  images: Readonly<Record<ProductImage | 'operator', string>>;
  /** Paths of the programs. */
  helm: string;
  kubectl: string;
}

/** Images that the product's pods, the demo and the tests need, beside the operator's own. */
export const productImages = [
  'postgrest',
  'gate',
  'pgbouncer',
  'pgbouncer-exporter',
  'postgres',
] as const satisfies PartName[];
export type ProductImage = (typeof productImages)[number];

/** What a provider's `up` gives. */
export interface Access {
  kubeconfig: string;
  ingressUrl: string;
}

/** How a cluster comes to be and goes again. */
export interface Provider {
  name: ProviderName;
  /** Images that the cluster itself consists of, beside the product's. */
  ownImages: readonly PartName[];
  /** What `up` would change on this machine now, line by line; nothing when the cluster is up. */
  plan(): Promise<string[]>;
  /** Brings the cluster up, or repairs it, with these images in it. */
  up(images: readonly Image[], log: Log): Promise<Access>;
  /** Brings one more image into the cluster. */
  load(image: Image, log: Log): Promise<void>;
  /** Removes the cluster. */
  down(log: Log): Promise<void>;
  /** Whether there is a cluster, and lines about it for people. */
  status(): Promise<{ exists: boolean; lines: string[] }>;
  /** The access to a cluster that is up. */
  access(): Promise<Access>;
}

/** The port of this machine's loopback address on which ingress-nginx answers. */
export const ingressPort = 30080;
/** The port of this machine's loopback address on which the Gateway answers, once `ensureGateway` has installed it. */
export const gatewayPort = 30081;
