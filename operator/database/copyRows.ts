const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const flagsAndExtension = Buffer.alloc(8);
const trailer = int16(-1);

/**
 * Rows of text as the data of COPY ... FROM STDIN (FORMAT binary)
 * (https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"). Of binary data PostgreSQL shows nothing in
 * the context of an error, of text it shows the row.
 */
export function copyRows(rows: readonly (readonly string[])[]): Buffer {
  return Buffer.concat([signature, flagsAndExtension, ...rows.flatMap(tuple), trailer]);
}

function tuple(fields: readonly string[]): readonly Buffer[] {
  return [
    int16(fields.length),
    ...fields.flatMap((field) => {
      const bytes = Buffer.from(field);
      const length = Buffer.alloc(4);
      length.writeInt32BE(bytes.length);
      return [length, bytes];
    }),
  ];
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}
