import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Hopeless } from './wait.ts';

/** A process identified beyond doubt: a pid alone is used again by the kernel, a pid with its start time is not. */
export interface ProcessIdentity {
  pid: number;
  /** Clock ticks between boot and the start of the process: field 22 of /proc/PID/stat. */
  startTicks: string;
  /** The kernel's random id of this boot, where it has one. */
  boot: string;
}

/** A long-running process that outlives the command that started it. */
export interface Daemon {
  command: string;
  args: readonly string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  pidFile: string;
  logFile: string;
  uid?: number;
  gid?: number;
}

/** The state letter and start time in the text of /proc/PID/stat. */
export function parseStat(stat: string): { state: string; startTicks: string } | undefined {
  // The command name in parentheses may hold spaces and parentheses: the fields begin after the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const state = fields[0];
  const startTicks = fields[19];
  return state === undefined || startTicks === undefined ? undefined : { state, startTicks };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The kernel's random id of this boot; empty where it has none. */
export function bootId(): string {
  return (readText('/proc/sys/kernel/random/boot_id') ?? '').trim();
}

/** Who runs under this pid now; undefined when nobody does or only a zombie is left. */
export function identify(pid: number): ProcessIdentity | undefined {
  const text = readText(`/proc/${String(pid)}/stat`);
  const stat = text === undefined ? undefined : parseStat(text);
  if (stat === undefined || stat.state === 'Z' || stat.state === 'X') return undefined;
  return { pid, startTicks: stat.startTicks, boot: bootId() };
}

/** Whether exactly this process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid);
  return now?.startTicks === identity.startTicks && now.boot === identity.boot;
}

/** Reads the content of a pid file; undefined when it is not one of ours. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof ProcessIdentity, unknown>> | null;
    if (value === null || typeof value !== 'object') return undefined;
    const { pid, startTicks, boot } = value;
    if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 2) return undefined;
    if (typeof startTicks !== 'string' || typeof boot !== 'string') return undefined;
    return { pid, startTicks, boot };
  } catch {
    return undefined;
  }
}

/** The process that a pid file names, if it still runs. */
export function running(pidFile: string): ProcessIdentity | undefined {
  const text = readText(pidFile);
  const identity = text === undefined ? undefined : parseIdentity(text);
  return identity !== undefined && isAlive(identity) ? identity : undefined;
}

/** Starts a daemon in a session of its own unless its pid file names a running one. True when it was started now. */
export async function startDaemon(daemon: Daemon): Promise<boolean> {
  if (running(daemon.pidFile) !== undefined) return false;
  mkdirSync(dirname(daemon.pidFile), { recursive: true });
  mkdirSync(dirname(daemon.logFile), { recursive: true });
  const output = openSync(daemon.logFile, 'a');
  const child = spawn(daemon.command, daemon.args, {
    cwd: daemon.cwd ?? '/',
    env: { ...process.env, ...daemon.env },
    detached: true,
    stdio: ['ignore', output, output],
    ...(daemon.uid === undefined ? {} : { uid: daemon.uid }),
    ...(daemon.gid === undefined ? {} : { gid: daemon.gid }),
  });
  closeSync(output);
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', resolve);
  });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw new Error(`${daemon.command} ended at once:\n${tail(daemon.logFile)}`);
  writeFileSync(daemon.pidFile, JSON.stringify(identity));
  child.unref();
  return true;
}

/** Stops the process that a pid file names: SIGTERM (or `signal`), after `graceMs` SIGKILL. Removes the pid file. */
export async function stopDaemon(
  pidFile: string,
  { graceMs = 10_000, signal = 'SIGTERM' }: { graceMs?: number; signal?: NodeJS.Signals } = {},
): Promise<void> {
  const identity = running(pidFile);
  if (identity !== undefined) await stopProcess(identity, graceMs, signal);
  rmSync(pidFile, { force: true });
}

/** Stops exactly this process, gently at first. */
export async function stopProcess(
  identity: ProcessIdentity,
  graceMs = 10_000,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const send = (name: NodeJS.Signals): void => {
    try {
      if (isAlive(identity)) process.kill(identity.pid, name);
    } catch {
      // It ended between the look and the signal.
    }
  };
  send(signal);
  for (let waited = 0; waited < graceMs && isAlive(identity); waited += 50) await sleep(50);
  send('SIGKILL');
  while (isAlive(identity)) await sleep(20);
}

/** Throws, with the end of its log, when one of these daemons does not run: waiting for it is hopeless. */
export function requireRunning(daemons: readonly Daemon[]): void {
  const ended = daemons.find(({ pidFile }) => running(pidFile) === undefined);
  if (ended !== undefined) {
    throw new Hopeless(`${ended.command} ended (${ended.logFile}):\n${tail(ended.logFile)}`);
  }
}

/** The last lines of a log file, for an error message. */
export function tail(path: string, lines = 25): string {
  if (!existsSync(path) || statSync(path).size === 0) return '(it printed nothing)';
  return readFileSync(path, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
}
