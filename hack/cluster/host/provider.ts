import { existsSync } from 'node:fs';
import type { Image } from '../../images/image.ts';
import { cacheRoot } from '../../lib/cache.ts';
import { running } from '../../lib/daemon.ts';
import { withLock } from '../../lib/lock.ts';
import { Refused } from '../../lib/refused.ts';
import type { Log } from '../../lib/log.ts';
import { ensureKubernetes, ensureTool } from '../../toolchain/index.ts';
import type { Access, Provider } from '../types.ts';
import { hostDown, hostLeftovers } from './down.ts';
import { hostFolder, inHost, nodeAddress, readState } from './layout.ts';
import { processes } from './processes.ts';
import type { Programs } from './processes.ts';
import { importImages } from './importImages.ts';
import { hostAccess, hostPlan, hostUp } from './up.ts';

async function programs(log: Log): Promise<Programs> {
  return { etcd: await ensureTool('etcd', log), kubernetes: await ensureKubernetes('', log) };
}

/** Kubernetes as processes of this machine, without a container engine: Linux, root, Debian. */
export function hostProvider(): Provider {
  const locked = <T>(log: Log, work: () => Promise<T>): Promise<T> =>
    withLock(`${cacheRoot()}/locks/cluster-host`, log, work);

  return {
    name: 'host',
    ownImages: ['pause', 'coredns', 'ingress-nginx'],
    plan: hostPlan,
    up: (images, log) => locked(log, async () => hostUp(await programs(log), images, log)),
    load: (image, log) => locked(log, () => load(image, log)),
    access: () => {
      if (readState() === undefined) throw new Refused('There is no host cluster: npm run cluster -- up');
      return Promise.resolve<Access>(hostAccess());
    },
    async down(log) {
      if (!existsSync(hostFolder())) {
        log.say('There is no host cluster.');
        return;
      }
      await locked(log, () => hostDown(log));
      log.say(hostLeftovers(cacheRoot()));
    },
    status: () => Promise.resolve(status()),
  };
}

async function load(image: Image, log: Log): Promise<void> {
  const state = readState();
  const [containerd] = processes(await programs(log), nodeAddress());
  if (state === undefined || containerd === undefined)
    throw new Refused('There is no host cluster: npm run cluster -- up');
  await importImages(containerd, state, [image], log);
}

function status(): { exists: boolean; lines: string[] } {
  const state = readState();
  if (state === undefined || !existsSync(hostFolder())) return { exists: false, lines: [] };
  const daemons = [
    'containerd',
    'etcd',
    'kube-apiserver',
    'kube-controller-manager',
    'kube-scheduler',
    'kubelet',
    'kube-proxy',
  ];
  const line = (name: string): string => {
    const identity = running(inHost('run', `${name}.pid`));
    return `  ${name.padEnd(24)} ${identity === undefined ? 'not running' : `pid ${String(identity.pid)}`}   ${inHost('logs', `${name}.log`)}`;
  };
  return { exists: true, lines: [`node address ${state.address}`, ...daemons.map(line)] };
}
