import type { ApiInstanceSpec } from '../api/v1alpha1/apiInstance.ts';
import type { KubeObject, ObjectRef } from '../runtime/object.ts';
import type { Canary, Expectation } from '../rollout/types.ts';
import type { Owner } from '../resources/names.ts';

/** One place where the router listens, such as the pod of an ingress controller. */
export interface Address {
  readonly ip: string;
  readonly port: number;
  /**
   * True where it speaks TLS only. The certificate need not be verified: the address is the cluster's own word, and a
   * probe holds no secret. Default false.
   */
  readonly tls?: boolean;
}

/** A request that shows where the router sends traffic. */
export interface ProbeRequest {
  /** The Host header. */
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** How many of them one place takes in a second from one address; absent: as many as come. */
  readonly perSecond?: number;
}

/**
 * Where the main route leads: to the stable Service, or, until the first promotion of a rollout away from a service
 * that we do not manage, to that one.
 */
export type MainRoute = 'stable' | 'from';

/** What the router is to do with the traffic. */
export interface TrafficIntent {
  readonly main: MainRoute;
  /** Who gets a share beside the main route. */
  readonly canary: Canary | undefined;
  /** What the header X-Pgrst-Preview must say to reach the canary whatever its weight; undefined: nothing does. */
  readonly preview: string | undefined;
}

/** What the router's objects say, hand edits included. */
export interface TrafficReading {
  /** Undefined while there is no main route of ours, or it leads to nobody whom we know. */
  readonly main: MainRoute | undefined;
  /** Undefined when there is none, or it leads to none of the instance's revisions. */
  readonly canary: Canary | undefined;
}

/**
 * How traffic is steered: the dialect of one router behind what every rollout needs. The main route leads to the
 * stable Service, whose selector is not the router's business; the router decides who gets a share beside it.
 *
 * Guarantees that an implementation gives: a canary's backend and its weight are one object, so that they change in one
 * write; weight 0 means no plain request; `read` of what `objects` made gives the same main and canary back; while main
 * is `from`, the router already knows the stable Service (see `probe`), so that moving to it loses no request.
 */
export interface TrafficRouter {
  /** The objects for an intent, in the order in which they are to be applied. */
  objects(owner: Owner, spec: ApiInstanceSpec, intent: TrafficIntent): readonly KubeObject[];
  /** Everything that `objects` may make, in the order in which it is to be deleted: first what takes traffic away. */
  objectRefs(owner: Pick<Owner, 'name' | 'namespace'>): readonly ObjectRef[];
  /** What the observed objects of this instance say; those that do not exist are left out of `objects`. */
  read(instance: string, spec: ApiInstanceSpec, objects: readonly KubeObject[]): TrafficReading;
  /** Who else claims the same host and path, so that it would be chance who answers; `others` are objects of the kinds of `objectRefs`. */
  rival(owner: Owner, spec: ApiInstanceSpec, others: readonly KubeObject[]): KubeObject | undefined;
  /** Why the router does not take up its observed objects, in a sentence; undefined when it does, or does not say. */
  refusal(objects: readonly KubeObject[]): string | undefined;
  /** What to ask to see an expectation, answered by the gates themselves. */
  probe(owner: Owner, spec: ApiInstanceSpec, expectation: Expectation['kind']): ProbeRequest;
  /** Every place where the router listens for the host now: each has to be asked, because each has its own view. */
  dataPlane(spec: ApiInstanceSpec, signal: AbortSignal): Promise<readonly Address[]>;
}
