import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { KubeClient } from './kubeClient.ts';
import type { Rng } from './random.ts';

/** What `createLeaderElector` takes. */
export interface LeaderElectorOptions {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  readonly lease: { readonly namespace: string; readonly name: string };
  /** Unique among the candidates: pod name plus something random. */
  readonly identity: string;
  /** Called once, when this process becomes the leader. */
  readonly onElected: () => void;
  /** Called once, when leadership is lost (not when it is released by `stop`): stop all writes and exit. */
  readonly onLost: (why: string) => void;
  /** How long others wait for a silent leader. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up. Default 10 s; shorter than the lease. */
  readonly renewDeadlineMs?: number;
  /** Between two tries. Default 2 s. */
  readonly retryPeriodMs?: number;
}

/** A candidate at work. */
export interface LeaderElector {
  isLeader(): boolean;
  /** Stops trying; releases the lease when it is held, so that another candidate need not wait. */
  stop(): Promise<void>;
}

/** Starts trying at once. */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  void options;
  throw new Error('being written');
}
