import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { delay } from './delay.ts';
import { isGone, KubeError } from './kubeError.ts';
import type { KubeClient, Selection, WatchEvent } from './kubeClient.ts';
import { cacheKey, type KubeObject } from './object.ts';
import { createManagedFieldsCutter } from './ownedFields.ts';
import type { Rng } from './random.ts';
import { createStore, type Indexer } from './store.ts';

/** One change of the cache. A delete and a recreate between two looks are two changes: deleted, then added. */
export interface Change {
  readonly type: 'added' | 'updated' | 'deleted';
  /** The object after the change; for `deleted` its last known state. */
  readonly object: KubeObject;
  /** For `updated`: the object before. */
  readonly previous?: KubeObject;
  /** True for what was there when the first list came or the handler was added: nothing happened, one only learned of it. */
  readonly initial: boolean;
}

/** What `createInformer` takes. */
export interface InformerOptions extends Selection {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  /** Declared indexes, by name. */
  readonly indexers?: Readonly<Record<string, Indexer>>;
}

/** A cache of one selection of objects that follows the API server. */
export interface Informer {
  /** Resolves when the first list is in the cache; never rejects: until then the informer keeps trying. */
  readonly ready: Promise<void>;
  /** Whether that has happened. */
  isReady(): boolean;
  /** The object by `namespace/name` (`name` for cluster-scoped kinds). Do not change it. */
  get(key: string): KubeObject | undefined;
  /** All objects, in no order. */
  list(): readonly KubeObject[];
  /** The objects that the named indexer files under `value`. Throws for an index that was not declared. */
  byIndex(name: string, value: string): readonly KubeObject[];
  /** Calls the handler for every object that is in the cache and then for every change; returns the unsubscriber. */
  onChange(handler: (change: Change) => void): () => void;
  /** Ends the watch, and no handler is called any more; the cache stays readable. */
  stop(): void;
}

/** Where the reflector stands: nothing known, a list taken, or following a watch from `resourceVersion` on. */
type State =
  | { readonly at: 'empty' }
  | { readonly at: 'listed'; readonly resourceVersion: string }
  | { readonly at: 'watching'; readonly resourceVersion: string };

const baseDelayMs = 800;
const maxDelayMs = 30_000;
const healthyAfterMs = 120_000;

/**
 * Starts at once.
 *
 * Guarantees: whatever fails (list, watch, a broken line, a handler), it goes on, with backoff from 0.8 to 30 s that
 * starts over after 120 s without trouble. A watch that ends in good order is resumed at once from the last version
 * seen; 410 means a new list. Changes that the watch missed are found by the list, deletes among them; an object that
 * was deleted and created again is told apart by its uid. Of `managedFields` only our own are kept.
 * Caveat: the cache lags behind; whoever writes must not take it for the truth about its own writes.
 */
export function createInformer(options: InformerOptions): Informer {
  const { client, clock, rng } = options;
  const { apiVersion, kind, namespace, labelSelector, fieldSelector, metadataOnly } = options;
  const selection: Selection = {
    apiVersion,
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(metadataOnly === undefined ? {} : { metadataOnly }),
  };
  const log = options.log.child({ informer: kind });
  const store = createStore(
    Object.fromEntries(
      Object.entries(options.indexers ?? {}).map(([name, indexer]) => [name, guarded(name, indexer)]),
    ),
  );
  const strip = createManagedFieldsCutter();
  const handlers = new Set<(change: Change) => void>();
  const ready = Promise.withResolvers<undefined>();
  const stopping = new AbortController();
  const isStopped = (): boolean => stopping.signal.aborted;
  let isReady = false;
  let failures = 0;
  let healthySince = clock.monotonic();

  /** An object that an indexer cannot cope with is found under nothing, and still cached. */
  function guarded(name: string, indexer: Indexer): Indexer {
    return (object) => {
      try {
        return indexer(object);
      } catch (error) {
        log.error({ err: error, index: name, object: cacheKey(object.metadata) }, 'an indexer threw');
        return [];
      }
    };
  }

  function tell(handler: (change: Change) => void, change: Change): void {
    try {
      handler(change);
    } catch (error) {
      log.error({ err: error, object: cacheKey(change.object.metadata) }, 'a change handler threw');
    }
  }

  function emit(change: Change): void {
    for (const handler of handlers) tell(handler, change);
  }

  function upsert(raw: KubeObject): void {
    const object = strip(raw);
    const previous = store.put(object);
    const initial = !isReady;
    if (previous === undefined) emit({ type: 'added', object, initial });
    else if (previous.metadata.uid !== object.metadata.uid) {
      emit({ type: 'deleted', object: previous, initial });
      emit({ type: 'added', object, initial });
    } else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion)
      emit({ type: 'updated', object, previous, initial });
  }

  function drop(object: KubeObject): void {
    if (store.delete(cacheKey(object.metadata)) !== undefined)
      emit({ type: 'deleted', object, initial: false });
  }

  async function list(): Promise<State> {
    const { items, resourceVersion } = await client.list(selection, stopping.signal);
    const present = new Set(items.map(({ metadata }) => cacheKey(metadata)));
    for (const object of store.list()) if (!present.has(cacheKey(object.metadata))) drop(object);
    for (const object of items) upsert(object);
    isReady = true;
    ready.resolve(undefined);
    log.debug({ objects: items.length, resourceVersion }, 'listed');
    return { at: 'listed', resourceVersion };
  }

  function take({ type, object }: WatchEvent): void {
    if (type === 'DELETED') drop(strip(object));
    else if (type !== 'BOOKMARK') upsert(object);
  }

  /** Follows one watch to its end; the state carries the version to go on from, also when it ends by a throw. */
  async function watch(from: string, advance: (resourceVersion: string) => void): Promise<void> {
    // Jittered between 5 and 10 minutes, so that the watches of all informers do not end together.
    const timeoutSeconds = Math.floor(300 * (1 + rng()));
    const events = client.watch({ ...selection, resourceVersion: from, timeoutSeconds }, stopping.signal);
    for await (const event of events) {
      if (isStopped()) return;
      take(event);
      if (event.object.metadata.resourceVersion !== undefined) advance(event.object.metadata.resourceVersion);
    }
  }

  async function follow(): Promise<void> {
    let state: State = { at: 'empty' };
    const advance = (resourceVersion: string): void => {
      state = { at: 'watching', resourceVersion };
    };
    while (!isStopped()) {
      const began = clock.monotonic();
      try {
        if (state.at === 'empty') state = await list();
        else {
          await watch(state.resourceVersion, advance);
          // In good order; but a server that closes every watch at once must not be hammered.
          if (clock.monotonic() - began < 1_000) await pause('the watch ended at once');
        }
      } catch (error) {
        if (isStopped()) return;
        if (isGone(error)) {
          // The usual case (compaction) needs no waiting; a server that says so after every list does.
          const immediate = state.at === 'watching' || failures === 0;
          state = { at: 'empty' };
          log.info('the version to watch from has expired: listing anew');
          if (immediate) {
            failures += 1;
            continue;
          }
        }
        await pause(error);
      }
    }
  }

  async function pause(why: unknown): Promise<void> {
    if (clock.monotonic() - healthySince > healthyAfterMs) failures = 0;
    const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** failures);
    const delayMs = ceiling * (0.5 + rng() / 2);
    failures += 1;
    const fields = why instanceof Error ? { err: why, delayMs } : { why, delayMs };
    // One lost watch is everyday life (the API server restarts); trouble that stays is worth a line that is seen.
    log[failures > 2 || !(why instanceof KubeError) ? 'warn' : 'info'](fields, 'list or watch failed');
    await delay(clock, delayMs, stopping.signal);
    healthySince = clock.monotonic();
  }

  void follow();
  return {
    ready: ready.promise,
    isReady: () => isReady,
    get: (key) => store.get(key),
    list: () => store.list(),
    byIndex: (name, value) => store.byIndex(name, value),
    onChange(handler) {
      for (const object of store.list()) tell(handler, { type: 'added', object, initial: true });
      handlers.add(handler);
      return () => {
        handlers.delete(handler);
      };
    },
    stop() {
      stopping.abort(new Error('the informer was stopped'));
    },
  };
}
