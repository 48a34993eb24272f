import type pg from 'pg';

/** How a message of statements ended. */
export type MessageResult =
  | { readonly kind: 'done' }
  /** `completed` of its statements went through before `error`, which a later one or the connection gave. */
  | { readonly kind: 'failed'; readonly completed: number; readonly error: unknown };

/**
 * Sends a text as one Query message and counts the statements that complete; forgets the rows that come. pg's own Query
 * would keep them, and does not say how far a message came that failed. Never rejects.
 */
export async function simpleQuery(client: pg.Client, text: string): Promise<MessageResult> {
  return await new Promise((resolve) => {
    let completed = 0;
    let error: unknown;
    const query = {
      text,
      submit: (connection: pg.Connection) => {
        connection.query(text);
      },
      handleCommandComplete: () => {
        completed += 1;
      },
      handleError: (thrown: unknown) => {
        error = thrown;
        resolve({ kind: 'failed', completed, error });
      },
      handleReadyForQuery: () => {
        if (error === undefined) resolve({ kind: 'done' });
      },
      handleRowDescription: () => undefined,
      handleDataRow: () => undefined,
      handleEmptyQuery: () => undefined,
      handleCopyInResponse: (connection: CopyConnection) => {
        connection.sendCopyFail('No data');
      },
      handleCopyData: () => undefined,
    };
    client.query(query);
  });
}

/** The part of pg's Connection that its types leave out. */
interface CopyConnection {
  sendCopyFail(message: string): void;
}
