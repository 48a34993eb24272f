import { createHash } from 'node:crypto';
import { stableJson } from './contains.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from './object.ts';

/**
 * What this process has applied, by object: hashes of desired objects, no content.
 *
 * Assumption: within one process nobody else applies under our field manager. After a restart the memory is empty and
 * everything is applied once more; a server-side apply that changes nothing does not even bump the resourceVersion, so
 * nobody sees it. That is cheaper than asking managedFields what we own.
 */
export interface AppliedMemory {
  /** Whether exactly this desired object was the last one applied under its name. */
  has(desired: KubeObject): boolean;
  remember(desired: KubeObject): void;
  forget(ref: ObjectRef): void;
}

const maxEntries = 20_000; // About 3 MB; who falls out is applied once more, in vain and unharmed.

/** An empty memory. */
export function createAppliedMemory(): AppliedMemory {
  const hashes = new Map<string, string>();
  const hashOf = (desired: KubeObject): string =>
    createHash('sha256').update(stableJson(desired)).digest('base64');

  return {
    has: (desired) => hashes.get(refKey(refOf(desired))) === hashOf(desired),
    remember(desired) {
      const key = refKey(refOf(desired));
      hashes.delete(key);
      hashes.set(key, hashOf(desired));
      for (const oldest of hashes.keys()) {
        if (hashes.size <= maxEntries) break;
        hashes.delete(oldest);
      }
    },
    forget(ref) {
      hashes.delete(refKey(ref));
    },
  };
}
