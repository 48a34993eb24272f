import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Cluster } from '../../hack/cluster/types.ts';
import type { Kubectl } from '../../hack/kube/kubectl.ts';
import { createAuthority, issue } from '../../hack/lib/pki.ts';

/** A way to the ingress over TLS. */
export interface TlsWay {
  /** An address of this machine whose connections arrive at the ingress over TLS. */
  readonly url: string;
  /** The certificate that the ingress shows for a host. */
  certificate(host: string): Promise<PeerCertificate>;
  stop(): void;
}

/** A certificate of a name and its private key, both PEM, by an authority that nobody knows. */
export async function selfMade(name: string): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-tls-'));
  try {
    const authority = await createAuthority(folder, 'ca');
    const subject = { file: 'host', commonName: name, names: [`DNS:${name}`] };
    const { cert, key } = await issue(folder, authority, subject);
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Opens a way to the ingress's HTTPS port on the node, as stunnel would: the load client speaks plain HTTP to this
 * machine alone. What it carries is what came, byte for byte; a side that closes closes the other one.
 */
export async function openTlsWay(kubectl: Kubectl, provider: Cluster['provider']): Promise<TlsWay> {
  const of = ['get', 'service', 'ingress-nginx-controller', '-n', 'ingress-nginx', '-o'];
  const port = Number(await kubectl([...of, 'jsonpath={.spec.ports[?(@.name=="https")].nodePort}']));
  const internal = 'jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}';
  // The provider `host` opens node ports on the loopback address alone.
  const ip = provider === 'host' ? '127.0.0.1' : await kubectl(['get', 'nodes', '-o', internal]);
  // Without a name the ingress shows a certificate of its own; the Host header of each request leads on.
  const dial = (servername = ''): TLSSocket =>
    connect({ host: ip, port, servername, rejectUnauthorized: false });
  const server = createServer((client) => {
    const ingress = dial();
    client.on('error', () => ingress.destroy());
    ingress.on('error', () => client.destroy());
    client.pipe(ingress).pipe(client);
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => {
    resolve(undefined);
  });
  await promise;
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    certificate: (host) =>
      new Promise((found, failed) => {
        const socket = dial(host);
        socket.on('error', failed);
        socket.on('secureConnect', () => {
          found(socket.getPeerCertificate());
          socket.destroy();
        });
      }),
    stop: () => {
      server.close();
    },
  };
}
