// The operator's image: npm's Node, the C++ library that it needs, the linter's program, and the bundle.
import { readdirSync, realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { cached, cacheRoot, fingerprint, sha256OfFile } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';
import { writeLayer } from './archive.ts';
import { baseEntries } from './common.ts';
import { debianLayer } from './debian.ts';
import { nodeLayer } from './node.ts';
import type { ImageRecipe } from './image.ts';
import type { Entry } from './tar.ts';

const user = 65532;
const bundle = '/etc/ssl/certs/ca-certificates.crt';

/** What the package's own script would do: one file of all authorities. */
const certificates = `mkdir -p "$1"/etc/ssl/certs && cat "$1"/usr/share/ca-certificates/mozilla/*.crt > "$1"${bundle}`;

/** The linter's program, which the bundle looks for beside itself. */
const squawk = 'squawk';

/** It is many times the size of the bundle and changes with its version only: a layer of its own. */
async function squawkLayer(dist: string): Promise<string> {
  const fromFile = join(dist, squawk);
  const key = fingerprint(await sha256OfFile(fromFile));
  return cached(join(cacheRoot(), 'images', 'layers', `squawk-${key}.tar`), (temporary) =>
    writeLayer(temporary, [
      { path: 'app/', folder: true },
      { path: join('app', squawk), mode: 0o755, fromFile },
    ]),
  );
}

/** The files of a build folder, below /app. */
async function appEntries(dist: string): Promise<{ entries: Entry[]; inputs: string[] }> {
  const files = readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((file) => file.isFile() && file.name !== squawk)
    .map((file) => join(file.parentPath, file.name))
    .sort();
  const entries = files.map((fromFile) => ({ path: join('app', relative(dist, fromFile)), fromFile }));
  const inputs: string[] = [];
  for (const file of files) inputs.push(await sha256OfFile(file));
  return { entries, inputs };
}

/** The image's recipe, out of the folder that `npm run build` fills. */
export async function operatorImage(dist: string, log: Log): Promise<ImageRecipe> {
  // Not the Node that runs this: the one that package.json pins.
  const node = realpathSync(join(import.meta.dirname, '..', '..', 'node_modules', 'node', 'bin', 'node'));
  const version = (await run(node, ['--version'])).trim();
  const { entries, inputs } = await appEntries(dist);
  return {
    name: 'operator',
    version: 'dev',
    config: {
      user: `${String(user)}:${String(user)}`,
      // The SQL parser is one huge WebAssembly function: V8's optimising compiler takes 500 MB for it and saves nothing
      // (2,000 parses of a small API: 0.7 s and 477 MB with it, 0.2 s and 93 MB by the baseline compiler alone).
      entrypoint: ['/usr/local/bin/node', '--liftoff-only', '/app/operator.mjs'],
      env: { NODE_ENV: 'production', SSL_CERT_FILE: bundle },
      workingDir: '/app',
    },
    layers: [
      await debianLayer('node', ['libstdc++6', 'libgcc-s1', 'libc6', 'libatomic1', 'ca-certificates'], log, [
        certificates,
      ]),
      await nodeLayer(node, version),
      await squawkLayer(dist),
    ],
    entries: [...baseEntries([{ name: 'operator', id: user }]), { path: 'app/', folder: true }, ...entries],
    inputs: [fingerprint(...inputs)],
  };
}
