import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process to be measured. */
export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its standard input. Secrets go here or into `env`, never into `args`. */
  readonly input: string;
}

/** What a process took. */
export interface Cost {
  /** From before its start until after its end. */
  readonly seconds: number;
  /** The most memory that it had resident, in MiB. */
  readonly rssMb: number;
  /** What it printed to its standard output. */
  readonly stdout: string;
}

const sampleMs = 10;

/** Runs a process to its end. Throws what it printed to its standard error when it ends with anything but 0. */
export async function measure(program: Program, signal: AbortSignal): Promise<Cost> {
  const began = performance.now();
  const child = spawn(program.command, program.args, {
    env: { ...process.env, ...program.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  // A process that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(program.input);

  let rssMb = 0;
  const sampling = setInterval(() => {
    rssMb = Math.max(rssMb, peakRssMb(child.pid));
  }, sampleMs);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', resolve);
    });
    const seconds = (performance.now() - began) / 1000;
    if (code !== 0) throw new Error(`${program.command} ended with ${code ?? 'a signal'}:\n${output.stderr}`);
    return { seconds, rssMb, stdout: output.stdout };
  } finally {
    clearInterval(sampling);
  }
}

// The kernel's own high-water mark, so the last sample is the peak. Not the ru_maxrss that a process can ask for itself:
// that one begins with what its parent had (fork), whatever was executed afterwards.
function peakRssMb(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid ?? 0}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
  } catch {
    return 0; // it has just ended
  }
}
