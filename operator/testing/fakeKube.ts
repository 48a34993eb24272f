import { sameJson } from '../runtime/contains.ts';
import type { KubeClient, Selection, WatchEvent } from '../runtime/kubeClient.ts';
import { KubeError } from '../runtime/kubeError.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from '../runtime/object.ts';
import { applyFields, mergePatch } from './fakePatch.ts';
import { matches } from './fakeSelector.ts';

/** One write that reached the fake server. */
export interface RecordedWrite {
  readonly verb: 'create' | 'replace' | 'apply' | 'applyStatus' | 'patch' | 'delete';
  readonly ref: ObjectRef;
  /** What was sent. */
  readonly body: unknown;
  /** Whether it changed what is stored. */
  readonly changed: boolean;
}

/**
 * An API server in memory: enough of one for the tests of controllers, far less than a real one. The objects that it
 * hands out are frozen.
 */
export interface FakeKube {
  /**
   * Knows uids, resourceVersions, generations, preconditions, finalizers, owner references (dependents go with their
   * owner), label selectors and watches. Server-side apply merges maps by field, replaces lists whole, and removes
   * what the same manager applied before and does not now. JSON patch is not implemented.
   */
  readonly client: KubeClient;
  /** All writes through the client so far, refused ones aside, in order. */
  readonly writes: readonly RecordedWrite[];
  /** Stores an object as another client would; a change outside metadata and status bumps the generation. */
  put(object: KubeObject): KubeObject;
  /** Replaces the status as the cluster's own controllers would. */
  putStatus(ref: ObjectRef, status: unknown): KubeObject;
  /** The stored object. */
  read(ref: ObjectRef): KubeObject | undefined;
  /** Everything stored, of one kind when it is given. */
  all(kind?: string): readonly KubeObject[];
  /** Removes an object at once, finalizers or not, and its dependents. */
  remove(ref: ObjectRef): void;
  /** Ends all watches in good order, or with an error. */
  endWatches(error?: KubeError): void;
  /** Forgets the history, as etcd's compaction does: a watch from an older version gets 410. */
  compact(): void;
}

/** What a client throws in the place of the write that the "process" did not live to make. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/**
 * A client whose process dies after `n` writes: they are made, the next one throws ProcessDied, and so does every later
 * call, reads too. Whoever catches nothing dies with it; then go on with a fresh client and fresh memory. That is how
 * "kill `act` after every prefix of its writes, run again, reach the same fixed point" is tested.
 */
export function diesAfter(n: number, client: KubeClient): KubeClient {
  let left = n;
  let isDead = false;
  const alive = (): void => {
    if (isDead) throw new ProcessDied('the process has died');
  };
  const write =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      alive();
      if (left === 0) isDead = true;
      alive();
      left -= 1;
      return await call(...args);
    };
  const read =
    <A extends readonly unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      alive();
      return await call(...args);
    };
  return {
    get: read(client.get),
    list: read(client.list),
    watch: client.watch,
    create: write(client.create),
    replace: write(client.replace),
    apply: write(client.apply),
    applyStatus: write(client.applyStatus),
    patch: write(client.patch),
    delete: write(client.delete),
  };
}

interface LoggedEvent {
  readonly version: number;
  readonly event: WatchEvent;
}

interface Watcher {
  push(event: WatchEvent): void;
  end(error?: KubeError): void;
}

/** An empty fake server. */
export function createFakeKube(): FakeKube {
  const stored = new Map<string, KubeObject>();
  /** What each field manager applied last, by object, subresource and manager. */
  const appliedBy = new Map<string, unknown>();
  const writes: RecordedWrite[] = [];
  const history: LoggedEvent[] = [];
  const watchers = new Set<Watcher>();
  let version = 1;
  let compactedAt = 0;
  let uids = 0;

  function publish(type: WatchEvent['type'], object: KubeObject): void {
    history.push({ version, event: { type, object } });
    for (const watcher of watchers) watcher.push({ type, object });
  }

  /** Stores `next` in the place of `current`; what the server sets is the server's. */
  function store(current: KubeObject | undefined, next: KubeObject): KubeObject {
    const generation = current?.metadata.generation ?? 0;
    const specChanged = current === undefined || !sameJson(content(current), content(next));
    const candidate: KubeObject = {
      ...next,
      metadata: {
        ...next.metadata,
        uid: current?.metadata.uid ?? `uid-${String((uids += 1))}`,
        creationTimestamp: current?.metadata.creationTimestamp ?? '2026-01-01T00:00:00Z',
        generation: specChanged ? generation + 1 : generation,
        ...(current === undefined ? {} : { resourceVersion: current.metadata.resourceVersion ?? '' }),
      },
    };
    if (current !== undefined && sameJson(candidate, current)) return current;
    version += 1;
    const object = freeze({
      ...candidate,
      metadata: { ...candidate.metadata, resourceVersion: String(version) },
    });
    const isGone =
      object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    if (isGone) {
      erase(object);
      return object;
    }
    stored.set(refKey(refOf(object)), object);
    publish(current === undefined ? 'ADDED' : 'MODIFIED', object);
    return object;
  }

  function erase(object: KubeObject): void {
    const key = refKey(refOf(object));
    stored.delete(key);
    for (const owned of appliedBy.keys()) if (owned.startsWith(`${key} `)) appliedBy.delete(owned);
    version += 1;
    publish(
      'DELETED',
      freeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }),
    );
    for (const dependent of [...stored.values()])
      if (dependent.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid) === true)
        erase(dependent);
  }

  function record<T>(
    verb: RecordedWrite['verb'],
    ref: ObjectRef,
    body: T,
    write: (sent: T) => KubeObject,
  ): KubeObject {
    const before = version;
    const sent = freeze(copy(body));
    const object = write(sent);
    writes.push({ verb, ref, body: sent, changed: version !== before });
    return object;
  }

  function existing(ref: ObjectRef, what: { uid?: string; resourceVersion?: string }): KubeObject {
    const current = stored.get(refKey(ref));
    if (current === undefined) throw new KubeError(404, 'NotFound', `${refKey(ref)} not found`);
    check(current, what);
    return current;
  }

  function check(current: KubeObject, what: { uid?: string; resourceVersion?: string }): void {
    for (const field of ['uid', 'resourceVersion'] as const)
      if (what[field] !== undefined && what[field] !== current.metadata[field])
        throw new KubeError(409, 'Conflict', `${refKey(refOf(current))}: ${field} has changed`);
  }

  function ssa(object: KubeObject, manager: string, subresource: 'status' | ''): KubeObject {
    const ref = refOf(object);
    const slot = `${refKey(ref)} ${subresource} ${manager}`;
    const { resourceVersion, ...metadata } = object.metadata;
    const precondition = resourceVersion === undefined ? {} : { resourceVersion };
    const current = subresource === 'status' ? existing(ref, precondition) : stored.get(refKey(ref));
    if (current !== undefined) check(current, precondition);
    // The main resource ignores status, the status subresource all but status.
    const { status, ...rest } = object;
    const intent = subresource === 'status' ? { status } : { ...rest, metadata };
    const next = applyFields(current ?? {}, appliedBy.get(slot) ?? {}, intent) as KubeObject;
    appliedBy.set(slot, intent);
    return store(current, next);
  }

  function remove(current: KubeObject): KubeObject {
    if ((current.metadata.finalizers ?? []).length === 0) {
      erase(current);
      return current;
    }
    if (current.metadata.deletionTimestamp !== undefined) return current;
    const deletionTimestamp = '2026-01-01T00:00:00Z';
    return store(current, { ...current, metadata: { ...current.metadata, deletionTimestamp } });
  }

  const client: KubeClient = {
    get: (ref, signal) => settle(signal, () => stored.get(refKey(ref))),
    list: (selection, signal) =>
      settle(signal, () => ({
        items: [...stored.values()]
          .filter((object) => matches(object, selection))
          .map((each) => show(each, selection)),
        resourceVersion: String(version),
      })),
    create: (object, signal) =>
      settle(signal, () =>
        record('create', refOf(object), object, (sent) => {
          if (stored.has(refKey(refOf(object))))
            throw new KubeError(409, 'AlreadyExists', `${refKey(refOf(object))} exists`);
          return store(undefined, sent);
        }),
      ),
    replace: (object, signal) =>
      settle(signal, () =>
        record('replace', refOf(object), object, (sent) => {
          const current = existing(refOf(object), object.metadata);
          return store(current, { ...sent, status: current.status });
        }),
      ),
    apply: (object, { fieldManager, dryRun }, signal) =>
      settle(signal, () =>
        dryRun === true
          ? copy(object)
          : record('apply', refOf(object), object, (sent) => ssa(sent, fieldManager, '')),
      ),
    applyStatus: (object, { fieldManager }, signal) =>
      settle(signal, () =>
        record('applyStatus', refOf(object), object, (sent) => ssa(sent, fieldManager, 'status')),
      ),
    patch: (ref, { type, body, subresource }, signal) =>
      settle(signal, () =>
        record('patch', ref, body, (sent) => {
          if (type !== 'merge') throw new Error('the fake server knows merge patches only');
          const { metadata = {} } = sent as { metadata?: { uid?: string; resourceVersion?: string } };
          const current = existing(ref, { ...(ref.uid === undefined ? {} : { uid: ref.uid }), ...metadata });
          const next = mergePatch(current, sent) as KubeObject;
          return store(
            current,
            subresource === 'status'
              ? { ...current, status: next.status }
              : { ...next, status: current.status },
          );
        }),
      ),
    delete: (ref, _options, signal) =>
      settle(signal, () => {
        if (!stored.has(refKey(ref))) return;
        record('delete', ref, undefined, () =>
          remove(existing(ref, ref.uid === undefined ? {} : { uid: ref.uid })),
        );
      }),
    watch: (options, signal) => watch(options, options.resourceVersion, signal),
  };

  async function* watch(
    selection: Selection,
    from: string,
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent, void, undefined> {
    if (Number(from) < compactedAt) throw new KubeError(410, 'Expired', 'too old resource version');
    const waiting = history.filter((each) => each.version > Number(from)).map(({ event }) => event);
    let ended: { readonly error?: KubeError } | undefined;
    let wake = (): void => undefined;
    const watcher: Watcher = {
      push(event) {
        waiting.push(event);
        wake();
      },
      end(error) {
        watchers.delete(watcher);
        ended = error === undefined ? {} : { error };
        wake();
      },
    };
    const leave = (): void => {
      watcher.end();
    };
    watchers.add(watcher);
    signal.addEventListener('abort', leave, { once: true });
    try {
      for (;;) {
        const event = waiting.shift();
        if (event !== undefined) {
          if (matches(event.object, selection)) yield { ...event, object: show(event.object, selection) };
          continue;
        }
        if (signal.aborted) return;
        if (ended?.error !== undefined) throw ended.error;
        if (ended !== undefined) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    } finally {
      watchers.delete(watcher);
      signal.removeEventListener('abort', leave);
    }
  }

  const must = (ref: ObjectRef): KubeObject => existing(ref, {});
  return {
    client,
    writes,
    put(object) {
      const current = stored.get(refKey(refOf(object)));
      return store(current, copy({ ...object, status: object.status ?? current?.status }));
    },
    putStatus: (ref, status) => store(must(ref), { ...must(ref), status: copy(status) }),
    read: (ref) => stored.get(refKey(ref)),
    all: (kind) => [...stored.values()].filter((object) => kind === undefined || object.kind === kind),
    remove(ref) {
      const current = stored.get(refKey(ref));
      if (current !== undefined) erase(current);
    },
    endWatches(error) {
      for (const watcher of watchers) watcher.end(error);
    },
    compact() {
      compactedAt = version;
      history.length = 0;
    },
  };
}

/** Everything but metadata and status: what the generation counts. */
function content({ metadata: _metadata, status: _status, ...rest }: KubeObject): unknown {
  return rest;
}

/** What a client gets to see: without content when only metadata was asked for. */
function show(object: KubeObject, { metadataOnly }: Selection): KubeObject {
  const { apiVersion, kind, metadata } = object;
  return metadataOnly === true ? { apiVersion, kind, metadata } : object;
}

/** What goes over a wire: no undefined, and nothing shared with whoever sent it. */
function copy<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}

/** Makes a value safe to hand out: copying it for every reader would be most of the time that tests take. */
function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    for (const field of Object.values(value)) freeze(field);
    Object.freeze(value);
  }
  return value;
}

/** Answers on a later turn, as a network would, and not at all once the signal has aborted. */
async function settle<T>(signal: AbortSignal, answer: () => T): Promise<T> {
  signal.throwIfAborted();
  await Promise.resolve();
  signal.throwIfAborted();
  return answer();
}
