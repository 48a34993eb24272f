import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { switchedOff } from './squawkRules.ts';

/** What squawk says, placed in the text that it was given. */
export interface SquawkReport {
  /** The bare name of the rule, or `syntax-error` for what squawk itself cannot read. */
  readonly rule: string;
  /** Counted from 1. */
  readonly line: number;
  /** Bytes (UTF-8) before it in the line. */
  readonly column: number;
  readonly message: string;
}

/** Judges one SQL text. Rejects when squawk cannot be run or says something else than findings. */
export type Squawk = (sql: string, signal: AbortSignal) => Promise<readonly SquawkReport[]>;

/**
 * squawk's program: beside this file in the bundle, else where npm has put it.
 * @throws Error when neither has it, which is so on platforms for which it is not published.
 */
export function squawkPath(): string {
  const program = process.platform === 'win32' ? 'squawk.exe' : 'squawk';
  const bundled = join(import.meta.dirname, program);
  if (existsSync(bundled)) return bundled;
  const squawk = createRequire(createRequire(import.meta.url).resolve('squawk-cli/package.json'));
  return squawk.resolve(`@squawk-cli/${process.platform}-${process.arch}/bin/${program}`);
}

// Findings of the rules that are off would be most of the answer. No configuration file of whoever calls counts.
const options = [
  ...['--config', '/dev/null', '--reporter', 'json', '--stdin-filepath', 'sql', '--pg-version', '15.0'],
  ...['--exclude', Object.keys(switchedOff).join(',')],
];

/** squawk as a child process: the SQL goes through its standard input, so neither a file nor an argument holds it. */
export function createSquawk(program: string): Squawk {
  return (sql, signal) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, options, { signal, stdio: ['pipe', 'pipe', 'pipe'], env: {} });
      const out: Buffer[] = [];
      const errors: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
      child.on('error', reject);
      // It may end without having read everything; what it says then tells more than EPIPE does.
      child.stdin.on('error', () => undefined);
      child.on('close', () => {
        try {
          resolve(readReports(Buffer.concat(out).toString()));
        } catch {
          reject(new Error(`squawk failed: ${Buffer.concat(errors).toString().trim().slice(0, 500)}`));
        }
      });
      child.stdin.end(sql);
    });
}

/** squawk's JSON: lines and columns count from 0 there. */
function readReports(json: string): readonly SquawkReport[] {
  const reports = JSON.parse(json) as { rule_name: string; line: number; column: number; message: string }[];
  return reports.map(({ rule_name: rule, line, column, message }) => ({
    rule,
    line: line + 1,
    column,
    message: message.replaceAll('`', ''),
  }));
}
