import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Sample } from './sample.ts';

/** One kind of request that the client sends. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, such as `/tasks?limit=10`. */
  readonly path: string;
  /** More headers, such as a token. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON body of a POST. */
  readonly body?: string;
}

/** What to send, where to and how often. */
export interface LoadOptions {
  /** Where the ingress listens, such as http://127.0.0.1:8080. Only loopback addresses: this is no tool against others. */
  readonly url: string;
  /** Value of the Host header. */
  readonly host: string;
  /** Sent in turn; each one with and without keep-alive equally often. */
  readonly requests: readonly LoadRequest[];
  readonly ratePerSecond: number;
  /** The load ends by itself after this time; `stop` then rejects, because what came later was not measured. */
  readonly maxSeconds: number;
  /** A request without a complete answer after this many milliseconds is cut off and has failed. Default: 4900. */
  readonly timeoutMs?: number;
}

/** A running load. */
export interface Load {
  /** Every finished request so far, in the order in which they ended. Grows while the load runs. */
  readonly samples: readonly Sample[];
  /** Requests that are waiting for their answer. */
  inFlight(): number;
  /** Sends nothing more, waits for what is in flight, and gives every sample. */
  stop(): Promise<readonly Sample[]>;
}

/**
 * The limit over which an answer counts as none. ingress-nginx gives up on a pod that is gone after 5 s and then tries
 * another, so a client with a limit of 5 s or more would not see that its request had hit a dead pod.
 */
export const defaultTimeoutMs = 4900;

const tickMs = 5;

/**
 * Kept-alive requests go round over so many agents. Behind a node port a connection stays with the ingress replica that
 * its first packet met: with a single agent nearly all of them would test one replica.
 */
const keptAgents = 8;

/**
 * Sends requests at a fixed rate and records every answer.
 *
 * Guarantees: open-loop (request n is due at start + n / rate, however slow the answers are, so that a stall of the
 * server cannot hide behind a stalled client; latency counts from when a request was due); every request that was due
 * ends in exactly one sample; nothing is retried; at most `maxSeconds * ratePerSecond` requests.
 *
 * Throws when `url` is not http on a loopback address.
 */
export function startLoad(options: LoadOptions): Load {
  const target = new URL(options.url);
  if (target.protocol !== 'http:' || !['127.0.0.1', 'localhost', '[::1]'].includes(target.hostname))
    throw new Error(`the load client only sends to http on a loopback address, not to ${target.origin}`);
  const { requests, ratePerSecond, timeoutMs = defaultTimeoutMs } = options;
  const limit = Math.floor(options.maxSeconds * ratePerSecond);
  const reuse = Array.from(
    { length: keptAgents },
    () => new Agent({ keepAlive: true, maxSockets: Infinity }),
  );
  const fresh = new Agent({ keepAlive: false, maxSockets: Infinity });
  const samples: Sample[] = [];
  const startedAt = Date.now();
  let sent = 0;
  let kept = 0;
  let timer: NodeJS.Timeout | undefined;
  let drained: (() => void) | undefined;

  const finish = (sample: Sample): void => {
    samples.push(sample);
    if (samples.length === sent) drained?.();
  };

  const send = (dueAt: number): void => {
    const entry = requests[sent % requests.length];
    if (entry === undefined) throw new Error('the load has no requests to send');
    // Changes once per round, not per request: each entry is sent both ways even when their number is even.
    const keepAlive = Math.floor(sent / requests.length) % 2 === 0;
    sent++;
    const agent = (keepAlive ? reuse[kept++ % keptAgents] : undefined) ?? fresh;
    sendOne({ target, host: options.host, entry, agent, timeoutMs }, (answer) => {
      finish({
        dueAt,
        endedAt: Date.now(),
        keepAlive,
        request: `${entry.method} ${entry.path.split('?', 1)[0] ?? ''}`,
        ...answer,
      });
    });
  };

  const tick = (): void => {
    const due = Math.min(limit, Math.floor(((Date.now() - startedAt) * ratePerSecond) / 1000) + 1);
    while (sent < due) send(startedAt + (sent * 1000) / ratePerSecond);
    timer = sent < limit ? setTimeout(tick, tickMs) : undefined;
  };
  tick();

  return {
    samples,
    inFlight: () => sent - samples.length,
    async stop() {
      const ended = timer === undefined;
      clearTimeout(timer);
      if (samples.length < sent)
        await new Promise<void>((resolve) => {
          drained = resolve;
        });
      for (const agent of reuse) agent.destroy();
      fresh.destroy();
      if (ended)
        throw new Error(
          `the load reached its bound of ${String(options.maxSeconds)} s before it was stopped: raise maxSeconds`,
        );
      return samples;
    },
  };
}

interface Sending {
  readonly target: URL;
  readonly host: string;
  readonly entry: LoadRequest;
  readonly agent: Agent;
  readonly timeoutMs: number;
}

type Answer = Pick<Sample, 'status' | 'revision' | 'error' | 'ingress' | 'upstream'>;

function sendOne({ target, host, entry, agent, timeoutMs }: Sending, onEnd: (answer: Answer) => void): void {
  let ended = false;
  const end = (answer: Answer): void => {
    if (ended) return;
    ended = true;
    clearTimeout(limit);
    onEnd(answer);
  };
  const request = httpRequest({
    agent,
    hostname: target.hostname.replace(/^\[|\]$/g, ''),
    port: target.port || 80,
    method: entry.method,
    path: entry.path,
    headers: {
      ...entry.headers,
      host,
      ...(entry.body !== undefined && {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(entry.body),
      }),
    },
  });
  const limit = setTimeout(() => {
    end({ status: 0, revision: '', error: `no answer within ${String(timeoutMs)} ms` });
    request.destroy();
  }, timeoutMs);
  request.on('error', (error: NodeJS.ErrnoException) => {
    end({ status: 0, revision: '', error: error.code ?? error.message });
  });
  request.on('response', (response) => {
    const answer = answerOf(response);
    response.on('error', (error: NodeJS.ErrnoException) => {
      end({ ...answer, error: error.code ?? error.message });
    });
    response.on('end', () => {
      end(answer);
    });
    response.resume();
  });
  request.end(entry.body);
}

function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return typeof value === 'string' ? value : undefined;
  };
  const ingress = header('x-ingress-replica');
  const upstream = header('x-ingress-upstream');
  return {
    status: statusCode,
    revision: header('x-pgrst-revision') ?? '',
    ...(ingress !== undefined && { ingress }),
    ...(upstream !== undefined && { upstream }),
  };
}
