import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { KubeClient } from './kubeClient.ts';
import type { EventNote } from './reconciler.ts';

/** The object an Event is about. */
export interface Regarding {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly uid?: string };
}

/** Writes Events (events.k8s.io/v1). */
export interface EventRecorder {
  /** Returns at once; an Event that cannot be written is logged and lost, never thrown. */
  record(regarding: Regarding, note: EventNote): void;
  /** Resolves when everything recorded so far was written or given up. */
  flush(): Promise<void>;
}

/** What `createEventRecorder` takes. */
export interface EventRecorderOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Who reports, such as `pgrst.dev/postgrest-operator`. */
  readonly reportingController: string;
  /** Which copy of it: the pod's name. */
  readonly reportingInstance: string;
}

/** A recorder with an empty cache. */
export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  void options;
  throw new Error('being written');
}
