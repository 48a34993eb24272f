import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Address, ProbeRequest } from '../traffic/router.ts';

/** What came back. */
export interface ProbeAnswer {
  readonly status: number;
  /** The revision that answered, from its X-Pgrst-Revision header; undefined when no gate did. */
  readonly revision: number | undefined;
  /** Whether the PostgREST behind the gate has loaded its schema cache (the gate's X-Pgrst-Loaded). */
  readonly loaded: boolean;
  /** The version of the PostgREST behind the gate (the gate's X-Pgrst-Version). */
  readonly version: string | undefined;
  /** The token of the settings that it was asked for, where it holds them (the gate's X-Pgrst-Settings). */
  readonly settings: string | undefined;
}

/**
 * One GET over a connection of its own: a kept-alive one would ask the same nginx worker again and again, and each
 * worker has its own view of the weights. Rejects on any connection error and after `timeoutMs` (default 3 s). Over TLS
 * the host is named as a client would, and any certificate will do.
 */
export function probe(
  address: Address,
  { host, path, headers }: ProbeRequest,
  signal: AbortSignal,
  timeoutMs = 3000,
): Promise<ProbeAnswer> {
  const options = {
    ...(address.tls ? { protocol: 'https:', servername: host, rejectUnauthorized: false } : {}),
    hostname: address.ip,
    port: address.port,
    path,
    headers: { ...headers, Host: host, Connection: 'close' },
  };
  return get(options, signal, timeoutMs, (response, resolve) => {
    response.on('end', () => {
      const revision = Number(response.headers['x-pgrst-revision']);
      resolve({
        status: response.statusCode ?? 0,
        revision: Number.isInteger(revision) && revision > 0 ? revision : undefined,
        loaded: response.headers['x-pgrst-loaded'] === 'true',
        version: textOf(response.headers['x-pgrst-version']),
        settings: textOf(response.headers['x-pgrst-settings']),
      });
    });
    response.resume();
  });
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** What a GET for its body may take. */
export interface BodyLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/** An answer with its body. */
export interface BodyAnswer {
  readonly status: number;
  /** As UTF-8; undefined when it was larger than allowed, and then the rest of it was not read. */
  readonly body: string | undefined;
}

/**
 * One GET for what is to be read, over a connection of its own. Redirects are not followed. Rejects on any connection
 * error and when the whole answer is not there in time.
 */
export function getBody(
  target: Pick<RequestOptions, 'protocol' | 'hostname' | 'port' | 'path' | 'headers'>,
  { timeoutMs, maxBytes }: BodyLimits,
  signal: AbortSignal,
): Promise<BodyAnswer> {
  return get(target, signal, timeoutMs, (response, resolve) => {
    const status = response.statusCode ?? 0;
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= maxBytes) return;
      resolve({ status, body: undefined });
      response.destroy();
    });
    response.on('end', () => {
      resolve({ status, body: Buffer.concat(chunks).toString('utf8') });
    });
  });
}

function get<Answer>(
  options: RequestOptions,
  signal: AbortSignal,
  timeoutMs: number,
  read: (response: IncomingMessage, resolve: (answer: Answer) => void) => void,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const request = options.protocol === 'https:' ? requestHttps : requestHttp;
  const outgoing = request({ ...options, agent: false, signal }, (response) => {
    response.on('error', reject);
    read(response, resolve);
  });
  outgoing.on('error', reject);
  // Ended with the answer: a signal of its own would keep all of it in memory until the time is over, a thousand times.
  const late = setTimeout(() => {
    const error = new Error(`no answer within ${timeoutMs / 1000} s`);
    reject(error);
    outgoing.destroy(error);
  }, timeoutMs);
  outgoing.end();
  return promise.finally(() => {
    clearTimeout(late);
  });
}

/** What went wrong, for people. Where a name has several addresses, Node's error has a code and no message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.message || ('code' in error && typeof error.code === 'string' ? error.code : error.name);
}
