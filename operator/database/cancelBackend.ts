import { Socket } from 'node:net';

/** Which backend, and the key that it told its client for this purpose. */
export interface BackendKey {
  readonly processID: number;
  readonly secretKey: number;
}

const patienceMs = 2000;

/**
 * Asks the server to cancel what the backend runs. Resolves when the server has done so, or has not answered in time;
 * never rejects. Like libpq before version 17 it asks in plain text, which a server takes before it looks at
 * pg_hba.conf; nothing but this one key is in it.
 */
export async function cancelBackend(host: string, port: number, key: BackendKey): Promise<void> {
  const socket = new Socket();
  const request = Buffer.alloc(16);
  // https://www.postgresql.org/docs/current/protocol-message-formats.html#PROTOCOL-MESSAGE-FORMATS-CANCELREQUEST
  request.writeInt32BE(16, 0);
  request.writeInt32BE(80_877_102, 4);
  request.writeInt32BE(key.processID, 8);
  request.writeInt32BE(key.secretKey, 12);
  await new Promise<void>((resolve) => {
    socket.setTimeout(patienceMs, () => socket.destroy());
    socket.on('error', () => undefined);
    // The server closes when the signal is on its way.
    socket.on('close', () => {
      resolve();
    });
    socket.connect(port, host, () => socket.write(request));
    socket.resume();
  });
}
