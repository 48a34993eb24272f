import { createServer, Socket, type AddressInfo } from 'node:net';
import { once } from 'node:events';

/** What to do with one query of the client. */
export type ProxyVerdict =
  | 'pass'
  /** The query never reaches the server; the client's connection is cut. */
  | 'cutBefore'
  /** The query reaches the server; its answer never reaches the client, whose connection is cut. */
  | 'cutAfter';

/** Whether a query is the watcher's (database/watcher.ts): when it comes is a matter of time, and losing it harms nothing. */
export function isWatchersQuery(sql: string): boolean {
  return /pg_blocking_pids|from pg_catalog\.pg_stat_progress_create_index where pid/.test(sql);
}

/** A PostgreSQL server seen through a proxy that can lose the connection at any query. */
export interface PgProxy {
  /** The server's URI by way of the proxy. */
  readonly uri: string;
  close(): Promise<void>;
}

/**
 * Starts a proxy in front of the server of `uri`. `onQuery` is asked for each query of the client, in order: `sql` is its
 * text. Plain text only. A cut is what the client's death is to the server: its socket closes.
 */
export async function startPgProxy(uri: string, onQuery: (sql: string) => ProxyVerdict): Promise<PgProxy> {
  const target = new URL(uri);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = new Socket();
    upstream.connect(Number(target.port), target.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // Messages go on one by one: waiting for each other's acknowledgement would take 40 ms each time.
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroySoon();
      });
    }
    upstream.pipe(client);
    const messages = createMessageReader();
    client.on('data', (chunk: Buffer) => {
      for (const message of messages(chunk)) {
        const verdict = message.sql === undefined ? 'pass' : onQuery(message.sql);
        if (verdict !== 'cutBefore') upstream.write(message.bytes);
        if (verdict === 'pass') continue;
        client.destroy();
        return;
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxied = new URL(uri);
  proxied.hostname = '127.0.0.1';
  proxied.port = String((server.address() as AddressInfo).port);
  proxied.searchParams.set('sslmode', 'disable');
  return {
    uri: proxied.href,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Message {
  readonly bytes: Buffer;
  /** Of Query and Parse messages. */
  readonly sql?: string;
}

// https://www.postgresql.org/docs/current/protocol-message-formats.html: the startup message alone has no type byte.
function createMessageReader(): (chunk: Buffer) => readonly Message[] {
  let pending = Buffer.alloc(0);
  let hasStarted = false;
  return (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    const messages: Message[] = [];
    for (;;) {
      const header = hasStarted ? 1 : 0;
      if (pending.length < header + 4) return messages;
      const length = header + pending.readUInt32BE(header);
      if (pending.length < length) return messages;
      const bytes = Buffer.from(pending.subarray(0, length));
      pending = pending.subarray(length);
      messages.push(hasStarted ? { bytes, ...sqlOf(bytes) } : { bytes });
      hasStarted = true;
    }
  };
}

function sqlOf(bytes: Buffer): { sql?: string } {
  const type = String.fromCharCode(bytes[0] ?? 0);
  const text = bytes.subarray(5).toString();
  if (type === 'Q') return { sql: text.split('\0')[0] ?? '' };
  // Parse: name of the statement, then the query.
  return type === 'P' ? { sql: text.split('\0')[1] ?? '' } : {};
}
