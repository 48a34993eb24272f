import { join } from 'node:path';
import { cached, cacheRoot, fingerprint } from '../lib/cache.ts';
import { stat } from 'node:fs/promises';
import { writeLayer } from './archive.ts';

/** The Node program as a layer of its own: it changes with Node's version, the operator's bundle with every edit. */
export async function nodeLayer(node: string, version: string): Promise<string> {
  const { size } = await stat(node);
  const key = fingerprint(version, String(size), process.arch);
  return cached(join(cacheRoot(), 'images', 'layers', `node-program-${version}-${key}.tar`), (temporary) =>
    writeLayer(temporary, [
      { path: 'usr/local/bin/', folder: true },
      { path: 'usr/local/bin/node', mode: 0o755, fromFile: node },
    ]),
  );
}
