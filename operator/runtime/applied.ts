import type { KubeObject, ObjectRef } from './object.ts';

/** What this process has applied, by object: hashes of desired objects, no content. */
export interface AppliedMemory {
  /** Whether exactly this desired object was the last one applied under its name. */
  has(desired: KubeObject): boolean;
  remember(desired: KubeObject): void;
  forget(ref: ObjectRef): void;
}

/** An empty memory: after a restart everything is applied once more. */
export function createAppliedMemory(): AppliedMemory {
  throw new Error('being written');
}
