import { createHash } from 'node:crypto';
import { containsDesired, stableJson } from './contains.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from './object.ts';

/**
 * What this process has applied, by object: the hash of what was desired and the version that came of it, no content.
 *
 * Assumption: within one process nobody else applies under our field manager. After a restart the memory is empty and
 * everything is applied once more; a server-side apply that changes nothing does not even bump the resourceVersion, so
 * nobody sees it. That is cheaper than asking managedFields what we own.
 */
export interface AppliedMemory {
  /**
   * Whether applying this would change nothing: it is what was applied last, and the object that is observed now is
   * either still the version that came of it (then its metadata is enough) or contains all that is desired.
   */
  isAtRest(desired: KubeObject, observed: KubeObject): boolean;
  /** `result`: what the apply returned. */
  remember(desired: KubeObject, result: KubeObject): void;
  forget(ref: ObjectRef): void;
}

const maxEntries = 20_000; // About 3 MB; who falls out is applied once more, in vain and unharmed.

/** An empty memory. */
export function createAppliedMemory(): AppliedMemory {
  const entries = new Map<string, { readonly hash: string; readonly version: string | undefined }>();
  const hashOf = (desired: KubeObject): string =>
    createHash('sha256').update(stableJson(desired)).digest('base64');

  return {
    isAtRest(desired, observed) {
      const last = entries.get(refKey(refOf(desired)));
      if (last?.hash !== hashOf(desired)) return false;
      const { resourceVersion } = observed.metadata;
      if (resourceVersion !== undefined && resourceVersion === last.version) return true;
      return containsDesired(observed, desired);
    },
    remember(desired, result) {
      const key = refKey(refOf(desired));
      entries.delete(key);
      entries.set(key, { hash: hashOf(desired), version: result.metadata.resourceVersion });
      for (const oldest of entries.keys()) {
        if (entries.size <= maxEntries) break;
        entries.delete(oldest);
      }
    },
    forget(ref) {
      entries.delete(refKey(ref));
    },
  };
}
