import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../lib/exec.ts';

/** A program out of an image's layer, as a process of this machine. */
export interface LayerProgram {
  /** Folder of the unpacked layer. */
  readonly root: string;
  readonly command: string;
  /** What comes before the program's own arguments. */
  readonly args: readonly string[];
}

/**
 * Unpacks a layer of Debian packages into a new folder. The program uses the libraries in there, never those of the
 * host, whatever its release. `program`: its path in the image, such as usr/sbin/nginx.
 */
export async function unpackProgram(layer: string, root: string, program: string): Promise<LayerProgram> {
  mkdirSync(root);
  // Device files need root and nobody opens them.
  await run('tar', ['-xf', layer, '-C', root, '--exclude=./dev/*']);
  const triplet = readdirSync(join(root, 'usr/lib')).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const libraries = join(root, 'usr/lib', triplet);
  const loader = readdirSync(libraries).find((name) => name.startsWith('ld-linux')) ?? '';
  return {
    root,
    command: join(libraries, loader),
    args: ['--library-path', libraries, join(root, program)],
  };
}
