import pg from 'pg';

/**
 * Runs a COPY ... FROM STDIN with these data. They are neither part of a statement nor a parameter: no setting of the
 * server shows them in its log, nor do pg_stat_activity, pg_stat_statements and auto_explain.
 */
export async function copyIn(client: pg.Client, sql: string, data: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    // pg knows the messages of COPY, but leaves it to others to send the data.
    client.query(
      Object.assign(
        new pg.Query(sql, [], (error: Error | null | undefined) => {
          if (error) reject(error);
          else resolve();
        }),
        {
          handleCopyInResponse: (connection: CopyConnection) => {
            connection.sendCopyFromChunk(data);
            connection.endCopyFrom();
          },
        },
      ),
    );
  });
}

/** The part of pg's Connection that its types leave out. */
interface CopyConnection {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
}
