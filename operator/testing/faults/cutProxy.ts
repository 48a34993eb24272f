import type { Socket } from 'node:net';
import { createMessageReader, startTcpProxy } from '../tcpProxy.ts';

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
  const passed = { client: 0, both: 0 };
  const counted = cut?.among ?? 'both';
  let isCut = false;
  const end = (): void => {
    isCut = true;
    onCut();
    for (const socket of proxy.sockets) socket.destroySoon();
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
  const proxy = await startTcpProxy(uri, (client, upstream) => {
    if (isCut) {
      client.destroy();
      return;
    }
    client.on('data', passer(upstream, true));
    upstream.on('data', passer(client, false));
  });
  return { uri: proxy.uri, passed: () => passed, close: proxy.close };
}
