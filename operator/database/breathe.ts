import { setImmediate as nextTurn } from 'node:timers/promises';

/** Lets the event loop turn once: between two pieces of synchronous work (parsing), so that the Lease is renewed. */
export async function breathe(): Promise<void> {
  await nextTurn();
}
