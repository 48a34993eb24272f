// Bundles the operator: dist/operator.mjs, its SQL thread, and what both read at run time beside them.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { squawkPath } from '../operator/lint/squawk.ts';
import { createLog } from './lib/log.ts';
import type { Log } from './lib/log.ts';

const root = join(import.meta.dirname, '..');

/** Where the bundle goes. */
export const distFolder = join(root, 'dist');

/** What is bundled, by the name of its file. */
type Entries = Readonly<Record<string, string>>;

// operator/analysis/analyst.ts starts it by this name.
const sqlThread = { sqlThread: join(root, 'operator', 'analysis', 'thread.ts') };

/** Builds the bundle; returns its folder. */
export async function buildOperator(log: Log): Promise<string> {
  const entries = {
    operator: join(root, 'operator', 'main.ts'),
    // The command line tool.
    pgrst: join(root, 'operator', 'cli', 'main.ts'),
  };
  await log.step('bundling the operator', async () => {
    rmSync(distFolder, { recursive: true, force: true });
    await bundle(entries, distFolder);
  });
  return distFolder;
}

/** Bundles programs that use the operator's code, with the SQL thread and the files that both read, into a folder. */
export async function bundle(programs: Entries, folder: string): Promise<void> {
  const entries: Entries = { ...programs, ...sqlThread };
  for (const entry of Object.values(entries))
    if (!existsSync(entry)) throw new Error(`There is no ${entry} to bundle`);
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: entries,
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    legalComments: 'none',
    logLevel: 'warning',
    // Optional parts of dependencies, which are not installed and not asked for.
    external: ['pg-native'],
    // Dependencies in CommonJS call require and name their own folder, neither of which an ES module has.
    banner: {
      js: [
        "import { createRequire as createRequireOfBundle } from 'node:module';",
        'const require = createRequireOfBundle(import.meta.url);',
        'const __filename = import.meta.filename;',
        'const __dirname = import.meta.dirname;',
      ].join('\n'),
    },
  });
  const parser = dirname(createRequire(import.meta.url).resolve('libpg-query'));
  cpSync(join(parser, 'libpg-query.wasm'), join(folder, 'libpg-query.wasm'));
  // operator/lint/squawk.ts looks for it beside the bundle.
  cpSync(squawkPath(), join(folder, 'squawk'));
  cpSync(join(root, 'sql'), join(folder, 'sql'), { recursive: true });
}

if (import.meta.main) await buildOperator(createLog());
