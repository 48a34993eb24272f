import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

/** The folder that everything these scripts keep lives in. */
export function cacheRoot(): string {
  const base = process.env.XDG_CACHE_HOME;
  return join(base === undefined || base === '' ? join(homedir(), '.cache') : base, 'postgrest-operator');
}

/** A short fingerprint of texts and bytes, each delimited from the next. */
export function fingerprint(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${String(part.length)}:`);
    hash.update(part);
  }
  return hash.digest('hex').slice(0, 12);
}

/** A fingerprint of files: their names and contents. */
export function fingerprintFiles(paths: readonly string[]): string {
  return fingerprint(...paths.flatMap((path) => [basename(path), readFileSync(path)]));
}

/** The sha256 of a file, read in pieces. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** Removes what builds left that were killed in the middle: their names end with the pid of a process that is gone. */
function removeLeftovers(folder: string, prefix: string): void {
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(prefix))) {
    const pid = /\.(\d+)\.part/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(folder, name), { recursive: true, force: true });
  }
}

/**
 * Returns the path of a cached file or folder and builds it first when it is not there. `build` writes to the path that
 * it is given, which becomes the real one only at the end: an interrupted build is never taken for a finished one.
 */
export async function cached(path: string, build: (temporary: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const prefix = `.${basename(path)}.`;
  removeLeftovers(dirname(path), prefix);
  const temporary = join(dirname(path), `${prefix}${process.pid}.part`);
  try {
    await build(temporary);
    // Somebody else may have built the same thing meanwhile: theirs is as good.
    if (!existsSync(path)) renameSync(temporary, path);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return path;
}
