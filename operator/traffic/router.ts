import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject } from '../runtime/object.ts';
import type { Canary, Expectation } from '../rollout/types.ts';
import type { Owner } from '../resources/names.ts';

/** One place where the router listens, such as the pod of an ingress controller. */
export interface Address {
  readonly ip: string;
  readonly port: number;
}

/** A request that shows where the router sends traffic. */
export interface ProbeRequest {
  /** The Host header. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * How traffic is steered: the dialect of one router behind what every rollout needs. The main route always leads to
 * the stable Service, whose selector is not the router's business; the router decides who gets a share beside it.
 *
 * Guarantees that an implementation gives: a canary's backend and its weight are one object, so that they change in one
 * write; weight 0 means no plain request; `read` of what `objects` made gives the same canary back.
 */
export interface TrafficRouter {
  /** The objects for a canary, or for none, in the order in which they are to be applied. */
  objects(owner: Owner, spec: ApiInstanceSpec, canary: Canary | undefined): readonly KubeObject[];
  /** The names of those objects, for looking them up and for deleting them. */
  objectNames(instance: string): { readonly kind: string; readonly main: string; readonly canary: string };
  /** The canary as the observed object of this instance has it; undefined when it leads to none of its revisions. */
  readCanary(instance: string, object: KubeObject): Canary | undefined;
  /** What to ask to see an expectation, answered by the gates themselves. */
  probe(owner: Owner, spec: ApiInstanceSpec, expectation: Expectation['kind']): ProbeRequest;
  /** Every place where the router listens now: each has to be asked, because each has its own view. */
  dataPlane(signal: AbortSignal): Promise<readonly Address[]>;
}
