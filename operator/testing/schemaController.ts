import type { Outcome } from '../runtime/outcome.ts';
import { createApiSchemaController, createRunWork } from '../controllers/apischema/index.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Condition } from '../runtime/conditions.ts';
import type { Informer } from '../runtime/informer.ts';
import type { KubeClient } from '../runtime/kubeClient.ts';
import { createQueue } from '../runtime/queue.ts';
import type { Key } from '../runtime/reconciler.ts';
import { tools } from './applyFixture.ts';
import { quietLog } from './quietLog.ts';

/** The controller of ApiSchemas over one object, with the real work, on whatever client. */
export interface DrivenController {
  /** Reconciles until nothing is left to do, as a worker of the queue does. */
  settle(): Promise<{ readonly outcome: Outcome; readonly conditions: readonly Condition[] }>;
  /** Ends its work and its thread. */
  close(): Promise<void>;
}

const nothing: Informer = {
  ready: Promise.resolve(),
  isReady: () => true,
  get: () => undefined,
  list: () => [],
  byIndex: () => [],
  onChange: () => () => undefined,
  stop: () => undefined,
};

/** Makes one; its caches are empty, so nothing but its own work wakes it. */
export function driveSchemaController(client: KubeClient, clock: Clock, key: Key): DrivenController {
  const queue = createQueue<Key>({ clock, rng: Math.random });
  const { reconciler, tasks } = createApiSchemaController({
    client,
    caches: { schemas: nothing, instances: nothing, configMaps: nothing },
    clock,
    rng: Math.random,
    log: quietLog,
    events: { record: () => undefined, flush: async () => Promise.resolve() },
    queue,
    clusterId: 'cluster-1',
    identity: 'operator-1',
    run: createRunWork({ client, ...tools }),
  });
  const { signal } = new AbortController();

  return {
    async settle() {
      for (;;) {
        const world = await reconciler.observe(key, signal);
        if (world === undefined) throw new Error(`${key} is gone`);
        const plan = reconciler.decide(world);
        await reconciler.act(plan, world, signal);
        // Work may end while the plan is carried out: then nobody has seen its result yet.
        const orders = tasks.states(key);
        const isDone = [...orders].every(
          ([id, { state }]) => state === 'done' && world.work.get(id)?.state === 'done',
        );
        if (isDone && plan.outcome.kind !== 'waiting')
          return { outcome: plan.outcome, conditions: plan.status?.conditions ?? [] };
        if (plan.outcome.kind === 'waiting') queue.add(key, { afterMs: plan.outcome.retryAfterMs });
        (await queue.take(signal))?.done();
      }
    },
    async close() {
      await tasks.stop(10_000);
      await tools.analyst.close();
      queue.close();
    },
  };
}
