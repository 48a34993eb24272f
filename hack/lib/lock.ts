import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { identify, isAlive, parseIdentity } from './daemon.ts';
import type { Log } from './log.ts';

/**
 * Runs work while holding a lock file, so that two commands do not build or change the same thing at once. A lock whose
 * holder is gone is taken over.
 */
export async function withLock<T>(path: string, log: Log, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  const own = `${path}.${randomUUID()}`;
  writeFileSync(own, JSON.stringify(identify(process.pid)));
  let told = false;
  try {
    while (!take(own, path)) {
      const holder = read(path);
      if (holder === undefined || !isAlive(holder)) {
        breakLock(path, `${own}.broken`);
      } else if (!told) {
        log.say(`Waiting for process ${holder.pid}, which holds ${path}`);
        told = true;
      }
      await sleep(100);
    }
  } finally {
    rmSync(own, { force: true });
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** A link appears with its content or not at all, and only where nothing is yet. */
function take(own: string, path: string): boolean {
  try {
    linkSync(own, path);
    return true;
  } catch {
    return false;
  }
}

/** Removes the lock of a dead holder, but not the one that somebody quicker has taken since. */
function breakLock(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    const holder = read(aside);
    if (holder !== undefined && isAlive(holder)) linkSync(aside, path);
  } catch {
    // Somebody else was here first.
  } finally {
    rmSync(aside, { force: true });
  }
}

function read(path: string): ReturnType<typeof parseIdentity> {
  try {
    return parseIdentity(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
