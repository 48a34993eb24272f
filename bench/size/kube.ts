import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeClient } from '../../operator/runtime/kubeClient.ts';
import { refKey, refOf, type KubeObject } from '../../operator/runtime/object.ts';

/** An API server as far as its client's event loop feels it: every answer comes in a later turn, as a text. */
export interface TextKube {
  readonly client: KubeClient;
  put(object: KubeObject): void;
}

/** An empty one. */
export function createTextKube(): TextKube {
  const texts = new Map<string, string>();
  let version = 0;

  const put = (object: KubeObject): void => {
    version += 1;
    const metadata = {
      uid: `uid-${refKey(refOf(object))}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      generation: version,
      ...object.metadata,
      resourceVersion: String(version),
    };
    texts.set(refKey(refOf(object)), JSON.stringify({ ...object, metadata }));
  };
  const read = (key: string): KubeObject | undefined => {
    const text = texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as KubeObject);
  };
  const refuse = (): never => {
    throw new Error('the benchmark expects no such call');
  };

  return {
    put,
    client: {
      get: async (ref) => {
        await nextTurn();
        return read(refKey(ref));
      },
      list: async () => {
        await nextTurn();
        return { items: [], resourceVersion: '0' };
      },
      applyStatus: async (object) => {
        const sent = JSON.parse(JSON.stringify(object)) as KubeObject;
        const current = read(refKey(refOf(object))) ?? refuse();
        put({ ...current, status: sent.status });
        await nextTurn();
        return read(refKey(refOf(object))) ?? refuse();
      },
      create: refuse,
      replace: refuse,
      apply: refuse,
      patch: refuse,
      delete: refuse,
      watch: refuse,
    },
  };
}
