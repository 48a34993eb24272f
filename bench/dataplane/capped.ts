import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../../hack/lib/ports.ts';
import type { Database } from './database.ts';
import { endpoints, type Call } from './endpoints.ts';
import { benchSpec, startPooler, startPostgrest, type Pod } from './pods.ts';
import type { Programs } from './programs.ts';
import { shuffled } from './shuffled.ts';
import { runWrk, type Figures } from './wrk.ts';

/** One kind of load on twenty pods, round by round. */
export interface CappedResult {
  readonly workload: string;
  /** PostgREST's own ten connections each, PgBouncer with a cap of twenty behind all of them. */
  readonly pooled: readonly Figures[];
  /** The same pods with one connection to PostgreSQL each, beside the one that listens. */
  readonly direct: readonly Figures[];
}

const podCount = 20;
const connections = 64;
// The first requests open two hundred connections to PgBouncer, each with a SCRAM handshake.
const warmSeconds = 5;
const reads = endpoints.filter(({ isRead }) => isRead);

const workloads: readonly { readonly name: string; readonly call: (n: number) => Call }[] = [
  { name: 'reads', call: (n) => mixed(n) },
  // What is really different about requests is how long they take; the pods share twenty connections, or have one each.
  { name: 'reads, one in ten waits 50 ms', call: (n) => (n % 10 === 0 ? waiting : mixed(n)) },
];
const waiting: Call = { method: 'POST', path: '/rpc/wait', body: '{}' };

function mixed(n: number): Call {
  const endpoint = reads[n % reads.length];
  if (endpoint === undefined) throw new Error('there are no reads');
  return endpoint.postgrest(n);
}

/**
 * Twenty pods on twenty connections of the database, shared and not. An nginx in front of either half hands the requests
 * out in turn, as ingress-nginx does: a client's connection is not a pod's.
 */
export async function runCapped(
  scratch: string,
  programs: Programs,
  database: Database,
  options: { readonly rounds: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<CappedResult[]> {
  const pooled = benchSpec({
    pooler: { poolSize: 20, maxServerConnections: 20, replicas: 1 },
    config: { 'db-pool': '10' },
  });
  const direct = benchSpec({ config: { 'db-pool': '1' } });
  const pooler = await startPooler(scratch, programs, pooled, database.authenticator);
  const halves = {
    pooled: await router(
      scratch,
      programs,
      await startPostgrest(scratch, programs, pooled, pooler, podCount),
    ),
    direct: await router(
      scratch,
      programs,
      await startPostgrest(scratch, programs, direct, { uri: database.authenticator }, podCount),
    ),
  };
  const results = workloads.map(({ name }) => ({
    workload: name,
    pooled: new Array<Figures>(),
    direct: new Array<Figures>(),
  }));
  for (let round = 0; round < options.rounds; round += 1)
    for (const [n, { call }] of workloads.entries())
      for (const half of shuffled(['pooled', 'direct'] as const)) {
        options.signal.throwIfAborted();
        const calls = Array.from({ length: 1000 }, (_, at) => call(at));
        const load = { connections, warmSeconds, seconds: options.seconds };
        results[n]?.[half].push(await runWrk(scratch, calls, [halves[half]], load));
      }
  return results;
}

/** Starts an nginx in front of the pods; gives its port. */
async function router(scratch: string, { nginx }: Programs, pods: readonly Pod[]): Promise<number> {
  const [port = 0] = await freePorts(1);
  const file = join(scratch, `router-${String(port)}.conf`);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${scratch}/${name}-${String(port)};`,
  );
  writeFileSync(
    file,
    `pid ${scratch}/router-${String(port)}.pid;
error_log stderr error;
events { worker_connections 4096; }
http {
  ${paths.join(' ')}
  access_log off;
  keepalive_requests 1000000;
  upstream pods { ${pods.map((pod) => `server 127.0.0.1:${String(pod.port)};`).join(' ')} keepalive 320; }
  server {
    listen 127.0.0.1:${String(port)};
    location / { proxy_pass http://pods; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  await nginx.start(file, port);
  return port;
}
