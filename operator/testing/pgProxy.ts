import { createMessageReader, startTcpProxy, type TcpProxy } from './tcpProxy.ts';

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

/**
 * Starts a proxy in front of the server of `uri`. `onQuery` is asked for each query of the client, in order: `sql` is its
 * text. Plain text only. A cut is what the client's death is to the server: its socket closes.
 */
export async function startPgProxy(uri: string, onQuery: (sql: string) => ProxyVerdict): Promise<TcpProxy> {
  return await startTcpProxy(uri, (client, upstream) => {
    upstream.pipe(client);
    const messages = createMessageReader(true);
    let hasStarted = false;
    client.on('data', (chunk: Buffer) => {
      for (const message of messages(chunk)) {
        const sql = hasStarted ? sqlOf(message) : undefined;
        hasStarted = true;
        const verdict = sql === undefined ? 'pass' : onQuery(sql);
        if (verdict !== 'cutBefore') upstream.write(message);
        if (verdict === 'pass') continue;
        client.destroy();
        return;
      }
    });
  });
}

/** Of Query and Parse messages. */
function sqlOf(message: Buffer): string | undefined {
  const type = String.fromCharCode(message[0] ?? 0);
  const text = message.subarray(5).toString();
  if (type === 'Q') return text.split('\0')[0] ?? '';
  // Parse: name of the statement, then the query.
  return type === 'P' ? (text.split('\0')[1] ?? '') : undefined;
}
