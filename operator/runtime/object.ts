/** Names one object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** When given, the call fails unless the object has this uid (a precondition of deletes). */
  readonly uid?: string;
}

/** Any Kubernetes object as plain JSON: no Date, no dropped field. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly OwnerReference[];
    readonly finalizers?: readonly string[];
    /** Set by the server, as are the five below; absent in what we build. */
    readonly uid?: string;
    /** Opaque version of the object; changes with every write that changes something. */
    readonly resourceVersion?: string;
    /** Counts the changes of the spec. */
    readonly generation?: number;
    /** RFC 3339. */
    readonly creationTimestamp?: string;
    /** RFC 3339; present once the object is being deleted. */
    readonly deletionTimestamp?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

/** A link to the object that owns this one. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** `namespace/name` of a namespaced object, `name` of a cluster-scoped one: unique within its kind. */
export function cacheKey(metadata: { readonly name: string; readonly namespace?: string }): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`;
}

/** The name of an object, without its uid. */
export function refOf(object: {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}): ObjectRef {
  const { apiVersion, kind, metadata } = object;
  return metadata.namespace === undefined
    ? { apiVersion, kind, name: metadata.name }
    : { apiVersion, kind, namespace: metadata.namespace, name: metadata.name };
}

/** One string for one object, for maps and logs: `apps/v1 Deployment shop/todo-1`. The uid is not part of it. */
export function refKey(ref: ObjectRef): string {
  return `${ref.apiVersion} ${ref.kind} ${cacheKey(ref)}`;
}
