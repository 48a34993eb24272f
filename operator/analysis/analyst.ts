import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Answer, Question } from './messages.ts';
import type { Operations } from './operations.ts';
import { createUnpacker, pack } from './parcels.ts';

/**
 * Does what needs PostgreSQL's parser on a thread of its own, because parsing is synchronous and may take seconds: the
 * event loop of the caller is never held for more than one piece of a message.
 */
export interface SqlAnalyst {
  /**
   * Runs an operation. Calls are done one after the other, in their order. Throws an Error with the message of what the
   * operation threw, or one that says that the thread died; the next call gets a new thread.
   */
  call<K extends keyof Operations>(
    name: K,
    ...args: Parameters<Operations[K]>
  ): Promise<ReturnType<Operations[K]>>;
  /** Ends the thread, and with it the call that runs. A call after that starts a thread again. */
  close(): Promise<void>;
}

/** How long the thread waits for work, in milliseconds: its memory (the parser's grows, and never shrinks) is given back. */
const idleMs = 60_000;

/**
 * The thread's heap, in MiB: it collects garbage before it grows further, and dies of it rather than the whole process. The
 * parser's own memory comes on top: 300 MiB in all for the worst 4 MB that were found (bench/parsing measures usual ones).
 */
const resourceLimits = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 16 };

// In the bundle the thread is a file of its own beside the operator's (hack/build.ts).
const threadFile = import.meta.url.endsWith('.ts') ? './thread.ts' : './sqlThread.mjs';

/** Makes an analyst; its thread starts with the first call, and ends after a minute without one. */
export function createSqlAnalyst(): SqlAnalyst {
  let thread: Thread | undefined;
  let pending = 0;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const close = async (): Promise<void> => {
    clearTimeout(idle);
    const closing = thread;
    thread = undefined;
    await closing?.end();
  };

  const ask = async (name: string, args: readonly unknown[]): Promise<unknown> => {
    if (thread?.isAlive() !== true) thread = startThread();
    const { result, isSpent, error } = await converse(thread, [name, args]);
    if (isSpent) await close();
    if (error !== undefined) throw error;
    return result;
  };

  return {
    close,
    async call(name, ...args) {
      pending += 1;
      clearTimeout(idle);
      const answer = last.then(async () => await ask(name, args));
      last = answer.catch(() => undefined);
      try {
        return (await answer) as ReturnType<Operations[typeof name]>;
      } finally {
        pending -= 1;
        if (pending === 0) {
          thread?.rest();
          idle = setTimeout(() => void close(), idleMs).unref();
        }
      }
    },
  };
}

interface Conversation {
  readonly result?: unknown;
  /** What the operation threw. */
  readonly error?: Error;
  /** The thread is of no use any more. */
  readonly isSpent: boolean;
}

async function converse(thread: Thread, question: unknown): Promise<Conversation> {
  for (const parcel of pack(question)) {
    thread.say({ kind: 'parcel', parcel });
    await nextTurn();
  }
  const result = createUnpacker();
  thread.say({ kind: 'run' });
  for (;;) {
    const answer = await thread.hear();
    if (answer.kind === 'failed') return { error: new Error(answer.message), isSpent: answer.isSpent };
    if (answer.kind === 'done') return { result: result.take(), isSpent: answer.isSpent };
    result.add(answer.parcel);
    await nextTurn();
    thread.say({ kind: 'more' });
  }
}

interface Thread {
  isAlive(): boolean;
  say(question: Question): void;
  /** The next answer; throws when the thread dies before it. One at a time. */
  hear(): Promise<Answer>;
  /** Lets the process end although the thread is there. */
  rest(): void;
  end(): Promise<void>;
}

function startThread(): Thread {
  const worker = new Worker(new URL(threadFile, import.meta.url), { resourceLimits });
  let death: Error | undefined;
  let listener: PromiseWithResolvers<Answer> | undefined;

  const die = (cause: unknown): void => {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    death ??= new Error(`The SQL thread ended in the middle of its work${why}`, { cause });
    listener?.reject(death);
  };
  worker.on('message', (answer: Answer) => listener?.resolve(answer));
  worker.on('error', die);
  worker.on('exit', () => {
    die(undefined);
  });

  return {
    isAlive: () => death === undefined,
    say(question) {
      worker.ref();
      worker.postMessage(question);
    },
    async hear() {
      if (death !== undefined) throw death;
      listener = Promise.withResolvers<Answer>();
      return await listener.promise;
    },
    rest() {
      worker.unref();
    },
    async end() {
      await worker.terminate();
    },
  };
}
