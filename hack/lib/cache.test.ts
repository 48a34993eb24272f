import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cached, fingerprint } from './cache.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-cache-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('builds once', async () => {
  let builds = 0;
  const build = (path: string): Promise<void> => {
    builds += 1;
    writeFileSync(path, 'built');
    return Promise.resolve();
  };
  const path = join(folder, 'thing');
  await cached(path, build);
  expect(readFileSync(await cached(path, build), 'utf8')).toBe('built');
  expect(builds).toBe(1);
});

it('does not take a failed build for a finished one, and leaves nothing of it', async () => {
  const failing = cached(join(folder, 'thing'), (path) => {
    mkdirSync(path);
    return Promise.reject(new Error('interrupted'));
  });
  await expect(failing).rejects.toThrow('interrupted');
  expect(readdirSync(folder)).toEqual([]);
});

it('removes what a killed build left, but not what another process builds right now', async () => {
  // No process has a pid this high.
  writeFileSync(join(folder, '.thing.99999999.part'), '');
  writeFileSync(join(folder, `.thing.${process.ppid}.part`), '');
  await cached(join(folder, 'thing'), (path) => {
    writeFileSync(path, '');
    return Promise.resolve();
  });
  expect(existsSync(join(folder, '.thing.99999999.part'))).toBe(false);
  expect(existsSync(join(folder, `.thing.${process.ppid}.part`))).toBe(true);
});

it('tells apart the same text split in other places', () => {
  expect(fingerprint('ab', 'c')).not.toBe(fingerprint('a', 'bc'));
});
