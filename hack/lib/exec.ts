import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/** How to run a command. */
export interface ExecOptions {
  cwd?: string;
  /** Added to this process's environment. */
  env?: Record<string, string | undefined>;
  /** Written to its standard input, which is closed afterwards. */
  input?: string | Uint8Array;
  /** Everything it prints is appended here too. */
  logFile?: string;
  timeoutMs?: number;
  uid?: number;
  gid?: number;
}

/** What came of a command. */
export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A command that ended with something other than 0; the message carries the end of what it printed. */
export class CommandFailed extends Error {
  readonly result: ExecResult;
  constructor(command: string, result: ExecResult, logFile?: string) {
    const lines = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-25).join('\n');
    super(
      `${command} ended with ${String(result.code)}${logFile === undefined ? '' : ` (all of its output: ${logFile})`}\n${lines}`,
    );
    this.name = 'CommandFailed';
    this.result = result;
  }
}

/** Runs a command to its end, whatever the end is. A command that is not there ends with 127. */
export function attempt(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  return new Promise((resolve) => {
    if (options.logFile !== undefined) mkdirSync(dirname(options.logFile), { recursive: true });
    const file =
      options.logFile === undefined ? undefined : createWriteStream(options.logFile, { flags: 'a' });
    file?.write(`$ ${command} ${args.join(' ')}\n`);
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      stdout.push(chunk);
      file?.write(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr.push(chunk);
      file?.write(chunk);
    });
    // A command that leaves without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input);
    const end = (code: number, note = ''): void => {
      file?.end();
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      resolve({ code, stdout: text(stdout), stderr: text(stderr) + note });
    };
    child.on('error', (error) => {
      end(127, error.message);
    });
    child.on('close', (code, signal) => {
      end(code ?? 128, signal === null ? '' : `\nended by ${signal}`);
    });
  });
}

/** Runs a command that must succeed and returns what it printed to its standard output. */
export async function run(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<string> {
  const result = await attempt(command, args, options);
  if (result.code !== 0)
    throw new CommandFailed([command, ...args].join(' ').slice(0, 300), result, options.logFile);
  return result.stdout;
}

/** Whether a command exists on the PATH. */
export async function hasCommand(name: string): Promise<boolean> {
  return (await attempt('sh', ['-c', `command -v -- ${name}`])).code === 0;
}
