// Vitest global setup of the project `pg`: a throw-away PostgreSQL server for the tests of one run.
import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensurePackages } from '../lib/apt.ts';
import { requireRunning, startDaemon, stopDaemon } from '../lib/daemon.ts';
import type { Daemon } from '../lib/daemon.ts';
import { attempt, hasCommand, run } from '../lib/exec.ts';
import { createLog } from '../lib/log.ts';
import type { Log } from '../lib/log.ts';
import { createAuthority, issue } from '../lib/pki.ts';
import type { KeyPair } from '../lib/pki.ts';
import { freePorts } from '../lib/ports.ts';
import { ensurePgBouncer } from './pgbouncer.ts';
import { removeScratch, scratchFolder } from '../lib/scratch.ts';
import { until } from '../lib/wait.ts';
import { unpackPostgres } from './otherPostgres.ts';

const versionsFolder = '/usr/lib/postgresql';

/** The settings that make a test server fast: it need not survive a crash, its data is thrown away. */
const settings = (port: number, socketFolder: string, tls: KeyPair): string => `
listen_addresses = '127.0.0.1'
port = ${String(port)}
unix_socket_directories = '${socketFolder}'
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
shared_buffers = 128MB
autovacuum_naptime = 1h
password_encryption = 'scram-sha-256'
ssl = on
ssl_cert_file = '${tls.cert}'
ssl_key_file = '${tls.key}'
log_min_messages = warning
`;

/** The newest installed PostgreSQL's folder of server programs. */
function newestServer(): string | undefined {
  if (!existsSync(versionsFolder)) return undefined;
  return readdirSync(versionsFolder)
    .filter((version) => existsSync(join(versionsFolder, version, 'bin', 'initdb')))
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(versionsFolder, version, 'bin'))[0];
}

async function serverPrograms(log: Log): Promise<string> {
  const found = newestServer();
  if (found !== undefined) return found;
  if (!(await hasCommand('apt-get'))) {
    throw new Error(
      `The pg tests need PostgreSQL's server programs under ${versionsFolder} (Debian: postgresql).`,
    );
  }
  await ensurePackages(['postgresql'], log);
  const installed = newestServer();
  if (installed === undefined)
    throw new Error(`The package postgresql brought no initdb under ${versionsFolder}`);
  return installed;
}

/**
 * Tests of an API are written with pgTAP, which comes as a package for each version of PostgreSQL. Returns the folder it
 * is in.
 */
async function ensurePgTap(bin: string, log: Log): Promise<string> {
  const version = bin.split('/').at(-2) ?? '';
  const extensions = `/usr/share/postgresql/${version}/extension`;
  if (!existsSync(join(extensions, 'pgtap.control')))
    await ensurePackages([`postgresql-${version}-pgtap`], log);
  return extensions;
}

/** A certificate for the server, of an authority of its own. */
async function createCertificates(
  folder: string,
  user: ServerUser,
): Promise<{ authority: KeyPair; server: KeyPair }> {
  const authority = await createAuthority(folder, 'ca');
  const server = await issue(folder, authority, {
    file: 'server',
    commonName: 'postgres',
    names: ['DNS:localhost', 'IP:127.0.0.1'],
  });
  if (user.uid !== undefined && user.gid !== undefined)
    for (const path of [folder, server.cert, server.key]) chownSync(path, user.uid, user.gid);
  return { authority, server };
}

interface ServerUser {
  uid?: number;
  gid?: number;
}

/** Whom the server runs as: itself refuses root, so root hands it to Debian's user postgres. */
async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return {};
  const number = async (flag: string): Promise<number> => Number(await run('id', [flag, 'postgres']));
  return { uid: await number('-u'), gid: await number('-g') };
}

/**
 * Starts the server and returns what stops it again: Debian's newest, or that of the major version PGRST_TEST_PG_VERSION.
 * Sets PGRST_TEST_PG_URL (its superuser), PGRST_TEST_PG_BIN (the folder of Debian's programs, psql among them),
 * PGRST_TEST_PG_CA (the certificate that its TLS certificate, for localhost and 127.0.0.1, is signed with),
 * PGRST_TEST_PG_LOG (its log) and PGRST_TEST_PGBOUNCER (the program PgBouncer). It takes connections without TLS as well.
 */
export default async function startPostgres(): Promise<() => Promise<void>> {
  const log = createLog();
  const bin = await serverPrograms(log);
  const extensions = await ensurePgTap(bin, log);
  if (!(await hasCommand('openssl'))) await ensurePackages(['openssl'], log);
  const user = await serverUser();
  const folder = await scratchFolder('pgrst-test-pg-');
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  const pidFile = join(folder, 'run', 'postgres.pid');
  const logFile = join(folder, 'postgres.log');

  const stop = async (): Promise<void> => {
    // PostgreSQL's fast shutdown, which does not wait for clients to leave; a SIGKILL would strand its children.
    await stopDaemon(pidFile, { signal: 'SIGINT' });
    await removeScratch(folder);
  };

  try {
    const { PGRST_TEST_PG_VERSION: major } = process.env;
    const programs =
      major === undefined ? bin : await unpackPostgres(major, join(folder, 'server'), extensions, log);
    const password = randomBytes(12).toString('hex');
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, password);
    const data = join(folder, 'data');
    const args = ['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordFile}`];
    const [certificates] = await Promise.all([
      createCertificates(join(folder, 'tls'), user),
      run(join(programs, 'initdb'), [...args, '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'], {
        ...user,
        cwd: folder,
      }),
    ]);
    const [port = 0] = await freePorts(1);
    writeFileSync(join(folder, 'settings.conf'), settings(port, folder, certificates.server));
    await run('sh', ['-c', `cat ../settings.conf >> postgresql.conf`], { cwd: data });
    const server: Daemon = {
      command: join(programs, 'postgres'),
      args: ['-D', data],
      pidFile,
      logFile,
      cwd: folder,
      ...user,
    };
    await startDaemon(server);
    await until(
      'PostgreSQL for the tests accepts connections',
      async () => {
        requireRunning([server]);
        const ready = await attempt(join(bin, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]);
        return ready.code === 0 ? true : undefined;
      },
      { timeoutMs: 30_000, everyMs: 50 },
    );
    process.env.PGRST_TEST_PG_URL = `postgres://postgres:${password}@127.0.0.1:${String(port)}/postgres`;
    process.env.PGRST_TEST_PG_BIN = bin;
    process.env.PGRST_TEST_PG_CA = certificates.authority.cert;
    process.env.PGRST_TEST_PG_LOG = logFile;
    process.env.PGRST_TEST_PGBOUNCER = await ensurePgBouncer(log);
    return stop;
  } catch (error) {
    await stop();
    throw error;
  }
}
