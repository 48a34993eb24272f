// The containers of the cluster's own containerd, found without its help: it may be dead.
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { identify, stopProcess } from '../../lib/daemon.ts';
import { containerdSocket, inHost } from './layout.ts';
import { removeNetworkNamespace } from './machine.ts';

interface Process {
  pid: number;
  parent: number;
  command: string;
}

function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(name), parent, command: readFileSync(`/proc/${name}/cmdline`, 'utf8') }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

/** The shims of our containerd and all that runs below them: each shim names its containerd's socket. */
export function ownedProcesses(all: readonly Process[], socket: string): number[] {
  const shims = all.filter(({ command }) => {
    const words = command.split('\0');
    return words[0]?.includes('containerd-shim') === true && words.includes(socket);
  });
  const owned = new Set(shims.map(({ pid }) => pid));
  for (let size = -1; size !== owned.size;) {
    size = owned.size;
    for (const { pid, parent } of all) if (owned.has(parent)) owned.add(pid);
  }
  return [...owned];
}

/** Ends every container of the cluster and the shims that hold them. */
export async function killContainers(): Promise<void> {
  // A container that starts meanwhile is seen in the next round; containerd is stopped before the last.
  for (;;) {
    const pids = ownedProcesses(processes(), containerdSocket());
    if (pids.length === 0) return;
    const identities = pids.map((pid) => identify(pid)).filter((identity) => identity !== undefined);
    if (identities.length === 0) return;
    await Promise.all(identities.map((identity) => stopProcess(identity, 0, 'SIGKILL')));
  }
}

/** The network namespaces of the cluster's pods, out of their runtime configurations. */
export function podNetworkNamespaces(): string[] {
  const tasks = inHost('containerd', 'state', 'io.containerd.runtime.v2.task', 'k8s.io');
  if (!existsSync(tasks)) return [];
  const paths = readdirSync(tasks).flatMap((id) => {
    try {
      const config = JSON.parse(readFileSync(join(tasks, id, 'config.json'), 'utf8')) as {
        linux?: { namespaces?: { type: string; path?: string }[] };
      };
      return (config.linux?.namespaces ?? []).flatMap(({ type, path }) =>
        type === 'network' && path ? [path] : [],
      );
    } catch {
      return [];
    }
  });
  return [...new Set(paths)];
}

/** Removes the network namespaces of pods that are gone. */
export async function removePodNetworkNamespaces(paths: readonly string[]): Promise<void> {
  for (const path of paths) await removeNetworkNamespace(path);
}

/** Removes the control groups that the kubelet made. */
export function removePodCgroups(): void {
  const root = '/sys/fs/cgroup';
  const controllers = existsSync(join(root, 'kubepods'))
    ? [root]
    : readdirSync(root).map((name) => join(root, name));
  for (const controller of controllers) removeTree(join(controller, 'kubepods'));
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return;
  // The files in a control group are the kernel's: only the folders can be, and must be, removed one by one.
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(folder, entry.name));
  }
  try {
    rmdirSync(folder);
  } catch {
    // Some process of it is still going away; an empty group that stays does no harm.
  }
}
