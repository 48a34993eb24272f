import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { corednsManifests } from '../manifests/coredns.ts';
import { ingressNginxManifests } from '../manifests/ingressNginx.ts';
import type { Image } from '../../images/image.ts';
import { ensurePackages, missingPackages } from '../../lib/apt.ts';
import { hostPackages } from './packages.ts';
import { fingerprint } from '../../lib/cache.ts';
import { bootId, requireRunning, running, startDaemon } from '../../lib/daemon.ts';
import type { Daemon } from '../../lib/daemon.ts';
import type { Log } from '../../lib/log.ts';
import { portTaken } from '../../lib/ports.ts';
import { Refused } from '../../lib/refused.ts';
import { until } from '../../lib/wait.ts';
import { awaitApiServer, certificatesOf, writeAdminKubeconfig } from '../controlPlane.ts';
import { awaitIngress } from '../ingress.ts';
import { applyObjects, kubectlFor } from '../kubectl.ts';
import type { Kubectl } from '../kubectl.ts';
import type { Access } from '../types.ts';
import { hostDown } from './down.ts';
import { importImages } from './importImages.ts';
import {
  bridge,
  dnsAddress,
  hostFolder,
  inHost,
  nodeAddress,
  nodeName,
  ports,
  readState,
  writeState,
} from './layout.ts';
import type { HostState } from './layout.ts';
import {
  applySysctls,
  currentSysctls,
  fixedFolders,
  hasClusterRules,
  savedRules,
  sysctlChanges,
} from './machine.ts';
import {
  controlPlane,
  hasUpstreamResolvers,
  processes,
  writeConfiguration,
  writeIdentities,
} from './processes.ts';
import type { Programs } from './processes.ts';

/** Changes here make another cluster out of an old one necessary. */
const generation = '1';

/** The kubeconfig of the host cluster. */
export function hostAccess(): Access {
  return { kubeconfig: inHost('kubeconfig'), ingressUrl: `http://127.0.0.1:${String(ports.ingress)}` };
}

function recipeOf(programs: Programs): string {
  return fingerprint(generation, programs.etcd, programs.kubernetes);
}

/** What `up` would change on this machine, for people. */
export async function hostPlan(): Promise<string[]> {
  if (readState() !== undefined) return [];
  const packages = await missingPackages([...(await hostPackages()), 'mmdebstrap']);
  const sysctls = sysctlChanges();
  return [
    ...(packages.length === 0 ? [] : [`Debian packages to install: ${packages.join(' ')}`]),
    'processes to start: containerd, etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubelet, kube-proxy',
    `ports to listen on: ${Object.values(ports).join(', ')} (ingress-nginx: ${String(ports.ingress)}, a Gateway: ${String(ports.gateway)}); the API server and the kubelet on every address, the rest on loopback`,
    ...(sysctls.length === 0 ? [] : [`kernel settings: ${sysctls.join(' ')}`]),
    `network: a bridge ${bridge} and iptables rules in chains KUBE-* and CNI-*`,
    `folders: ${hostFolder()}; built programs and images in the cache beside it; Kubernetes itself uses ${fixedFolders.slice(0, 3).join(', ')} and control groups under kubepods`,
    '`down` undoes all of it but the Debian packages and the cache',
  ];
}

/** Refuses a machine on which something else has what the cluster needs. */
async function preflight(): Promise<void> {
  const taken: number[] = [];
  for (const port of Object.values(ports)) if (await portTaken(port)) taken.push(port);
  if (taken.length > 0) {
    throw new Refused(
      `Something listens on the ports ${taken.join(', ')}, which the host cluster needs. Another Kubernetes on this machine? Stop it, or use --provider existing.`,
    );
  }
  if (hasClusterRules(await savedRules())) {
    throw new Refused(
      'iptables has chains of another Kubernetes or CNI (KUBE-* or CNI-*). Use --provider existing, or remove them.',
    );
  }
}

/** Brings the host cluster up, repairs it when parts of it have died, or leaves it alone when it is well. */
export async function hostUp(programs: Programs, images: readonly Image[], log: Log): Promise<Access> {
  await ensurePackages(await hostPackages(), log);
  const address = nodeAddress();
  const known = readState();
  const reason = known === undefined ? undefined : obsolete(known, address, recipeOf(programs));
  if (reason !== undefined) {
    log.say(`The host cluster is made anew: ${reason}`);
    await hostDown(log);
  }
  const state = readState() ?? (await prepare(programs, address, images, log));
  const daemons = processes(programs, address);
  await startAll(daemons, state, programs, images, log);
  await applyManifests(programs, images, state, log);
  await log.step('waiting for ingress-nginx', () => awaitIngress(kubectl(programs), hostAccess().ingressUrl));
  return hostAccess();
}

function obsolete(state: HostState, address: string, recipe: string): string | undefined {
  if (state.boot !== bootId()) return 'the machine was restarted';
  if (state.address !== address) return `the machine's address was ${state.address} and is ${address}`;
  if (state.recipe !== recipe) return 'its programs are of another version';
  if (!existsSync(hostAccess().kubeconfig)) return 'it was not finished';
  return undefined;
}

/** First time: remembers how the machine was, then changes it and writes all files. */
async function prepare(
  programs: Programs,
  address: string,
  images: readonly Image[],
  log: Log,
): Promise<HostState> {
  await preflight();
  const state: HostState = {
    boot: bootId(),
    address,
    recipe: recipeOf(programs),
    sysctls: currentSysctls(),
    createdFolders: fixedFolders.filter((path) => !existsSync(path)),
    images: {},
    manifests: '',
  };
  writeState(state);
  await applySysctls();
  const plane = controlPlane(programs, address);
  await log.step('issuing certificates', () => writeIdentities(plane));
  writeConfiguration(plane, imageNamed(images, 'pause').reference);
  writeAdminKubeconfig(plane, certificatesOf(plane), hostAccess().kubeconfig, 'postgrest-operator-host');
  return state;
}

function kubectl(programs: Programs): Kubectl {
  return kubectlFor(join(programs.kubernetes, 'kubectl'), hostAccess().kubeconfig);
}

function imageNamed(images: readonly Image[], name: string): Image {
  const image = images.find(({ reference }) => reference.includes(`/${name}:`));
  if (image === undefined) throw new Error(`the image ${name} was not built`);
  return image;
}

async function startAll(
  daemons: readonly Daemon[],
  state: HostState,
  programs: Programs,
  images: readonly Image[],
  log: Log,
): Promise<void> {
  const [containerd, etcd, apiServer, ...rest] = daemons;
  if (containerd === undefined || etcd === undefined || apiServer === undefined)
    throw new Error('no processes');
  const dead = daemons.filter(({ pidFile }) => running(pidFile) === undefined);
  if (dead.length === 0) return importImages(containerd, state, images, log);
  if (dead.length < daemons.length) {
    log.say(`Starting again what has ended: ${dead.map(({ command }) => basename(command)).join(', ')}`);
  }
  for (const daemon of [containerd, etcd, apiServer]) await startDaemon(daemon);
  const call = kubectl(programs);
  await Promise.all([
    importImages(containerd, state, images, log),
    log.step('starting the API server', () =>
      awaitApiServer(join(programs.kubernetes, 'kubectl'), hostAccess().kubeconfig, [etcd, apiServer]),
    ),
  ]);
  for (const daemon of rest) await startDaemon(daemon);
  await log.step('waiting for the node to be ready', () => awaitNode(call, daemons));
}

/** Waits until the kubelet answers and the node is ready. What the node's status says may be older than the kubelet. */
async function awaitNode(call: Kubectl, daemons: readonly Daemon[]): Promise<void> {
  await until(
    'the node is ready',
    async () => {
      requireRunning(daemons);
      const health = await fetch(`http://127.0.0.1:${ports.kubeletHealth}/healthz`);
      if (!health.ok) return undefined;
      // A taint stays for a moment after the condition is true, and keeps pods away.
      const path = '{.status.conditions[?(@.type=="Ready")].status}{.spec.taints[*].key}';
      return (await call(['get', 'node', nodeName, '-o', `jsonpath=${path}`])) === 'True' ? true : undefined;
    },
    { timeoutMs: 120_000, everyMs: 250 },
  );
}

async function applyManifests(
  programs: Programs,
  images: readonly Image[],
  state: HostState,
  log: Log,
): Promise<void> {
  const toKubelets = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'kube-apiserver-to-kubelets' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:kubelet-api-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'kube-apiserver' }],
  };
  const objects = [
    toKubelets,
    ...corednsManifests({
      image: imageNamed(images, 'coredns').reference,
      address: dnsAddress,
      upstream: hasUpstreamResolvers(),
    }),
    ...ingressNginxManifests({
      image: imageNamed(images, 'ingress-nginx').reference,
      nodePort: ports.ingress,
    }),
  ];
  const key = fingerprint(JSON.stringify(objects));
  if (state.manifests === key) return;
  await log.step('applying CoreDNS and ingress-nginx', () => applyObjects(kubectl(programs), objects));
  state.manifests = key;
  writeState(state);
}
