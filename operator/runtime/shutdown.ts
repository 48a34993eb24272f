import type { Logger } from 'pino';
import type { Clock } from './clock.ts';

/** One step of a shutdown. */
export interface ShutdownStep {
  readonly name: string;
  /** `remainingMs`: what is left of the whole deadline, at least 0. */
  run(remainingMs: number): Promise<void> | void;
}

/**
 * Runs the steps in order within one deadline; main's order is: stop the intake and drain the held keys, stop the long
 * work, release the lease (only now may another copy write), flush Events and logs.
 *
 * Guarantees: a step that throws or overstays the deadline is logged and does not keep the later ones from running;
 * never rejects. Give it less than the pod's terminationGracePeriodSeconds.
 */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  options: { readonly clock: Clock; readonly log: Logger; readonly deadlineMs: number },
): Promise<void> {
  const { clock, log, deadlineMs } = options;
  const end = clock.monotonic() + deadlineMs;
  for (const { name, run } of steps) {
    const remainingMs = Math.max(0, end - clock.monotonic());
    const late = Promise.withResolvers<'late'>();
    const cancel = clock.after(remainingMs, () => {
      late.resolve('late');
    });
    try {
      const result = await Promise.race([Promise.resolve(run(remainingMs)), late.promise]);
      if (result === 'late') log.warn({ step: name }, 'shutdown: the step did not end in time');
      else log.debug({ step: name }, 'shutdown: done');
    } catch (error) {
      log.error({ step: name, err: error }, 'shutdown: the step failed');
    } finally {
      cancel();
    }
  }
}

/** Of `process`, what `exitOnFatalErrors` needs. */
export interface FatalErrorSource {
  on(event: 'unhandledRejection' | 'uncaughtException', listener: (error: unknown) => void): unknown;
  exit(code: number): unknown;
}

/**
 * Logs and exits with 1 on what nobody caught: after a bug of that kind the process's state is unknown, and a restart
 * is safe at any point by design.
 */
export function exitOnFatalErrors(source: FatalErrorSource, log: Logger): void {
  for (const event of ['unhandledRejection', 'uncaughtException'] as const)
    source.on(event, (error) => {
      log.fatal({ err: error, event }, 'a bug: nobody caught this error; exiting');
      source.exit(1);
    });
}
