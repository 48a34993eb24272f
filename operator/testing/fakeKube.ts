import type { KubeClient } from '../runtime/kubeClient.ts';
import type { KubeObject, ObjectRef } from '../runtime/object.ts';

/** One write that reached the fake server. */
export interface RecordedWrite {
  readonly verb: 'create' | 'replace' | 'apply' | 'applyStatus' | 'patch' | 'delete';
  readonly ref: ObjectRef;
  /** What was sent. */
  readonly body: unknown;
  /** Whether it changed what is stored. */
  readonly changed: boolean;
}

/** An API server in memory: enough of one for the tests of controllers, far less than a real one. */
export interface FakeKube {
  readonly client: KubeClient;
  /** All writes so far, in order. */
  readonly writes: readonly RecordedWrite[];
  /** Puts an object into the store as another client would (spec changes bump the generation). */
  put(object: KubeObject): KubeObject;
  /** Changes the status as the cluster's own controllers would. */
  putStatus(ref: ObjectRef, status: unknown): KubeObject;
  /** The stored object. */
  read(ref: ObjectRef): KubeObject | undefined;
  /** Everything stored, by kind when one is given. */
  all(kind?: string): readonly KubeObject[];
  /** Removes an object as another client would (at once, finalizers or not). */
  remove(ref: ObjectRef): void;
}

/** What a client throws in the place of the write that the "process" did not live to make. */
export class ProcessDied extends Error {
  override readonly name = 'ProcessDied';
}

/** A client whose process dies after its n-th write: that write is made, every later call throws ProcessDied. */
export function diesAfter(n: number, client: KubeClient): KubeClient {
  void [n, client];
  throw new Error('being written');
}

/** An empty fake server. */
export function createFakeKube(): FakeKube {
  throw new Error('being written');
}
