import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createFakeClock, type FakeClock } from './fakeClock.ts';

/** A real HTTP server on every loopback address, so that 127.0.0.1, 127.0.0.2, ... are pods with the same port. */
export interface LoopbackServer {
  readonly port: number;
  /** `<ip> <method> <path>` of every request, in order. */
  readonly requests: readonly string[];
  /** Cuts all connections. */
  close(): Promise<void>;
}

/** Answers a request; `ip` is the address that was asked. A handler that does not end the answer leaves it hanging. */
export type Handler = (request: IncomingMessage, response: ServerResponse, ip: string) => void;

/** Starts a server on a free port. */
export async function startLoopbackServer(handle: Handler): Promise<LoopbackServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const ip = request.socket.localAddress ?? '';
    requests.push(`${ip} ${request.method ?? ''} ${request.url ?? ''}`);
    handle(request, response, ip);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '0.0.0.0', resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** A fake clock that tells who waits: real HTTP takes real time, which nobody should guess. */
export interface WaitingClock extends FakeClock {
  /** Resolves as soon as so many wait for time to pass (default 1). */
  waiting(parties?: number): Promise<void>;
  /** Moves time by `ms`; resolves as soon as so many wait again. */
  pass(ms: number, parties?: number): Promise<void>;
}

/** Virtual time, as `createFakeClock` has it. */
export function createWaitingClock(): WaitingClock {
  const clock = createFakeClock();
  const timers = new Set<object>();
  let changed = Promise.withResolvers<undefined>();
  const waiting = async (parties = 1): Promise<void> => {
    while (timers.size < parties) await changed.promise;
  };
  return {
    ...clock,
    waiting,
    after: (ms, callback) => {
      const timer = {};
      timers.add(timer);
      changed.resolve(undefined);
      changed = Promise.withResolvers();
      const cancel = clock.after(ms, () => {
        timers.delete(timer);
        callback();
      });
      return () => {
        timers.delete(timer);
        cancel();
      };
    },
    pass: async (ms, parties) => {
      await clock.advance(ms);
      await waiting(parties);
    },
  };
}
