import type { KubeObject, ObjectRef } from './object.ts';

/** What to list or to watch. */
export interface Selection {
  readonly apiVersion: string;
  readonly kind: string;
  /** Absent: all namespaces. */
  readonly namespace?: string;
  /** Kubernetes label selector, such as `app=todo,tier!=web`. */
  readonly labelSelector?: string;
  /** Kubernetes field selector, such as `metadata.name=todo`. */
  readonly fieldSelector?: string;
  /** Ask for PartialObjectMetadata: metadata without the content (ConfigMaps). Default false. */
  readonly metadataOnly?: boolean;
}

/** What `list` takes. */
export interface ListOptions extends Selection {
  /** Page size; the pages are joined. Default 500. */
  readonly limit?: number;
}

/** A whole list, as of one resourceVersion, from which a watch can go on. */
export interface KubeList {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

/** What `watch` takes. */
export interface WatchOptions extends Selection {
  /** Where to begin: that of a list, or of the last event seen. */
  readonly resourceVersion: string;
  /** After how many seconds the server ends the watch. */
  readonly timeoutSeconds: number;
  /** The watch fails when nothing at all (bookmarks included) came for so long. Default 120 s. */
  readonly idleTimeoutMs?: number;
}

/** One event of a watch. A BOOKMARK carries nothing but a newer resourceVersion. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: KubeObject;
}

/** Options of a server-side apply. */
export interface ApplyOptions {
  readonly fieldManager: string;
  /** Take over fields that another manager owns. Default true. */
  readonly force?: boolean;
  /** Validate and answer, but store nothing. Default false. */
  readonly dryRun?: boolean;
}

/** Options of a patch. */
export interface PatchOptions {
  /** JSON merge patch (RFC 7386) or JSON patch (RFC 6902). */
  readonly type: 'merge' | 'json';
  readonly body: unknown;
  readonly subresource?: string;
}

/** Options of a delete. */
export interface DeleteOptions {
  /** What happens to the dependents. Default Background. */
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan';
}

/**
 * The Kubernetes API as plain JSON in and out.
 *
 * Guarantees: nothing is added to or dropped from an object; every call ends when its signal aborts (rejecting with the
 * signal's reason) and, watches aside, after a timeout; a failure is a `KubeError` that carries no request body.
 */
export interface KubeClient {
  /** The object, or undefined when there is none. */
  get(ref: ObjectRef, signal: AbortSignal): Promise<KubeObject | undefined>;
  /** All objects of the selection, however many pages the server makes of them. */
  list(options: ListOptions, signal: AbortSignal): Promise<KubeList>;
  /** POST. Throws a conflict (409, reason AlreadyExists) when the name is taken. */
  create(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** PUT. With `metadata.resourceVersion` set it throws a conflict unless that is still the stored version. */
  replace(object: KubeObject, signal: AbortSignal): Promise<KubeObject>;
  /** Server-side apply: the object holds exactly the fields this manager wants to own. */
  apply(object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeObject>;
  /** Server-side apply to the status subresource. Throws NotFound when the object is gone; never creates it. */
  applyStatus(object: KubeObject, options: ApplyOptions, signal: AbortSignal): Promise<KubeObject>;
  /** PATCH of the object or of a subresource. */
  patch(ref: ObjectRef, options: PatchOptions, signal: AbortSignal): Promise<KubeObject>;
  /** Deletes; what is gone already is fine. With `ref.uid` it throws a conflict when another object has the name now. */
  delete(ref: ObjectRef, options: DeleteOptions, signal: AbortSignal): Promise<void>;
  /**
   * Events from `resourceVersion` on. Ends when the server closes the watch or the signal aborts; throws a KubeError
   * for everything else, 410 (`isGone`) among it, whether it came as an HTTP status or as an ERROR event.
   */
  watch(options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent>;
}
