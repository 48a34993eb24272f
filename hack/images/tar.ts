// A writer of tar archives (POSIX ustar), as small as container layers need it and the same bytes for the same input.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** One entry of an archive. Owner is root and the time is 1970 unless said otherwise. */
export type Entry = {
  path: string;
  mode?: number;
  uid?: number;
  gid?: number;
} & ({ content: string | Uint8Array } | { fromFile: string } | { linkTo: string } | { folder: true });

const blockSize = 512;

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`;
}

/** Splits a long path at a slash into ustar's name (100 bytes) and prefix (155 bytes). */
function splitPath(path: string): { name: string; prefix: string } {
  if (Buffer.byteLength(path) <= 100) return { name: path, prefix: '' };
  for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
    const prefix = path.slice(0, slash);
    const name = path.slice(slash + 1);
    if (name !== '' && Buffer.byteLength(name) <= 100 && Buffer.byteLength(prefix) <= 155)
      return { name, prefix };
  }
  throw new Error(`too long for a tar archive: ${path}`);
}

function typeOf(entry: Entry): { flag: string; mode: number; link: string } {
  if ('folder' in entry) return { flag: '5', mode: entry.mode ?? 0o755, link: '' };
  if ('linkTo' in entry) return { flag: '2', mode: 0o777, link: entry.linkTo };
  return { flag: '0', mode: entry.mode ?? 0o644, link: '' };
}

/** The 512 bytes that precede an entry's content. */
export function tarHeader(entry: Entry, size: number): Buffer {
  const { flag, mode, link } = typeOf(entry);
  const { name, prefix } = splitPath(
    'folder' in entry && !entry.path.endsWith('/') ? `${entry.path}/` : entry.path,
  );
  if (Buffer.byteLength(link) > 100) throw new Error(`link target too long for a tar archive: ${link}`);
  const header = Buffer.alloc(blockSize);
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(entry.uid ?? 0, 8), 108);
  header.write(octal(entry.gid ?? 0, 8), 116);
  header.write(octal(size, 12), 124);
  header.write(octal(0, 12), 136);
  header.write(' '.repeat(8), 148);
  header.write(flag, 156);
  header.write(link, 157);
  header.write('ustar\x0000', 257);
  header.write(prefix, 345);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockSize - (size % blockSize)) % blockSize);
}

/** Writes a tar archive piece by piece; the files it names are read while it goes. */
export async function* tar(entries: readonly Entry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    if ('fromFile' in entry) {
      const { size } = await stat(entry.fromFile);
      yield tarHeader(entry, size);
      for await (const chunk of createReadStream(entry.fromFile)) yield chunk as Buffer;
      yield padding(size);
    } else {
      const content = 'content' in entry ? Buffer.from(entry.content) : Buffer.alloc(0);
      yield tarHeader(entry, content.length);
      yield content;
      yield padding(content.length);
    }
  }
  yield Buffer.alloc(2 * blockSize);
}
