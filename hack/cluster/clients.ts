import { attempt } from '../lib/exec.ts';
import type { Log } from '../lib/log.ts';
import { ensureKubernetes, ensureTool, linkTool } from '../toolchain/index.ts';
import type { ProviderName } from './types.ts';

/**
 * Paths of kubectl and helm. The host cluster's kubectl comes with its Kubernetes; for other clusters the machine's own
 * programs do, which spares the long build.
 */
export async function clientPrograms(
  provider: ProviderName,
  log: Log,
): Promise<{ kubectl: string; helm: string }> {
  const onPath = async (name: string, fits: (version: string) => boolean): Promise<string | undefined> => {
    if (provider === 'host') return undefined;
    const [found, version] = await Promise.all([
      attempt('sh', ['-c', `command -v ${name}`]),
      attempt(name, ['version', ...(name === 'kubectl' ? ['--client'] : ['--short'])]),
    ]);
    return found.code === 0 && fits(version.stdout) ? found.stdout.trim() : undefined;
  };
  const kubectl =
    (await onPath('kubectl', (version) => version.includes('v1.'))) ??
    (await ensureKubernetes('kubectl', log));
  const helm =
    (await onPath('helm', (version) => version.startsWith('v4.'))) ?? (await ensureTool('helm', log));
  return { kubectl: linkTool('kubectl', kubectl), helm: linkTool('helm', helm) };
}
