// What the cluster changes on the machine outside of its folder, and how that is put back.
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { attempt, run } from '../../lib/exec.ts';
import { bridge } from './layout.ts';

/** The kernel settings that the cluster needs; bridged traffic must pass iptables, pods must be routed. */
const wanted: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.bridge.bridge-nf-call-iptables': '1',
};

/** Those that the kubelet and kube-proxy set by themselves. */
const setByKubernetes = [
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
  'kernel.keys.root_maxkeys',
  'kernel.keys.root_maxbytes',
  'net.ipv4.conf.all.route_localnet',
];

/** Folders that Kubernetes, containerd and CNI use at fixed places. */
export const fixedFolders = [
  '/var/lib/kubelet',
  '/var/lib/cni',
  '/var/log/containers',
  '/var/log/pods',
  '/usr/libexec/kubernetes',
  '/run/containerd',
  '/run/netns',
  '/opt/containerd',
];

const sysctlPath = (name: string): string => `/proc/sys/${name.replaceAll('.', '/')}`;

/** The present values of all kernel settings that will change. */
export function currentSysctls(): Record<string, string> {
  const names = [...Object.keys(wanted), ...setByKubernetes].filter((name) => existsSync(sysctlPath(name)));
  return Object.fromEntries(names.map((name) => [name, readFileSync(sysctlPath(name), 'utf8').trim()]));
}

/** Kernel settings that do not have the wanted value yet, as `name=value`. */
export function sysctlChanges(): string[] {
  const now = currentSysctls();
  return Object.entries(wanted)
    .filter(([name, value]) => now[name] !== value)
    .map(([name, value]) => `${name}=${value}`);
}

/** Sets what the cluster needs. */
export async function applySysctls(): Promise<void> {
  // The bridge setting only exists once its module is there; where it is built in, modprobe has nothing to do.
  if (!existsSync(sysctlPath('net.bridge.bridge-nf-call-iptables')))
    await attempt('modprobe', ['br_netfilter']);
  for (const [name, value] of Object.entries(wanted)) {
    if (!existsSync(sysctlPath(name)))
      throw new Error(`The kernel has no setting ${name}: is its module br_netfilter missing?`);
    writeFileSync(sysctlPath(name), value);
  }
}

/** Puts kernel settings back. */
export function restoreSysctls(values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (existsSync(sysctlPath(name))) writeFileSync(sysctlPath(name), value);
  }
}

const ours = /\b(KUBE|CNI)-/;

/** Whether rules of Kubernetes or CNI are in these tables, as iptables-save prints them. */
export function hasClusterRules(saved: string): boolean {
  return ours.test(saved);
}

/** The tables without the chains and rules of Kubernetes and CNI; all else stays, counters included. */
export function withoutClusterRules(saved: string): string {
  return saved
    .split('\n')
    .filter((line) => line.startsWith('#') || !ours.test(line))
    .join('\n');
}

/** What iptables-save says, for IPv4 and IPv6; empty where the command is missing. */
export async function savedRules(): Promise<string> {
  const [four, six] = [await attempt('iptables-save', []), await attempt('ip6tables-save', [])];
  return four.stdout + six.stdout;
}

/** Removes the chains and rules of Kubernetes and CNI, for IPv4 and IPv6. */
export async function removeClusterRules(): Promise<void> {
  for (const family of ['iptables', 'ip6tables']) {
    const saved = await attempt(`${family}-save`, ['-c']);
    if (saved.code !== 0 || !hasClusterRules(saved.stdout)) continue;
    await run(`${family}-restore`, ['-c', '-w'], { input: withoutClusterRules(saved.stdout) });
  }
}

/** Removes the bridge of the pod network; the pods' ends of it went with their network namespaces. */
export async function removeBridge(): Promise<void> {
  if (existsSync(`/sys/class/net/${bridge}`)) await run('ip', ['link', 'delete', bridge]);
}

/** Mount points under a folder, the innermost first. */
export function mountsUnder(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4]?.replaceAll('\\040', ' ') ?? '')
    .filter((path) => path === folder || path.startsWith(`${folder}/`))
    .sort((a, b) => b.length - a.length);
}

/** Unmounts everything under a folder; fails when something stays, because the folder is deleted next. */
export async function unmountUnder(folder: string): Promise<void> {
  for (const path of mountsUnder(folder)) {
    if ((await attempt('umount', [path])).code !== 0) await attempt('umount', ['--lazy', path]);
  }
  const left = mountsUnder(folder);
  if (left.length > 0) throw new Error(`Still mounted: ${left.join(', ')}`);
}

/** Removes a network namespace file such as CNI makes them. */
export async function removeNetworkNamespace(path: string): Promise<void> {
  if (!/^(\/var)?\/run\/netns\/cni-[\w-]+$/.test(path) || !existsSync(path)) return;
  await attempt('umount', [path]);
  rmSync(path, { force: true });
}
