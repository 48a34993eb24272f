import type { PoolerShare } from '../resources/pooler/share.ts';
import type { Clock } from '../runtime/clock.ts';
import { delay } from '../runtime/delay.ts';
import type { TaskContext } from '../runtime/tasks.ts';
import type { Console } from './console.ts';
import { supportOf } from './version.ts';

/** What one PgBouncer process is to be brought to. */
export interface SettleOrder {
  /** What it may open. */
  readonly share: PoolerShare;
  /** The configuration that it is to have loaded; undefined where it is about to go: then only the share counts. */
  readonly generation: string | undefined;
  /**
   * Whether its connections are to be renewed, because a release has taken the place of the one before: what they have
   * prepared for the old schema would fail for ever, and nothing else heals that (measured).
   */
  readonly renews: boolean;
}

/** How far a process is. */
export interface SettleProgress {
  readonly version: string;
  /** Whether it keeps to its share: it may open no more, and has no more open. */
  readonly isCapped: boolean;
}

/** A process that was seen to be as ordered; of an unsupported version nothing but the version is known. */
export interface SettledProcess {
  readonly version: string;
  /** Connections to the database that it had then. */
  readonly serverConnections: number;
}

/** What settling works with. */
export interface SettleDeps {
  readonly clock: Clock;
  /** Logs in to the console of the process. */
  open(signal: AbortSignal): Promise<Console>;
  /** Makes the kubelet look at the pod, which brings the Secret's files up to date. */
  poke(): Promise<void>;
}

const againMs = 250;
/** RELOAD makes PgBouncer read its files, which are new only once the kubelet has written them. */
const reloadEveryMs = 2000;

/**
 * Brings one process to its share and its configuration, and proves both on the process itself. The share comes first,
 * and again after every RELOAD, which takes the process back to what its file says: that is never more than it may have.
 * Connections above the share go as soon as their transactions are over (measured: without RECONNECT a busy pool keeps
 * them for ever).
 */
export async function settleProcess(
  order: SettleOrder,
  { clock, open, poke }: SettleDeps,
  { signal, progress }: TaskContext,
): Promise<SettledProcess> {
  const console = await open(signal);
  try {
    const version = await console.version();
    if (supportOf(version) === 'unsupported') return { version, serverConnections: 0 };
    let reloadedAt: number | undefined;
    let told: boolean | undefined;
    let isRenewed = !order.renews;
    for (;;) {
      await keepTo(order.share, console);
      const { all: serverConnections, starting } = await console.serverConnections();
      const isCapped = serverConnections <= order.share.connections;
      if ((!isCapped || !isRenewed) && starting === 0) {
        await console.reconnect();
        isRenewed = true;
      }
      const isLoaded =
        order.generation === undefined || (await console.setting('syslog_ident')) === order.generation;
      if (isCapped && isLoaded && isRenewed) return { version, serverConnections };
      if (told !== isCapped) progress({ version, isCapped } satisfies SettleProgress);
      told = isCapped;
      if (!isLoaded && (reloadedAt === undefined || clock.monotonic() - reloadedAt >= reloadEveryMs)) {
        if (reloadedAt === undefined) await poke();
        reloadedAt = clock.monotonic();
        await console.reload();
        continue;
      }
      await delay(clock, againMs, signal);
      signal.throwIfAborted();
    }
  } finally {
    await console.close();
  }
}

async function keepTo({ connections, poolSize }: PoolerShare, console: Console): Promise<void> {
  await console.set('max_user_connections', connections);
  await console.set('default_pool_size', poolSize);
}
