import { watchObjects, type WatchedObject, type WatchTarget } from '../../hack/kube/watch.ts';

/** One object under a watch. */
export interface Followed<T extends WatchedObject> {
  /** Waits until the predicate holds for what is there from now on; gives the state and when it arrived here. */
  readonly until: (
    what: string,
    holds: (object: T) => boolean,
  ) => Promise<{ readonly object: T; readonly at: number }>;
  readonly stop: () => void;
}

const patienceMs = 180_000;

/** Follows the object of this name. `signal` ends every waiting. */
export async function follow<T extends WatchedObject>(
  kubeconfig: string,
  target: WatchTarget & { readonly name: string },
  signal: AbortSignal,
): Promise<Followed<T>> {
  const waiting = new Set<() => void>();
  const { name, ...collection } = target;
  const fieldSelector = `metadata.name=${name}`;
  const watch = watchObjects<T>(kubeconfig, { ...collection, fieldSelector }, () => {
    for (const check of waiting) check();
  });
  await watch.ready;

  return {
    until(what, holds) {
      const { promise, resolve, reject } = Promise.withResolvers<{ object: T; at: number }>();
      const check = (): void => {
        const object = watch.objects.get(name);
        if (object !== undefined && holds(object)) resolve({ object, at: Date.now() });
      };
      const giveUp = setTimeout(() => {
        const status = JSON.stringify(watch.objects.get(name)?.['status'], null, 2);
        reject(
          new Error(`${name}: not within ${String(patienceMs / 1000)} s: ${what}. Its status: ${status}`),
        );
      }, patienceMs);
      const onAbort = (): void => {
        reject(signal.reason instanceof Error ? signal.reason : new Error('interrupted'));
      };
      signal.addEventListener('abort', onAbort);
      waiting.add(check);
      check();
      return promise.finally(() => {
        clearTimeout(giveUp);
        signal.removeEventListener('abort', onAbort);
        waiting.delete(check);
      });
    },
    stop: () => {
      watch.stop();
    },
  };
}
