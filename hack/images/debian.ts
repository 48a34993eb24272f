// Layers made of Debian packages, without a container engine and without a registry.
import { join } from 'node:path';
import { ensurePackages } from '../lib/apt.ts';
import { cached, cacheRoot, fingerprint } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';

const suite = 'trixie';

/** What a container never reads. */
const unneeded = [
  'usr/share/doc',
  'usr/share/man',
  'usr/share/locale',
  'usr/share/info',
  'usr/share/lintian',
];

/**
 * Builds, once, a layer of Debian packages with all that they depend on. They are unpacked, not configured: no users,
 * no alternatives, no maintainer scripts; an image adds what it needs of that in a layer of its own. The versions are
 * those of the day on which the layer was built.
 */
export async function debianLayer(
  name: string,
  packages: readonly string[],
  log: Log,
  /** Shell commands that change the unpacked files, which are in the folder "$1". */
  changes: readonly string[] = [],
): Promise<string> {
  // base-files brings the links /bin, /lib and /lib64 into /usr: without the loader behind them nothing starts.
  const include = ['base-files', ...packages].join(',');
  const cleaning = `rm -rf ${unneeded.map((path) => `"$1/${path}"`).join(' ')} "$1"/etc/hostname "$1"/boot`;
  const hooks = [...changes, cleaning];
  const key = fingerprint(suite, include, ...hooks, process.arch);
  return cached(join(cacheRoot(), 'images', 'layers', `${name}-${suite}-${key}.tar`), async (temporary) => {
    await ensurePackages(['mmdebstrap'], log);
    const args = ['--variant=extract', '--format=tar', `--include=${include}`];
    await log.step(`unpacking Debian ${suite}'s ${packages.join(', ')} into a layer`, () =>
      run('mmdebstrap', [...args, ...hooks.map((hook) => `--extract-hook=${hook}`), suite, temporary], {
        env: { SOURCE_DATE_EPOCH: '0', LC_ALL: 'C.UTF-8' },
        logFile: join(cacheRoot(), 'logs', `layer-${name}.log`),
      }),
    );
  });
}
