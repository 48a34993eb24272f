import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identify, isAlive, parseIdentity, stopDaemon } from './daemon.ts';

/**
 * Creates a temporary folder for daemons of this process, with their pid files under `run/`. Folders of the same prefix
 * whose owner died without cleaning up are removed first, along with the daemons in them.
 */
export async function scratchFolder(prefix: string): Promise<string> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(prefix))) {
    const folder = join(tmpdir(), name);
    if (abandoned(folder)) await removeScratch(folder);
  }
  const folder = mkdtempSync(join(tmpdir(), prefix));
  mkdirSync(join(folder, 'run'));
  writeFileSync(join(folder, 'owner.json'), JSON.stringify(identify(process.pid)));
  return folder;
}

/** Ends the daemons of a scratch folder without ceremony, the last started first, and deletes it. */
export async function removeScratch(folder: string): Promise<void> {
  for (const file of list(join(folder, 'run')))
    await stopDaemon(join(folder, 'run', file), { signal: 'SIGKILL' });
  rmSync(folder, { recursive: true, force: true });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.pid'));
  } catch {
    return [];
  }
}

function abandoned(folder: string): boolean {
  try {
    const owner = parseIdentity(readFileSync(join(folder, 'owner.json'), 'utf8'));
    return owner !== undefined && !isAlive(owner);
  } catch {
    // Just being created, or somebody else's.
    return false;
  }
}
