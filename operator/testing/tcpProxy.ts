import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** A PostgreSQL server seen through a proxy. */
export interface TcpProxy {
  /** The server's URI by way of the proxy, in plain text. */
  readonly uri: string;
  /** Both ends of every connection through it. */
  readonly sockets: ReadonlySet<Socket>;
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the server of `uri`. `serve` passes on what comes, or destroys `client`: then the server
 * hears nothing of the connection. Where one end closes, the other does too.
 */
export async function startTcpProxy(
  uri: string,
  serve: (client: Socket, upstream: Socket) => void,
): Promise<TcpProxy> {
  const target = new URL(uri);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = new Socket();
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Messages go on one by one: waiting for each other's acknowledgement would take 40 ms each time.
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroySoon();
        upstream.destroySoon();
      });
    }
    serve(client, upstream);
    if (!client.destroyed) upstream.connect(Number(target.port), target.hostname);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxied = new URL(uri);
  proxied.hostname = '127.0.0.1';
  proxied.port = String((server.address() as AddressInfo).port);
  proxied.searchParams.set('sslmode', 'disable');
  return {
    uri: proxied.href,
    sockets,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/**
 * The whole messages of a stream, chunk by chunk. The client's first one alone, the startup message, has no type byte
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */
export function createMessageReader(hasStartup: boolean): (chunk: Buffer) => readonly Buffer[] {
  let pending = Buffer.alloc(0);
  let header = hasStartup ? 0 : 1;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      if (pending.length < header + 4) return messages;
      const length = header + pending.readUInt32BE(header);
      if (pending.length < length) return messages;
      messages.push(Buffer.from(pending.subarray(0, length)));
      pending = pending.subarray(length);
      header = 1;
    }
  };
}
