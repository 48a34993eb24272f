import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { writeGate } from '../../hack/images/gateProcess.ts';
import { requireRunning, startDaemon, type Daemon } from '../../hack/lib/daemon.ts';
import { freePorts } from '../../hack/lib/ports.ts';
import { until } from '../../hack/lib/wait.ts';
import { apiInstanceSpec, type ApiInstanceSpec } from '../../operator/api/v1alpha1/apiInstance.ts';
import { readDatabaseUri } from '../../operator/api/v1alpha1/databaseUri.ts';
import { sentinelFunction } from '../../operator/resources/gate.ts';
import { names, type Owner } from '../../operator/resources/names.ts';
import { podTemplate } from '../../operator/resources/podTemplate.ts';
import { makeCredentials } from '../../operator/controllers/apiinstance/makeCredentials.ts';
import { poolerSecret } from '../../operator/resources/pooler/configuration.ts';
import { poolerShare } from '../../operator/resources/pooler/share.ts';
import { poolerPort } from '../../operator/resources/ports.ts';
import { revisionContent, type RevisionContent } from '../../operator/resources/revision.ts';
import { anonymousRole, release } from './database.ts';
import type { Programs } from './programs.ts';
import { answers } from './ready.ts';

/** A PgBouncer as the operator configures it. */
export interface Pooler {
  readonly port: number;
  /** user:password of its clients, as in a URI. */
  readonly userinfo: string;
}

/** The PostgREST of one pod. */
export interface Pod {
  readonly port: number;
  readonly adminPort: number;
}

const owner: Owner = {
  apiVersion: 'pgrst.dev/v1alpha1',
  kind: 'ApiInstance',
  name: 'bench',
  namespace: 'bench',
  uid: '00000000-0000-4000-8000-000000000000',
};
const revision = 3;
// PgBouncer refuses root.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};

/** The spec that a user would write for this API, with all defaults. */
export function benchSpec(more: {
  readonly config?: Readonly<Record<string, string>>;
  readonly pooler?: Readonly<Record<string, number>>;
}): ApiInstanceSpec {
  return apiInstanceSpec.parse({
    schemaRef: { name: 'bench' },
    database: { uriSecretRef: { name: 'bench', key: 'uri' } },
    postgrest: { config: { 'db-anon-role': anonymousRole, ...more.config } },
    expose: { host: 'bench.example.test' },
    ...(more.pooler && { pooler: more.pooler }),
  });
}

function contentOf(spec: ApiInstanceSpec): RevisionContent {
  const images = { postgrest: 'postgrest', gate: 'gate', pgbouncer: 'pgbouncer' };
  return revisionContent({ spec, exposedSchema: 'api', release, images });
}

/** Starts PgBouncer with the configuration and the users out of the Secret that the operator writes. */
export async function startPooler(
  scratch: string,
  { pgbouncer }: Programs,
  spec: ApiInstanceSpec,
  uri: string,
): Promise<Pooler> {
  const target = readDatabaseUri(uri);
  if ('error' in target || spec.pooler === undefined) throw new Error('there is nothing to pool');
  const from = { uri: target, spec: spec.pooler, credentials: await makeCredentials(), processes: 1 };
  const { data = {} } = poolerSecret(owner, from) as { data?: Record<string, string> };
  // What the operator gives it over its console, once there is no other process.
  const { connections, poolSize } = poolerShare(spec.pooler, 1);
  const file = (name: string) => Buffer.from(data[name] ?? '', 'base64').toString();
  const [port = 0] = await freePorts(1);
  const folder = join(scratch, `pgbouncer-${String(port)}`);
  mkdirSync(folder);
  const configuration = file('pgbouncer.ini')
    .replaceAll('/etc/pgbouncer/', `${folder}/`)
    .replace('listen_addr = *', 'listen_addr = 127.0.0.1')
    .replace(/^max_user_connections = .*$/m, `max_user_connections = ${String(connections)}`)
    .replace(/^default_pool_size = .*$/m, `default_pool_size = ${String(poolSize)}`)
    .replace(`listen_port = ${String(poolerPort)}`, `listen_port = ${String(port)}`);
  writeFileSync(join(folder, 'pgbouncer.ini'), configuration);
  writeFileSync(join(folder, 'userlist.txt'), file('userlist.txt'), { mode: 0o600 });
  if (nobody.uid !== undefined)
    for (const path of [folder, join(folder, 'userlist.txt')]) chownSync(path, nobody.uid, nobody.gid);
  const daemon: Daemon = {
    command: pgbouncer.command,
    args: [...pgbouncer.args, join(folder, 'pgbouncer.ini')],
    pidFile: join(scratch, 'run', `pgbouncer-${String(port)}.pid`),
    logFile: join(scratch, `pgbouncer-${String(port)}.log`),
    ...nobody,
  };
  await startDaemon(daemon);
  await until('PgBouncer', async () => {
    requireRunning([daemon]);
    await connects(port);
    return true;
  });
  return { port, userinfo: file('userinfo') };
}

/** Starts so many PostgREST processes with the environment that their pods would have. */
export async function startPostgrest(
  scratch: string,
  { postgrest }: Programs,
  spec: ApiInstanceSpec,
  database: { readonly uri: string } | Pooler,
  count: number,
): Promise<readonly Pod[]> {
  const ports = await freePorts(2 * count);
  const pods = Array.from({ length: count }, (_, n) => ({
    port: ports[2 * n] ?? 0,
    adminPort: ports[2 * n + 1] ?? 0,
  }));
  const daemons = pods.map(({ port, adminPort }): Daemon => ({
    command: postgrest,
    args: [],
    env: {
      ...environment(contentOf(spec)),
      PGRST_DB_URI: uriFor(database),
      PGRST_SERVER_PORT: String(port),
      PGRST_ADMIN_SERVER_PORT: String(adminPort),
    },
    pidFile: join(scratch, 'run', `postgrest-${String(port)}.pid`),
    logFile: join(scratch, `postgrest-${String(port)}.log`),
  }));
  for (const daemon of daemons) await startDaemon(daemon);
  for (const [n, daemon] of daemons.entries())
    await answers(
      daemon,
      `http://127.0.0.1:${String(pods[n]?.port)}/rpc/${sentinelFunction(release.id)}`,
      'OPTIONS',
    );
  return pods;
}

/** Starts a gate in front of each PostgREST, with the configuration out of the revision's ConfigMap; gives the ports. */
export async function startGates(
  scratch: string,
  { nginx }: Programs,
  spec: ApiInstanceSpec,
  pods: readonly Pod[],
): Promise<readonly number[]> {
  return await Promise.all(
    pods.map(async ({ port }) => {
      const [publicPort = 0, admin = 0] = await freePorts(2);
      const folder = join(scratch, `gate-${String(publicPort)}`);
      const ports = { public: publicPort, admin, postgrest: port };
      await nginx.start(writeGate(folder, owner, contentOf(spec), ports, ''), admin);
      return publicPort;
    }),
  );
}

interface EnvVar {
  readonly name: string;
  readonly value?: string;
}

/** PostgREST's environment in the pods of a revision, without what comes from Secrets. */
function environment(content: RevisionContent): Record<string, string> {
  const template = podTemplate(owner.name, revision, content) as {
    readonly spec?: { readonly initContainers?: readonly { readonly env?: readonly EnvVar[] }[] };
  };
  const [container] = template.spec?.initContainers ?? [];
  return Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, value }) =>
      // The kubelet takes $$ for $.
      value === undefined ? [] : [[name, value.replaceAll('$$', '$')]],
    ),
  );
}

function uriFor(database: { readonly uri: string } | Pooler): string {
  if ('uri' in database) return database.uri;
  const content = contentOf(benchSpec({ pooler: {} }));
  const { PGRST_DB_URI: uri = '' } = environment(content);
  return uri
    .replace('$(POOLER_USERINFO)', database.userinfo)
    .replace(`@${names(owner.name).pooler}:${String(poolerPort)}/`, `@127.0.0.1:${String(database.port)}/`);
}

function connects(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.on('error', reject);
    socket.on('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}
