import { createServer, type Socket } from 'node:net';
import { names, revisionOf } from '../../operator/resources/names.ts';
import { adminPort } from '../../operator/resources/ports.ts';
import { readCanary } from '../../operator/resources/readIngress.ts';
import type { Informer } from '../../operator/runtime/informer.ts';
import { keyOfHost } from './objects.ts';

/** The address of every pod: a loopback address of this machine. The operator tells pods apart by their uid. */
export const podIp = '127.90.90.90';

/** What the ingress controller goes by. */
export interface Routes {
  readonly services: Informer;
  readonly ingresses: Informer;
}

/**
 * Answers in the gates' stead: every pod holds its release, and the ingress sends requests where Ingresses and Services
 * say, at once. Bare sockets, because whatever this process takes of the machine the operator does not have.
 */
export async function startDataPlane(
  routes: Routes,
  ingress: { readonly ip: string; readonly port: number },
): Promise<void> {
  const gate = answer('200 OK', 'X-Pgrst-Loaded: true\r\n');
  await listen(podIp, adminPort, () => gate);
  await listen(ingress.ip, ingress.port, (request) => {
    const revision = revisionFor(request, routes);
    if (revision === undefined) return answer('404 Not Found', '');
    return answer('204 No Content', `X-Pgrst-Revision: ${String(revision)}\r\n`);
  });
}

function answer(status: string, headers: string): string {
  const length = status.startsWith('204') ? '' : 'Content-Length: 0\r\n';
  return `HTTP/1.1 ${status}\r\n${headers}${length}Connection: close\r\n\r\n`;
}

/** One request for each connection, which is how the operator asks. */
function listen(ip: string, port: number, respond: (request: string) => string): Promise<void> {
  const serve = (socket: Socket): void => {
    let request = '';
    socket.setEncoding('latin1');
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: string) => {
      request += chunk;
      if (request.includes('\r\n\r\n')) socket.end(respond(request));
    });
  };
  return new Promise((resolve, reject) => {
    const server = createServer(serve);
    server.once('error', reject);
    server.listen({ host: ip, port, backlog: 4096 }, resolve);
  });
}

function revisionFor(request: string, { services, ingresses }: Routes): number | undefined {
  const key = keyOfHost(headerOf(request, 'host'));
  if (key === undefined || ingresses.get(`${key.namespace}/${names(key.name).ingress}`) === undefined)
    return undefined;
  const service = services.get(`${key.namespace}/${names(key.name).stableService}`);
  const selector = (service as { spec?: { selector?: Record<string, string> } } | undefined)?.spec?.selector;
  const main = revisionOf(selector);
  const object = ingresses.get(`${key.namespace}/${names(key.name).canaryIngress}`);
  const canary = object && readCanary(key.name, object);
  if (canary === undefined) return main;
  const cookie = /^pgrst-[0-9a-f]+=(always|never)$/.exec(headerOf(request, 'cookie'))?.[1];
  const isCanary = cookie === undefined ? Math.random() * 100 < canary.weight : cookie === 'always';
  return isCanary ? canary.revision : main;
}

function headerOf(request: string, name: string): string {
  return new RegExp(`\r\n${name}: ([^\r]*)\r\n`, 'i').exec(request)?.[1] ?? '';
}
