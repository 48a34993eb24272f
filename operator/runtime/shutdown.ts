import type { Logger } from 'pino';
import type { Clock } from './clock.ts';

/** One step of a shutdown. */
export interface ShutdownStep {
  readonly name: string;
  /** `remainingMs`: what is left of the whole deadline. */
  run(remainingMs: number): Promise<void> | void;
}

/** Runs the steps in order within one deadline. */
export async function runShutdown(
  steps: readonly ShutdownStep[],
  options: { readonly clock: Clock; readonly log: Logger; readonly deadlineMs: number },
): Promise<void> {
  await Promise.reject(new Error('being written'));
  void [steps, options];
}
