import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import { stableJson } from './contains.ts';
import type { KubeClient } from './kubeClient.ts';
import { delay, timeout } from './delay.ts';
import { isConflict } from './kubeError.ts';
import type { KubeObject } from './object.ts';
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

/** `spec` of a coordination.k8s.io/v1 Lease. */
interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly acquireTime?: string | null;
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number | null;
}

/**
 * Starts trying at once.
 *
 * As client-go's leaderelection: whether the holder's lease has run out is judged by when *this* process last saw the
 * record change, on a clock that never jumps; the times in the record are for people, so skewed clocks do no harm. Every
 * write is a PUT with the resourceVersion that was read, so of two candidates one loses. A leader that could not renew
 * for `renewDeadlineMs` counts itself out before anybody else may take over.
 * Caveat: it does not fence. A process whose event loop stood still finds out late; what must never happen twice is
 * guarded where it happens (the ledger in PostgreSQL, resourceVersion and uid preconditions).
 */
export function createLeaderElector(options: LeaderElectorOptions): LeaderElector {
  const { client, clock, rng, identity } = options;
  const { leaseDurationMs = 15_000, renewDeadlineMs = 10_000, retryPeriodMs = 2_000 } = options;
  const log = options.log.child({ lease: options.lease.name, identity });
  const ref = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', ...options.lease };
  const stopping = new AbortController();
  /** The record as last seen, and when (monotonic) it was first seen so. */
  let seen: { readonly record: string; readonly at: number } | undefined;
  let held: KubeObject | undefined;
  let renewedAt = 0;
  let state: 'candidate' | 'leader' | 'lost' = 'candidate';
  let cancelDeadline = (): void => undefined;

  const microTime = (): string => new Date(clock.now()).toISOString().replace('Z', '000Z');
  const specOf = (lease: KubeObject): LeaseSpec => lease.spec ?? {};

  function isTaken(lease: KubeObject): boolean {
    const { holderIdentity } = specOf(lease);
    const record = stableJson(specOf(lease));
    if (seen?.record !== record) seen = { record, at: clock.monotonic() };
    if (holderIdentity === undefined || holderIdentity === null || holderIdentity === '') return false;
    // Also when the record names us: an identity is never used twice, so that can only be a write of ours whose
    // answer was lost.
    if (holderIdentity === identity) return false;
    const seconds = specOf(lease).leaseDurationSeconds;
    const durationMs = typeof seconds === 'number' ? seconds * 1000 : leaseDurationMs;
    return clock.monotonic() < seen.at + durationMs;
  }

  /** One try to get or to keep the lease. False: somebody else has it. Throws when the server could not be asked. */
  async function tryOnce(signal: AbortSignal): Promise<boolean> {
    // The lease counts from before the write: an answer that comes late must not stretch it.
    const began = clock.monotonic();
    const current = await client.get(ref, signal);
    if (current !== undefined && isTaken(current)) return false;
    const before = current === undefined ? {} : specOf(current);
    const ours = before.holderIdentity === identity;
    const spec: LeaseSpec = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: ours && before.acquireTime ? before.acquireTime : microTime(),
      renewTime: microTime(),
      leaseTransitions: (before.leaseTransitions ?? 0) + (ours || current === undefined ? 0 : 1),
    };
    held =
      current === undefined
        ? await client.create({ ...ref, metadata: { ...options.lease }, spec }, signal)
        : await client.replace({ ...current, spec }, signal);
    renewedAt = began;
    return true;
  }

  const isTrying = (): boolean => !stopping.signal.aborted && state !== 'lost';

  async function run(): Promise<void> {
    while (isTrying()) {
      // A try that hangs must not outlive the deadline; the next one may find a live API server.
      const late = timeout(clock, renewDeadlineMs / 2, 'the lease could not be written in time');
      let won = false;
      try {
        won = await tryOnce(AbortSignal.any([stopping.signal, late.signal]));
        if (!won && state === 'leader') lose('another process has taken the lease');
      } catch (error) {
        // A conflict is a race that somebody else won, if only for this moment: the next look tells.
        log[isConflict(error) ? 'debug' : 'warn']({ err: error }, 'could not get or renew the lease');
      } finally {
        late.cancel();
      }
      if (won && isTrying()) lead();
      if (isTrying()) await delay(clock, retryPeriodMs * (1 + 0.2 * rng()), stopping.signal);
    }
  }

  /** Won or renewed: from now on it is ours until the deadline, unless renewed again. */
  function lead(): void {
    cancelDeadline();
    cancelDeadline = clock.after(renewedAt + renewDeadlineMs - clock.monotonic(), () => {
      lose(`the lease could not be renewed for ${String(renewDeadlineMs)} ms`);
    });
    if (state !== 'candidate') return;
    state = 'leader';
    log.info('elected leader');
    options.onElected();
  }

  function lose(why: string): void {
    if (state !== 'leader') return;
    state = 'lost';
    cancelDeadline();
    log.error({ why }, 'lost the leadership');
    options.onLost(why);
  }

  async function release(): Promise<void> {
    if (held === undefined) return;
    const late = timeout(clock, retryPeriodMs, 'the lease could not be released in time');
    try {
      const spec = { ...specOf(held), holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() };
      await client.replace({ ...held, spec }, late.signal);
      log.info('released the lease');
    } catch (error) {
      log.warn({ err: error }, 'could not release the lease: it runs out by itself');
    } finally {
      late.cancel();
    }
  }

  const running = run();
  return {
    isLeader: () => state === 'leader',
    async stop() {
      const wasLeader = state === 'leader';
      stopping.abort(new Error('the election was stopped'));
      await running;
      cancelDeadline();
      if (state === 'leader') state = 'lost';
      if (wasLeader) await release();
    },
  };
}
