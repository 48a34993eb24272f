import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pgbouncerLayer } from '../images/parts.ts';
import { cached, cacheRoot, fingerprint } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';

/**
 * The program PgBouncer out of the image that the local cluster runs, under its own loader and libraries: the system's
 * own may be years older. Everybody may run it: PgBouncer refuses to run as root.
 */
export async function ensurePgBouncer(log: Log): Promise<string> {
  const layer = await pgbouncerLayer(log);
  const folder = join('/var/tmp', `pgrst-test-pgbouncer-${fingerprint(cacheRoot(), layer, start)}`);
  await cached(folder, async (temporary) => {
    mkdirSync(temporary, { recursive: true, mode: 0o755 });
    await run('tar', ['-xf', layer, '-C', temporary, './usr/lib', './usr/sbin']);
    writeFileSync(join(temporary, 'pgbouncer'), start, { mode: 0o755 });
  });
  return join(folder, 'pgbouncer');
}

const start = `#!/bin/sh
root=$(dirname "$0")
lib=$(echo "$root"/usr/lib/*-linux-gnu)
exec "$lib"/ld-linux-*.so.* --library-path "$lib" "$root"/usr/sbin/pgbouncer "$@"
`;
