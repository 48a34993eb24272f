import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot, fingerprint } from '../../../hack/lib/cache.ts';
import { run, type ExecOptions } from '../../../hack/lib/exec.ts';
import { withLock } from '../../../hack/lib/lock.ts';
import type { Log } from '../../../hack/lib/log.ts';

/** Runs one command of an installation; throws what it printed when it fails. */
export type RunCommand = (command: string, args: readonly string[], options?: ExecOptions) => Promise<void>;

/**
 * Returns a folder of the cache, which `install` fills when it is not there yet. `pins` are the versions of all that it
 * brings: others make another folder.
 */
export async function installed(
  name: string,
  pins: readonly string[],
  log: Log,
  install: (folder: string, command: RunCommand) => Promise<void>,
): Promise<string> {
  const folder = join(cacheRoot(), 'bench', `${name}-${fingerprint(...pins)}`);
  const logFile = join(cacheRoot(), 'logs', `bench-${name}.log`);
  const command: RunCommand = async (program, args, options = {}) => {
    await run(program, args, { logFile, timeoutMs: 10 * 60_000, ...options });
  };
  return await withLock(join(cacheRoot(), 'locks', `bench-${name}`), log, () =>
    cached(folder, async (temporary) => {
      mkdirSync(temporary, { recursive: true });
      await log.step(`installing ${name}, once`, () => install(temporary, command));
    }),
  );
}

/** Installs npm packages, each given as `name@version`. */
export async function installFromNpm(name: string, packages: readonly string[], log: Log): Promise<string> {
  return await installed(name, packages, log, async (folder, command) => {
    writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
    await command('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], {
      cwd: folder,
    });
  });
}
