import { join } from 'node:path';

/** The root folder of the repository. */
export const root = join(import.meta.dirname, '..', '..');

/** The script of a command that an npm package brings; run it with this very Node (`process.execPath`). */
export function bin(name: string): string {
  return join(root, 'node_modules', '.bin', name);
}
