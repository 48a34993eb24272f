import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { stopDaemon } from '../../lib/daemon.ts';
import { hostFolder, inHost, readState } from './layout.ts';
import type { Log } from '../../lib/log.ts';
import {
  killContainers,
  podNetworkNamespaces,
  removePodCgroups,
  removePodNetworkNamespaces,
} from './containers.ts';
import { removeBridge, removeClusterRules, restoreSysctls, unmountUnder } from './machine.ts';

/** Stopped in this order: nobody may restart what the next one removes. */
const order = [
  'kubelet',
  'kube-proxy',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-apiserver',
  'etcd',
];

/** Removes the host cluster: processes, containers, mounts, network, settings, and its folder. */
export async function hostDown(log: Log): Promise<void> {
  const state = readState();
  if (!existsSync(hostFolder())) return;
  await log.step('stopping Kubernetes', async () => {
    // It is all deleted in a moment: nothing needs to shut down in good order.
    for (const name of order) await stopDaemon(inHost('run', `${name}.pid`), { signal: 'SIGKILL' });
  });
  await log.step('removing the containers', async () => {
    const namespaces = podNetworkNamespaces();
    await killContainers();
    await stopDaemon(inHost('run', 'containerd.pid'));
    // Those that containerd was just starting.
    await killContainers();
    await unmountUnder(hostFolder());
    await removePodNetworkNamespaces(namespaces);
    removePodCgroups();
  });
  await log.step('putting the machine back as it was', async () => {
    await removeBridge();
    await removeClusterRules();
    if (state !== undefined) {
      restoreSysctls(state.sysctls);
      for (const path of state.createdFolders) {
        await unmountUnder(path);
        removeCreated(path);
      }
    }
  });
  rmSync(hostFolder(), { recursive: true, force: true });
}

/** Deletes a folder that was not there before. /run/netns may meanwhile hold somebody else's. */
function removeCreated(path: string): void {
  if (path === '/run/netns' && existsSync(path) && readdirSync(path).length > 0) return;
  rmSync(path, { recursive: true, force: true });
}

/** What `down` leaves, for people. */
export function hostLeftovers(cache: string): string {
  return `Left as they are: the Debian packages that were installed, the programs and images in ${join(cache, 'bin')} and ${join(cache, 'images')}, and the iptables tables, without a rule of the cluster's.`;
}
