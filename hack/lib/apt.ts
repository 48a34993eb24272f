import { join } from 'node:path';
import { cacheRoot } from './cache.ts';
import { attempt, run } from './exec.ts';
import { Refused } from './refused.ts';
import type { Log } from './log.ts';

/** Which of these Debian packages are not installed. */
export async function missingPackages(names: readonly string[]): Promise<string[]> {
  const { stdout } = await attempt('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...names]);
  const installed = new Set(
    stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ')[0]),
  );
  return names.filter((name) => !installed.has(name));
}

/** Installs the Debian packages that are missing; asks the archive for fresh lists only when the known ones do not do. */
export async function ensurePackages(names: readonly string[], log: Log): Promise<void> {
  const missing = await missingPackages(names);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    throw new Refused(
      `These Debian packages are missing and only root can install them: ${missing.join(' ')}. Run: sudo apt-get install ${missing.join(' ')}`,
    );
  }
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    logFile: join(cacheRoot(), 'logs', 'apt.log'),
  };
  const args = [
    'install',
    '--yes',
    '--no-install-recommends',
    '--no-remove',
    '-o',
    'DPkg::Lock::Timeout=300',
    ...missing,
  ];
  await log.step(`installing Debian packages: ${missing.join(' ')}`, async () => {
    const first = await attempt('apt-get', args, options);
    if (first.code === 0) return;
    await run('apt-get', ['update', '-o', 'DPkg::Lock::Timeout=300'], options);
    await run('apt-get', args, options);
  });
}
