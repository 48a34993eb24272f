import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeLayer } from './archive.ts';
import type { Entry } from './tar.ts';
import { tarHeader } from './tar.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-tar-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const deep = `${'folder/'.repeat(20)}file`;
const entries: Entry[] = [
  { path: 'tmp/', folder: true, mode: 0o1777 },
  { path: 'bin/run', content: '#!/bin/sh\n', mode: 0o755 },
  { path: 'copy', fromFile: import.meta.filename },
  { path: 'link', linkTo: 'bin/run' },
  { path: deep, content: 'deep', uid: 70, gid: 70 },
];

it('is read by tar, with modes, links, owners and long names', async () => {
  const archive = join(folder, 'a.tar');
  await writeLayer(archive, entries);
  execFileSync('tar', ['-xpf', archive, '-C', folder, '--numeric-owner', '--no-same-owner']);
  expect(statSync(join(folder, 'tmp')).mode & 0o7777).toBe(0o1777);
  expect(statSync(join(folder, 'bin/run')).mode & 0o777).toBe(0o755);
  expect(readFileSync(join(folder, 'copy'))).toEqual(readFileSync(import.meta.filename));
  expect(readlinkSync(join(folder, 'link'))).toBe('bin/run');
  expect(readFileSync(join(folder, deep), 'utf8')).toBe('deep');
  expect(execFileSync('tar', ['-tvf', archive, '--numeric-owner'], { encoding: 'utf8' })).toContain('70/70');
});

it('is the same bytes for the same input', async () => {
  await writeLayer(join(folder, 'a.tar'), entries);
  await writeLayer(join(folder, 'b.tar'), entries);
  expect(readFileSync(join(folder, 'a.tar')).equals(readFileSync(join(folder, 'b.tar')))).toBe(true);
});

it('refuses a name that does not fit rather than cutting it', () => {
  expect(() => tarHeader({ path: 'x'.repeat(101), content: '' }, 0)).toThrow(/too long/);
  expect(() => tarHeader({ path: 'link', linkTo: 'x'.repeat(101) }, 0)).toThrow(/too long/);
});
