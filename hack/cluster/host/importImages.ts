import type { Image } from '../../images/image.ts';
import { requireRunning } from '../../lib/daemon.ts';
import type { Daemon } from '../../lib/daemon.ts';
import { run } from '../../lib/exec.ts';
import type { Log } from '../../lib/log.ts';
import { until } from '../../lib/wait.ts';
import { containerdSocket, writeState } from './layout.ts';
import type { HostState } from './layout.ts';

/** Calls containerd's command line client on the cluster's own containerd. */
function ctr(args: readonly string[]): Promise<string> {
  return run('ctr', ['--address', containerdSocket(), '--namespace', 'k8s.io', ...args]);
}

/** Brings images into containerd that it does not have in this content yet, and remembers that it has them. */
export async function importImages(
  containerd: Daemon,
  state: HostState,
  images: readonly Image[],
  log: Log,
): Promise<void> {
  const absent = images.filter(({ reference, key }) => state.images[reference] !== key);
  if (absent.length === 0) return;
  await until('containerd answers', async () => {
    requireRunning([containerd]);
    return ctr(['version']);
  });
  await log.step(
    `importing ${absent.length} image${absent.length === 1 ? '' : 's'} into containerd`,
    async () => {
      for (const { archive, reference, key } of absent) {
        await ctr(['images', 'import', archive]);
        state.images[reference] = key;
        writeState(state);
      }
    },
  );
}
