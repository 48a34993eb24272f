import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node';
import { fetch, type Response } from 'undici';

/** A Kubernetes object as far as a watcher from outside reads it. */
export interface WatchedObject {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    /** Who wrote which fields, and when. */
    readonly managedFields?: readonly { readonly manager?: string }[];
  };
  readonly [field: string]: unknown;
}

/** One change of one object, or its first appearance. */
export interface WatchEvent<T extends WatchedObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: T;
  /** When it arrived here, epoch milliseconds. */
  readonly at: number;
}

/** A running watch. */
export interface Watch<T extends WatchedObject> {
  /** Settles once the first list has been delivered as ADDED events; rejects when that was not possible. */
  readonly ready: Promise<void>;
  /** What exists now, by name. */
  readonly objects: ReadonlyMap<string, T>;
  stop(): void;
}

/** What to watch. */
export interface WatchTarget {
  /** The collection, such as `/apis/apps/v1/namespaces/tasks/deployments`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

/** Pause before a connection that broke is made anew. */
const retryMs = 500;

/**
 * Lists a collection and then watches it, for as long as it takes: every change is delivered once and in order; a stream
 * that the server ends goes on where it was; when the server no longer knows that place, the difference to a new list is
 * delivered instead.
 */
export function watchObjects<T extends WatchedObject>(
  kubeconfig: string,
  target: WatchTarget,
  onEvent: (event: WatchEvent<T>) => void,
): Watch<T> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const stopping = new AbortController();
  const objects = new Map<string, T>();
  const { promise: ready, resolve, reject } = Promise.withResolvers<undefined>();

  const deliver = (type: WatchEvent<T>['type'], object: T): void => {
    const { name } = object.metadata;
    if (type === 'DELETED') objects.delete(name);
    else objects.set(name, object);
    onEvent({ type, object, at: Date.now() });
  };

  let resourceVersion: string | undefined;
  const stopped = (): boolean => stopping.signal.aborted;

  const get = async (query: Record<string, string>): Promise<Response> => {
    const url = new URL((config.getCurrentCluster()?.server ?? '') + target.path);
    for (const [key, value] of Object.entries({ ...selectors(target), ...query }))
      url.searchParams.set(key, value);
    const request = new RequestContext(url.toString(), HttpMethod.GET);
    await config.applySecurityAuthentication(request);
    const dispatcher = request.getDispatcher();
    const response = await fetch(url, {
      headers: request.getHeaders(),
      signal: stopping.signal,
      ...(dispatcher && { dispatcher }),
    });
    if (!response.ok)
      throw new WatchFailed(
        response.status,
        `GET ${target.path}: ${String(response.status)} ${await response.text()}`,
      );
    return response;
  };

  const list = async (): Promise<string> => {
    const found = (await (await get({})).json()) as { metadata: { resourceVersion: string }; items: T[] };
    const names = new Set(found.items.map((item) => item.metadata.name));
    for (const object of [...objects.values()])
      if (!names.has(object.metadata.name)) deliver('DELETED', object);
    for (const object of found.items) {
      const known = objects.get(object.metadata.name);
      if (known === undefined) deliver('ADDED', object);
      else if (known.metadata.resourceVersion !== object.metadata.resourceVersion)
        deliver('MODIFIED', object);
    }
    return found.metadata.resourceVersion;
  };

  const follow = async (from: string): Promise<void> => {
    const { body } = await get({ watch: 'true', allowWatchBookmarks: 'true', resourceVersion: from });
    if (body === null) throw new WatchFailed(0, `GET ${target.path}: no body`);
    for await (const line of createInterface(Readable.fromWeb(body))) {
      const event = JSON.parse(line) as { type: string; object: T & { code?: number; message?: string } };
      if (event.type === 'ERROR') throw new WatchFailed(event.object.code ?? 0, event.object.message ?? line);
      ({ resourceVersion } = event.object.metadata);
      if (event.type !== 'BOOKMARK') deliver(event.type as WatchEvent<T>['type'], event.object);
    }
  };

  const keepFollowing = async (): Promise<void> => {
    resourceVersion = await list();
    resolve(undefined);
    while (!stopped()) {
      try {
        resourceVersion ??= await list();
        await follow(resourceVersion);
      } catch (error) {
        if (stopped()) return;
        if (error instanceof WatchFailed && error.status === 410) resourceVersion = undefined;
        else await delay(retryMs);
      }
    }
  };
  keepFollowing().catch((error: unknown) => {
    if (!stopped()) reject(error instanceof Error ? error : new Error(String(error)));
  });

  return {
    ready,
    objects,
    stop: () => {
      stopping.abort();
    },
  };
}

class WatchFailed extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

function selectors({ labelSelector, fieldSelector }: WatchTarget): Record<string, string> {
  return {
    ...(labelSelector !== undefined && { labelSelector }),
    ...(fieldSelector !== undefined && { fieldSelector }),
  };
}
