// Where the host cluster keeps its things, and the numbers it uses.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { cacheRoot } from '../../lib/cache.ts';
import { gatewayPort, ingressPort } from '../types.ts';

/** The one folder of the host cluster; `down` deletes it. */
export function hostFolder(): string {
  return join(cacheRoot(), 'clusters', 'host');
}

/** A path inside the host cluster's folder. */
export function inHost(...parts: string[]): string {
  return join(hostFolder(), ...parts);
}

export const nodeName = 'local';
export const bridge = 'pgrst0';
export const podRange = '10.244.0.0/24';
export const clusterRange = '10.244.0.0/16';
export const dnsAddress = '10.96.0.10';

/** Every TCP port that the cluster's processes listen on. Those of the API server and etcd are not the usual ones, so
 * that another Kubernetes on the machine is noticed by its kubelet's port, with one clear message. */
export const ports = {
  api: 16443,
  etcd: 12379,
  etcdPeer: 12380,
  kubelet: 10250,
  kubeletHealth: 10248,
  controllerManager: 10257,
  scheduler: 10259,
  proxyHealth: 10256,
  proxyMetrics: 10249,
  ingress: ingressPort,
  gateway: gatewayPort,
} as const;

/** The address and name of containerd's own socket. */
export function containerdSocket(): string {
  return inHost('containerd', 'containerd.sock');
}

/** What is remembered of the machine as it was before, and of what was done. */
export interface HostState {
  /** The kernel's id of the boot in which the cluster was made. */
  boot: string;
  /** The node's address. */
  address: string;
  /** Fingerprint of programs and settings: another one is another cluster. */
  recipe: string;
  /** Values of kernel settings before the cluster changed them. */
  sysctls: Record<string, string>;
  /** Folders outside of the cluster's own which were not there before. */
  createdFolders: string[];
  /** Keys of the images that containerd has, by reference. */
  images: Record<string, string>;
  /** Fingerprint of the manifests that were applied last. */
  manifests: string;
}

const stateFile = (): string => inHost('state.json');

/** Reads the state; undefined when there is no cluster. */
export function readState(): HostState | undefined {
  if (!existsSync(stateFile())) return undefined;
  return JSON.parse(readFileSync(stateFile(), 'utf8')) as HostState;
}

/** Writes the state in one piece. */
export function writeState(state: HostState): void {
  mkdirSync(hostFolder(), { recursive: true });
  writeFileSync(`${stateFile()}.part`, JSON.stringify(state, undefined, 2));
  renameSync(`${stateFile()}.part`, stateFile());
}

/** The IPv4 address that the node goes by: the machine's first one which is not loopback. */
export function nodeAddress(): string {
  const found = Object.entries(networkInterfaces())
    .filter(([name]) => name !== bridge)
    .flatMap(([, addresses]) => addresses ?? [])
    .find((address) => address.family === 'IPv4' && !address.internal);
  if (found === undefined)
    throw new Error('This machine has no IPv4 address beside loopback: pods could not reach it');
  return found.address;
}
