import { request } from 'node:http';
import type { Address, ProbeRequest } from '../traffic/router.ts';

/** What came back. */
export interface ProbeAnswer {
  readonly status: number;
  /** The revision that answered, from its X-Pgrst-Revision header; undefined when no gate did. */
  readonly revision: number | undefined;
  /** Whether the PostgREST behind the gate has loaded its schema cache (the gate's X-Pgrst-Loaded). */
  readonly loaded: boolean;
}

/**
 * One GET over a connection of its own: a kept-alive one would ask the same nginx worker again and again, and each
 * worker has its own view of the weights. Rejects on any connection error and after `timeoutMs` (default 3 s).
 */
export function probe(
  address: Address,
  { host, path, headers }: ProbeRequest,
  signal: AbortSignal,
  timeoutMs = 3000,
): Promise<ProbeAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: address.ip,
        port: address.port,
        path,
        headers: { ...headers, Host: host, Connection: 'close' },
        agent: false,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      },
      (response) => {
        response.on('error', reject);
        response.on('end', () => {
          const revision = Number(response.headers['x-pgrst-revision']);
          resolve({
            status: response.statusCode ?? 0,
            revision: Number.isInteger(revision) && revision > 0 ? revision : undefined,
            loaded: response.headers['x-pgrst-loaded'] === 'true',
          });
        });
        response.resume();
      },
    );
    outgoing.on('error', reject);
    outgoing.end();
  });
}
