import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached, cacheRoot } from '../lib/cache.ts';
import { run } from '../lib/exec.ts';
import { Refused } from '../lib/refused.ts';
import { findGo } from './index.ts';

/** The version of Gateway API; repeats that of gateway-api/go.mod, which is the one that Traefik is built against. */
export const gatewayApiVersion = 'v1.5.1';

/** The CustomResourceDefinitions of Gateway API's standard channel, as YAML texts; copied once out of its Go module. */
export async function gatewayApiDefinitions(): Promise<readonly string[]> {
  const copy = join(cacheRoot(), 'downloads', `gateway-api-${gatewayApiVersion}`);
  const folder = await cached(copy, async (temporary) => {
    const go = await findGo();
    if (go === undefined) throw new Refused('Go is needed to fetch the definitions of Gateway API');
    const options = {
      cwd: join(import.meta.dirname, 'gateway-api'),
      env: { GOWORK: 'off', GOFLAGS: '-mod=mod' },
    };
    const answer = await run(go, ['mod', 'download', '-json', 'sigs.k8s.io/gateway-api'], options);
    const { Dir } = JSON.parse(answer) as { Dir?: string };
    if (Dir === undefined) throw new Error('The Go module cache does not have sigs.k8s.io/gateway-api');
    await run('cp', ['-r', join(Dir, 'config', 'crd', 'standard'), temporary]);
    // The module cache is read-only, and so would be its copy.
    await run('chmod', ['-R', 'u+w', temporary]);
  });
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .filter((text) => /^kind: CustomResourceDefinition$/m.test(text));
}
