import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';

/** How many protocol messages have passed: those of the client alone, and those of both sides. */
export interface Passed {
  readonly client: number;
  readonly both: number;
}

/** Where one run ends: at the n-th protocol message. */
export interface Cut {
  /** Which messages are counted. */
  readonly among: keyof Passed;
  /** Counted from 1, in the order in which the proxy sees them. */
  readonly message: number;
  /** Whether that message still reaches the server. What the server sends is lost in either case. */
  readonly isDelivered: boolean;
}

/** A PostgreSQL server seen through a proxy that loses everything from one protocol message on. */
export interface CutProxy {
  /** The server's URI by way of the proxy. */
  readonly uri: string;
  /** What has passed up to now. */
  readonly passed: () => Passed;
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the server of `uri`, in plain text. At the cut `onCut` is called, and every connection
 * through it closes, also later ones: that is what the client's death is to the server.
 */
export async function startCutProxy(
  uri: string,
  cut: Cut | undefined,
  onCut: () => void = () => undefined,
): Promise<CutProxy> {
  const target = new URL(uri);
  const sockets = new Set<Socket>();
  const passed = { client: 0, both: 0 };
  const counted = cut?.among ?? 'both';
  let isCut = false;
  const end = (): void => {
    isCut = true;
    onCut();
    for (const socket of sockets) socket.destroySoon();
  };
  /** Passes a chunk on message by message, as far as the cut lets it. */
  const passer = (to: Socket, hasStartup: boolean): ((chunk: Buffer) => void) => {
    const messages = createMessageReader(hasStartup);
    return (chunk) => {
      for (const message of messages(chunk)) {
        if (isCut) return;
        passed.both += 1;
        if (hasStartup) passed.client += 1;
        const isHere = passed[counted] === cut?.message;
        if (!isHere || (cut.isDelivered && hasStartup)) to.write(message);
        if (isHere) end();
      }
    };
  };
  const server = createServer((client) => {
    const upstream = new Socket();
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Message by message, each would wait for the acknowledgement of the one before it.
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroySoon();
        upstream.destroySoon();
      });
    }
    if (isCut) {
      client.destroy();
      return;
    }
    upstream.connect(Number(target.port), target.hostname);
    client.on('data', passer(upstream, true));
    upstream.on('data', passer(client, false));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxied = new URL(uri);
  proxied.hostname = '127.0.0.1';
  proxied.port = String((server.address() as AddressInfo).port);
  proxied.searchParams.set('sslmode', 'disable');
  return {
    uri: proxied.href,
    passed: () => passed,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** The whole messages of a stream. The client's first one alone has no type byte. */
function createMessageReader(hasStartup: boolean): (chunk: Buffer) => readonly Buffer[] {
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
