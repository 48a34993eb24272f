import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** A running probes server. */
export interface Probes {
  /** The port it listens on. */
  readonly port: number;
  close(): Promise<void>;
}

/** What `startProbes` takes. */
export interface ProbesOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Whether the process is worth keeping; false gets it restarted by its liveness probe. */
  readonly healthy: () => boolean;
  /**
   * Whether the caches are filled. Says nothing about leadership: a copy that waits for the lease is ready too, or a
   * rolling update of the operator would never finish.
   */
  readonly ready: () => boolean;
  readonly registry: Registry;
}

/** Serves /healthz, /readyz and /metrics on all addresses. Rejects when the port is taken. */
export async function startProbes(options: ProbesOptions): Promise<Probes> {
  const server = createServer((request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8'): void => {
      response.writeHead(status, { 'content-type': type }).end(text);
    };
    const answerIf = (ok: boolean): void => {
      answer(ok ? 200 : 503, ok ? 'ok\n' : 'not yet\n');
    };
    const path = (request.url ?? '').split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') answer(405, 'GET only\n');
    else if (path === '/healthz') answerIf(options.healthy());
    else if (path === '/readyz') answerIf(options.ready());
    else if (path === '/metrics')
      options.registry.metrics().then(
        (text) => {
          answer(200, text, options.registry.contentType);
        },
        (error: unknown) => {
          answer(500, `${error instanceof Error ? error.message : String(error)}\n`);
        },
      );
    else answer(404, 'there are /healthz, /readyz and /metrics\n');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}
