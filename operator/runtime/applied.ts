import { hash } from 'node:crypto';
import { containsDesired } from './contains.ts';
import { ownsNothingBeside } from './ownedFields.ts';
import { refKey, refOf, type KubeObject, type ObjectRef } from './object.ts';

/**
 * What this process has applied, by object: the hash of what was desired and the version that came of it, no content.
 *
 * Assumption: within one process nobody else applies under our field manager. What an earlier process applied is told
 * by the object itself, whose managedFields list what we own: a thousand instances after a restart would otherwise be
 * ten thousand applies that change nothing.
 */
export interface AppliedMemory {
  /**
   * Whether applying this would change nothing: it is what was applied last, and the object that is observed now is
   * either still the version that came of it (then its metadata is enough) or contains all that is desired. Of an
   * object that this process has not applied yet: it contains all that is desired, and we own nothing beside.
   */
  isAtRest(desired: KubeObject, observed: KubeObject): boolean;
  /** `result`: what the apply returned. */
  remember(desired: KubeObject, result: KubeObject): void;
  /** The next apply is not skipped, whatever is observed. */
  forget(ref: ObjectRef): void;
}

const maxEntries = 20_000; // About 3 MB; who falls out is looked at as after a restart.

interface Entry {
  /** Absent: something was tried, and nobody knows what came of it. */
  readonly hash?: string;
  readonly version?: string | undefined;
}

/** An empty memory. */
export function createAppliedMemory(): AppliedMemory {
  const entries = new Map<string, Entry>();
  // A builder puts its fields into the same order each time; were they in another one, that would cost an apply.
  const hashOf = (desired: KubeObject): string => hash('sha256', JSON.stringify(desired), 'base64');

  function put(ref: ObjectRef, entry: Entry): void {
    const key = refKey(ref);
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break;
      entries.delete(oldest);
    }
  }

  function remember(desired: KubeObject, result: KubeObject): void {
    put(refOf(desired), { hash: hashOf(desired), version: result.metadata.resourceVersion });
  }

  return {
    isAtRest(desired, observed) {
      const last = entries.get(refKey(refOf(desired)));
      if (last === undefined) {
        if (!ownsNothingBeside(observed, desired) || !containsDesired(observed, desired)) return false;
        remember(desired, observed);
        return true;
      }
      if (last.hash !== hashOf(desired)) return false;
      const { resourceVersion } = observed.metadata;
      if (resourceVersion !== undefined && resourceVersion === last.version) return true;
      return containsDesired(observed, desired);
    },
    remember,
    forget(ref) {
      put(ref, {});
    },
  };
}
