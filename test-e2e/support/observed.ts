import {
  watchObjects,
  type WatchedObject,
  type WatchEvent,
  type WatchTarget,
} from '../../hack/kube/watch.ts';

/** One object under a watch, with everything that was seen of it. */
export interface Observed<T extends WatchedObject> {
  /** Every event so far, oldest first. */
  readonly history: readonly WatchEvent<T>[];
  /** The newest state; undefined while the object does not exist. */
  current(): T | undefined;
  /**
   * Waits for an event after which the predicate holds (it may hold already). Rejects after `timeoutMs`, default two
   * minutes, with the newest state in its message.
   */
  until(what: string, predicate: (object: T) => boolean, timeoutMs?: number): Promise<T>;
  /** Waits until the object does not exist. */
  gone(timeoutMs?: number): Promise<void>;
  stop(): void;
}

const defaultTimeoutMs = 120_000;

/** Watches the one object that the target's collection has under this name. */
export async function observe<T extends WatchedObject>(
  kubeconfig: string,
  target: WatchTarget & { readonly name: string },
): Promise<Observed<T>> {
  const history: WatchEvent<T>[] = [];
  const waiting = new Set<() => void>();
  const fieldSelector = `metadata.name=${target.name}`;
  const watch = watchObjects<T>(kubeconfig, { ...target, fieldSelector }, (event) => {
    history.push(event);
    for (const check of waiting) check();
  });
  await watch.ready;
  const current = (): T | undefined => watch.objects.get(target.name);

  const waitFor = (what: string, holds: () => boolean, timeoutMs: number): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const check = (): void => {
      try {
        if (holds()) resolve(undefined);
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    const timer = setTimeout(() => {
      const state = JSON.stringify(current()?.status, null, 2);
      reject(
        new Error(
          `${target.name}: not within ${String(timeoutMs / 1000)} s: ${what}. Newest status: ${state}`,
        ),
      );
    }, timeoutMs);
    waiting.add(check);
    check();
    return promise.finally(() => {
      clearTimeout(timer);
      waiting.delete(check);
    });
  };

  return {
    history,
    current,
    async until(what, predicate, timeoutMs = defaultTimeoutMs) {
      let found: T | undefined;
      await waitFor(
        what,
        () => {
          const object = current();
          if (object === undefined || !predicate(object)) return false;
          found = object;
          return true;
        },
        timeoutMs,
      );
      if (found === undefined) throw new Error(`${target.name}: ${what}: unreachable`);
      return found;
    },
    gone: (timeoutMs = defaultTimeoutMs) => waitFor('it is gone', () => current() === undefined, timeoutMs),
    stop: () => {
      watch.stop();
    },
  };
}
