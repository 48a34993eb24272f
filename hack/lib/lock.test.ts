import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withLock } from './lock.ts';
import { silent } from './log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-lock-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('lets one in at a time and leaves nothing behind', async () => {
  let inside = 0;
  const work = async (): Promise<void> => {
    inside += 1;
    expect(inside).toBe(1);
    await sleep(20);
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withLock(join(folder, 'lock'), silent, work)));
  expect(readdirSync(folder)).toEqual([]);
});

it('takes over a lock whose holder is gone', async () => {
  writeFileSync(join(folder, 'lock'), JSON.stringify({ pid: process.pid, startTicks: '1', boot: '' }));
  expect(await withLock(join(folder, 'lock'), silent, () => Promise.resolve('in'))).toBe('in');
});

it('opens again after work that failed', async () => {
  await expect(withLock(join(folder, 'lock'), silent, () => Promise.reject(new Error('no')))).rejects.toThrow(
    'no',
  );
  expect(await withLock(join(folder, 'lock'), silent, () => Promise.resolve('in'))).toBe('in');
});
