import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../lib/exec.ts';
import { duration } from '../lib/log.ts';
import { tooLongFiles } from './fileLength.ts';
import { bin, root } from './paths.ts';
import type { Counts, Finding } from './result.ts';

/** One static check. */
export interface Check {
  readonly name: string;
  /** Returns what is wrong, for a person to read; undefined when nothing is. */
  run(): Promise<string | undefined>;
}

function command(name: string, script: string, args: readonly string[]): Check {
  return {
    name,
    async run() {
      const { code, stdout, stderr } = await attempt(process.execPath, [script, ...args], { cwd: root });
      return code === 0 ? undefined : `${stdout}${stderr}`.trim() || `ended with ${code}`;
    },
  };
}

const folders = ['operator', 'hack', 'test-e2e', 'bench'].filter((folder) => existsSync(join(root, folder)));

/** What `npm run check` looks at, quickest answer first. */
export const checks: readonly Check[] = [
  {
    name: 'file length',
    run: async () => (await tooLongFiles(root)).join('\n') || undefined,
  },
  command('arrows (dependency-cruiser)', bin('depcruise'), [
    '--config',
    '.dependency-cruiser.js',
    ...folders,
  ]),
  command('unused code (knip)', bin('knip'), ['--no-progress']),
  command('generated files', join(root, 'hack', 'gen', 'main.ts'), ['--check']),
  command('format (prettier)', bin('prettier'), ['--check', '--log-level=warn', '.']),
  command('types (tsc)', bin('tsc'), ['--noEmit', '-p', '.']),
  command('lint (eslint)', bin('eslint'), ['.', '--max-warnings=0']),
];

/** Runs the checks one by one: a line for each, and the output of those that fail. */
export async function runChecks(list: readonly Check[], print: (line: string) => void): Promise<Counts> {
  const failures: Finding[] = [];
  for (const check of list) {
    const started = performance.now();
    const problem = await check
      .run()
      .catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
    const took = duration(performance.now() - started);
    print(`  ${problem === undefined ? '✓' : '✗'} ${check.name} (${took})`);
    if (problem === undefined) continue;
    print(problem.replace(/^/gm, '      '));
    failures.push({ name: check.name, message: `${problem.split('\n').length} lines of complaints, above` });
  }
  return { passed: list.length - failures.length, failures, skips: [] };
}
