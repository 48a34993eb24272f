import { watchObjects, type WatchedObject } from '../kube/watch.ts';
import type { Load } from '../load/load.ts';
import { failed } from '../load/sample.ts';
import type { Display } from './terminal.ts';
import { countPods, viewOf, type InstanceView, type PodView } from './view.ts';

/** An object of ours as the demo reads it: its conditions, and what the panel shows of an instance. */
export interface DemoObject extends WatchedObject {
  readonly status?: InstanceView & { readonly observedGeneration?: number };
}

/** Follows the example on the cluster and draws it while a load runs. */
export interface Monitor {
  /** Sets what the panel says is going on. */
  title(text: string): void;
  /** Waits until the ApiInstance, or the ApiSchema, is as the predicate wants it. Rejects when `signal` aborts or after 5 minutes. */
  until(
    kind: 'instance' | 'schema',
    what: string,
    holds: (object: DemoObject) => boolean,
  ): Promise<DemoObject>;
  /** Draws from now on. */
  follow(load: Load): void;
  stop(): void;
}

const drawEveryMs = 200;
const patienceMs = 300_000;

/** Watches the example `name` in `namespace`. */
export async function createMonitor(
  kubeconfig: string,
  {
    namespace,
    name,
    display,
    signal,
  }: { namespace: string; name: string; display: Display; signal: AbortSignal },
): Promise<Monitor> {
  const checks = new Set<() => void>();
  const onEvent = (): void => {
    for (const check of checks) check();
  };
  const custom = (plural: string) => ({
    path: `/apis/pgrst.dev/v1alpha1/namespaces/${namespace}/${plural}`,
    fieldSelector: `metadata.name=${name}`,
  });
  const watches = {
    instance: watchObjects<DemoObject>(kubeconfig, custom('apiinstances'), onEvent),
    schema: watchObjects<DemoObject>(kubeconfig, custom('apischemas'), onEvent),
  };
  const pods = watchObjects<WatchedObject & PodView>(
    kubeconfig,
    { path: `/api/v1/namespaces/${namespace}/pods`, labelSelector: `pgrst.dev/instance=${name}` },
    onEvent,
  );
  await Promise.all([watches.instance.ready, watches.schema.ready, pods.ready]);
  let title = '';
  let timer: NodeJS.Timeout | undefined;

  return {
    title(text) {
      title = text;
    },
    until(kind, what, holds) {
      const { promise, resolve, reject } = Promise.withResolvers<DemoObject>();
      const check = (): void => {
        const object = watches[kind].objects.get(name);
        if (object !== undefined && holds(object)) resolve(object);
      };
      const giveUp = setTimeout(() => {
        const conditions = JSON.stringify(watches[kind].objects.get(name)?.status?.conditions ?? [], null, 2);
        reject(new Error(`not within ${String(patienceMs / 1000)} s: ${what}. Conditions: ${conditions}`));
      }, patienceMs);
      const onAbort = (): void => {
        reject(new Error('interrupted'));
      };
      signal.addEventListener('abort', onAbort);
      checks.add(check);
      check();
      return promise.finally(() => {
        clearTimeout(giveUp);
        signal.removeEventListener('abort', onAbort);
        checks.delete(check);
      });
    },
    follow(load) {
      const startedAt = Date.now();
      let counted = 0;
      let failures = 0;
      timer = setInterval(() => {
        const { samples } = load;
        for (; counted < samples.length; counted++)
          if (samples.slice(counted, counted + 1).some(failed)) failures++;
        const now = Date.now();
        const recentFrom = samples.findLastIndex((sample) => sample.endedAt < now - 10_000) + 1;
        display.show(
          viewOf({
            title,
            startedAt,
            now,
            instance: watches.instance.objects.get(name)?.status ?? {},
            pods: countPods(pods.objects.values()),
            recent: samples.slice(recentFrom),
            totals: { requests: counted, failed: failures },
          }),
        );
      }, drawEveryMs);
    },
    stop() {
      clearInterval(timer);
      watches.instance.stop();
      watches.schema.stop();
      pods.stop();
    },
  };
}
