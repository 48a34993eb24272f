import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  identify,
  isAlive,
  parseIdentity,
  parseStat,
  requireRunning,
  running,
  startDaemon,
  stopDaemon,
} from './daemon.ts';
import type { Daemon } from './daemon.ts';
import { until } from './wait.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pgrst-daemon-'));
});
afterEach(async () => {
  await stopDaemon(join(folder, 'one.pid'), { graceMs: 0 });
  rmSync(folder, { recursive: true });
});

const daemon = (script: string): Daemon => ({
  command: 'sh',
  args: ['-c', script],
  pidFile: join(folder, 'one.pid'),
  logFile: join(folder, 'one.log'),
});

it('reads the start time behind a command name with spaces and parentheses', () => {
  const fields = ['S', ...Array.from({ length: 18 }, (_, index) => String(index)), '4711', '0'];
  expect(parseStat(`42 (a) (b c) ${fields.join(' ')}`)).toEqual({ state: 'S', startTicks: '4711' });
});

it('takes only its own pid files for pid files', () => {
  const good = { pid: 42, startTicks: '7', boot: 'x' };
  expect(parseIdentity(JSON.stringify(good))).toEqual(good);
  for (const text of ['', '42', 'null', '{}', '{"pid":1,"startTicks":"7","boot":"x"}', '{"pid":42}']) {
    expect(parseIdentity(text)).toBeUndefined();
  }
});

it('does not take another process with the same pid for its own', () => {
  const self = identify(process.pid);
  expect(self && isAlive(self)).toBe(true);
  expect(self && isAlive({ ...self, startTicks: '1' })).toBe(false);
  expect(self && isAlive({ ...self, boot: 'another boot' })).toBe(false);
});

it('never signals a process that only has the pid of the one it started', async () => {
  const self = identify(process.pid);
  writeFileSync(join(folder, 'one.pid'), JSON.stringify({ ...self, startTicks: '1' }));
  await stopDaemon(join(folder, 'one.pid'));
  expect(running(join(folder, 'one.pid'))).toBeUndefined();
});

it('starts a daemon once, in a session of its own, and stops it', async () => {
  expect(await startDaemon(daemon('sleep 60'))).toBe(true);
  expect(await startDaemon(daemon('sleep 60'))).toBe(false);
  const identity = running(join(folder, 'one.pid'));
  const stat = readFileSync(`/proc/${identity?.pid}/stat`, 'utf8');
  // Field 6 is the session: a leader's is its own pid, which no terminal's hang-up reaches.
  expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]).toBe(String(identity?.pid));
  await stopDaemon(join(folder, 'one.pid'));
  expect(identity && isAlive(identity)).toBe(false);
});

it('kills a daemon that does not listen to SIGTERM', async () => {
  await startDaemon(daemon(`trap '' TERM; echo deaf; while :; do sleep 0.05; done`));
  await until('it is deaf', () =>
    readFileSync(join(folder, 'one.log'), 'utf8').includes('deaf') ? true : undefined,
  );
  const identity = running(join(folder, 'one.pid'));
  await stopDaemon(join(folder, 'one.pid'), { graceMs: 100 });
  expect(identity && isAlive(identity)).toBe(false);
});

it('says at once, with its last words, that a daemon has ended', async () => {
  await startDaemon(daemon('sleep 0.1; echo no such flag; exit 1'));
  const awaiting = until('it answers', () => {
    requireRunning([daemon('')]);
    return undefined;
  });
  await expect(awaiting).rejects.toThrow(/no such flag/);
});
