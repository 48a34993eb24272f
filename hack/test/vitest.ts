import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bin, root } from './paths.ts';
import type { Counts, Finding } from './result.ts';

const minute = 60_000;

/** How long a part may take, building its tools from source included: a test that blocks its process has no timeout. */
const limits = { unit: 10 * minute, pg: 15 * minute, api: 30 * minute, e2e: 120 * minute };

/** How long vitest has to take its servers down once it was told to stop. */
const graceMs = 30_000;

/**
 * Runs one project of vitest.config.ts, its output going straight to the terminal. A run that ends without counts, or
 * with a bad exit code that the counts do not explain, is a failure of its own.
 */
export async function runVitest(
  project: keyof typeof limits,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'pgrst-test-'));
  const file = join(folder, 'counts.json');
  try {
    const code = await run(
      [
        ...['run', '--project', project, '--reporter', 'default', '--reporter', './hack/test/reporter.ts'],
        ...(args.length === 0 ? [] : ['--passWithNoTests']),
        ...args,
      ],
      file,
      AbortSignal.any([signal, AbortSignal.timeout(limits[project])]),
    );
    const counts = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Counts) : undefined;
    return judge(counts, code, args.length > 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[], countsFile: string, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin('vitest'), ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PGRST_TEST_COUNTS: countsFile },
    });
    // Our reporter turns it into an orderly end.
    let killing: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill('SIGTERM');
      killing = setTimeout(() => child.kill('SIGKILL'), graceMs);
    };
    signal.addEventListener('abort', stop);
    const end = (code: number): void => {
      signal.removeEventListener('abort', stop);
      clearTimeout(killing);
      resolve(code);
    };
    child.on('error', () => {
      end(127);
    });
    child.on('close', (code) => {
      end(code ?? 1);
    });
  });
}

/**
 * Turns what vitest reported and its exit code into counts that can be trusted. A test that was skipped without a reason
 * fails, unless the run was `filtered`: vitest reports what `-t` leaves out as skipped too.
 */
export function judge(counts: Counts | undefined, code: number, filtered: boolean): Counts {
  if (counts === undefined)
    return {
      passed: 0,
      failures: [{ name: 'vitest', message: `ended with ${code} before any test` }],
      skips: [],
    };
  const silent = filtered ? [] : counts.skips.filter((skip) => skip.message === '');
  const failures: Finding[] = [
    ...counts.failures,
    ...silent.map(({ name }) => ({ name, message: 'was skipped without a reason' })),
  ];
  if (code !== 0 && failures.length === 0)
    failures.push({ name: 'vitest', message: `ended with ${code} (above)` });
  return { passed: counts.passed, failures, skips: counts.skips.filter((skip) => !silent.includes(skip)) };
}
