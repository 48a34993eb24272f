// The gate of a revision as a process of this machine: the nginx out of its image, and a DNS server of the test's own.
import { createSocket, type Socket } from 'node:dgram';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gateConfigMap } from '../../operator/resources/gate.ts';
import { resolverFile } from '../../operator/resources/gateRoutes.ts';
import type { Owner } from '../../operator/resources/names.ts';
import { adminPort, postgrestAdminPort, postgrestPort, publicPort } from '../../operator/resources/ports.ts';
import type { RevisionContent } from '../../operator/resources/revision.ts';
import { requireRunning, startDaemon, type Daemon } from '../lib/daemon.ts';
import { until } from '../lib/wait.ts';
import { unpackProgram } from './layerProgram.ts';

/** Ports on the loopback address. */
export interface GatePorts {
  readonly public: number;
  readonly admin: number;
  /** Where PostgREST listens, and its admin server. */
  readonly postgrest: number;
}

/** An nginx that was unpacked out of the layers of the gate's image. */
export interface Nginx {
  /** Runs it until the scratch folder is removed; resolves when it serves. */
  start(config: string, servesAt: number): Promise<{ readonly logFile: string }>;
}

/** Unpacks the layer into a scratch folder; the host's own libraries are never used, whatever its release. */
export async function unpackNginx(layer: string, scratch: string): Promise<Nginx> {
  const { root, command, args } = await unpackProgram(layer, join(scratch, 'root'), 'usr/sbin/nginx');
  return {
    async start(config, servesAt) {
      const text = readFileSync(config, 'utf8').replaceAll('/usr/lib/nginx/', `${root}/usr/lib/nginx/`);
      writeFileSync(config, text);
      const daemon: Daemon = {
        command,
        // One process, so that whoever ends it leaves no worker behind.
        args: [...args, '-e', 'stderr', '-c', config, '-g', 'daemon off; master_process off;'],
        pidFile: join(scratch, 'run', `nginx-${String(servesAt)}.pid`),
        logFile: join(scratch, `nginx-${String(servesAt)}.log`),
      };
      await startDaemon(daemon);
      await until('nginx', async () => {
        requireRunning([daemon]);
        return (await fetch(`http://127.0.0.1:${String(servesAt)}/ready`)).status;
      });
      return { logFile: daemon.logFile };
    },
  };
}

/**
 * Writes what is in the pod of a revision into a folder: nginx.conf with the folder's paths and these ports, gate.js,
 * and the file that the start script writes. Returns the path of nginx.conf.
 */
export function writeGate(
  folder: string,
  owner: Owner,
  content: RevisionContent,
  ports: GatePorts,
  resolver: string,
): string {
  mkdirSync(folder);
  const { data } = gateConfigMap(owner, 3, content) as { data?: Record<string, string> };
  const conf = (data?.['nginx.conf'] ?? '')
    .replaceAll('/etc/gate/', `${folder}/`)
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll(`127.0.0.1:${String(postgrestPort)}`, `127.0.0.1:${String(ports.postgrest)}`)
    .replaceAll(`127.0.0.1:${String(postgrestAdminPort)}`, `127.0.0.1:${String(ports.postgrest)}`)
    .replace(`listen ${String(publicPort)};`, `listen 127.0.0.1:${String(ports.public)};`)
    .replace(`listen ${String(adminPort)};`, `listen 127.0.0.1:${String(ports.admin)};`);
  writeFileSync(join(folder, 'nginx.conf'), conf);
  writeFileSync(join(folder, 'gate.js'), data?.['gate.js'] ?? '');
  writeFileSync(resolverFile.replace('/tmp/', `${folder}/`), resolver);
  return join(folder, 'nginx.conf');
}

/** A DNS server that knows IPv4 addresses of a few names; it says of every other name that there is none. */
export async function startDns(
  addresses: ReadonlyMap<string, string>,
): Promise<{ readonly port: number; close(): void }> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    socket.send(answerTo(query, addresses), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, close: () => socket.close() };
}

/** The answer to a query with one question (RFC 1035, section 4). */
function answerTo(query: Buffer, addresses: ReadonlyMap<string, string>): Buffer {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += length + 1;
  }
  const question = query.subarray(12, at + 5);
  const found = addresses.get(labels.join('.'));
  const isForIPv4 = query.readUInt16BE(at + 1) === 1;
  const header = Buffer.from(query.subarray(0, 12));
  header.writeUInt16BE(found === undefined ? 0x8183 : 0x8180, 2);
  header.writeUInt16BE(found !== undefined && isForIPv4 ? 1 : 0, 6);
  header.fill(0, 8);
  if (found === undefined || !isForIPv4) return Buffer.concat([header, question]);
  // The name by a pointer to the question, type A, class IN, 1 s, 4 bytes.
  const record = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, ...found.split('.').map(Number)]);
  return Buffer.concat([header, question, record]);
}
