// The processes of the host cluster, in the order in which they start.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Daemon } from '../../lib/daemon.ts';
import { writeKubeconfig } from '../../lib/kubeconfig.ts';
import { issue } from '../../lib/pki.ts';
import type { KeyPair } from '../../lib/pki.ts';
import {
  apiServerDaemon,
  certificatesOf,
  createCertificates,
  etcdDaemon,
  pkiFolder,
  serviceRange,
} from '../controlPlane.ts';
import type { ControlPlane } from '../controlPlane.ts';
import { cniConfig, containerdConfig, kubeletConfig, proxyConfig, reachableResolvers } from './config.ts';
import { clusterRange, containerdSocket, hostFolder, inHost, nodeName, ports } from './layout.ts';

/** The programs that the host cluster runs. */
export interface Programs {
  etcd: string;
  /** The folder of the Kubernetes binary's names. */
  kubernetes: string;
}

const clients = ['kube-controller-manager', 'kube-scheduler', 'kube-proxy', 'kubelet'] as const;
type Client = (typeof clients)[number];

const kubeconfigOf = (client: Client): string => inHost('config', `${client}.kubeconfig`);
const configOf = (name: string): string => inHost('config', name);

/** Where the control plane lives. */
export function controlPlane(programs: Programs, address: string): ControlPlane {
  return {
    folder: hostFolder(),
    address,
    ports,
    programs: { etcd: programs.etcd, apiServer: join(programs.kubernetes, 'kube-apiserver') },
  };
}

function write(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** Creates certificates and client configurations: once in a cluster's life. */
export async function writeIdentities(plane: ControlPlane): Promise<void> {
  const certificates = await createCertificates(plane);
  const folder = pkiFolder(plane);
  const identity: Readonly<Record<Client, { commonName: string; organization?: string }>> = {
    'kube-controller-manager': { commonName: 'system:kube-controller-manager' },
    'kube-scheduler': { commonName: 'system:kube-scheduler' },
    'kube-proxy': { commonName: 'system:kube-proxy' },
    kubelet: { commonName: `system:node:${nodeName}`, organization: 'system:nodes' },
  };
  mkdirSync(inHost('config'), { recursive: true });
  const authority = certificates.serverAuthority.cert;
  const server = `https://127.0.0.1:${String(ports.api)}`;
  for (const name of clients) {
    const client = await issue(folder, certificates.clientAuthority, { file: name, ...identity[name] });
    writeKubeconfig(kubeconfigOf(name), { name: 'host', user: name, server, authority, client });
  }
  const names = [`DNS:${nodeName}`, `IP:${plane.address}`, 'IP:127.0.0.1'];
  await issue(folder, certificates.serverAuthority, { file: 'kubelet-serving', commonName: nodeName, names });
}

/** Writes the configuration files, which may change from one version of these scripts to the next. */
export function writeConfiguration(plane: ControlPlane, pauseImage: string): void {
  const folder = pkiFolder(plane);
  const serving: KeyPair = {
    cert: join(folder, 'kubelet-serving.crt'),
    key: join(folder, 'kubelet-serving.key'),
  };
  const cni = inHost('cni');
  const socket = containerdSocket();
  write(
    configOf('containerd.toml'),
    containerdConfig({
      root: inHost('containerd', 'root'),
      state: inHost('containerd', 'state'),
      socket,
      cni,
      pause: pauseImage,
    }),
  );
  write(
    join(cni, '10-postgrest-operator.conflist'),
    JSON.stringify(cniConfig(inHost('cni-addresses')), undefined, 2),
  );
  write(configOf('resolv.conf'), reachableResolvers(machineResolvers()));
  write(
    configOf('kubelet.yaml'),
    stringify(
      kubeletConfig({
        socket,
        clientAuthority: certificatesOf(plane).clientAuthority.cert,
        serving,
        resolvConf: configOf('resolv.conf'),
        podLogs: inHost('pod-logs'),
        volumePlugins: inHost('volume-plugins'),
      }),
    ),
  );
  write(configOf('kube-proxy.yaml'), stringify(proxyConfig(kubeconfigOf('kube-proxy'), nodeName)));
}

/** Whether pods can ask the machine's DNS servers. */
export function hasUpstreamResolvers(): boolean {
  return readFileSync(configOf('resolv.conf'), 'utf8').includes('nameserver');
}

/** The resolv.conf with the machine's real servers: with systemd-resolved /etc/resolv.conf only names its stub. */
function machineResolvers(): string {
  for (const path of ['/run/systemd/resolve/resolv.conf', '/etc/resolv.conf']) {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      // Not on this machine.
    }
  }
  return '';
}

/** All processes of the cluster, in the order in which they start. */
export function processes(programs: Programs, address: string): Daemon[] {
  const plane = controlPlane(programs, address);
  const { serverAuthority, serviceAccounts } = certificatesOf(plane);
  const daemon = (name: string, command: string, args: readonly string[]): Daemon => ({
    command,
    args,
    pidFile: inHost('run', `${name}.pid`),
    logFile: inHost('logs', `${name}.log`),
  });
  const kubernetes = (name: Client, args: readonly string[]): Daemon =>
    daemon(name, join(programs.kubernetes, name), args);
  const ownAccess = (name: Client): string[] =>
    ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
      (flag) => `--${flag}=${kubeconfigOf(name)}`,
    );
  return [
    daemon('containerd', 'containerd', ['--config', configOf('containerd.toml')]),
    etcdDaemon(plane),
    apiServerDaemon(plane, certificatesOf(plane)),
    kubernetes('kube-controller-manager', [
      ...ownAccess('kube-controller-manager'),
      '--bind-address=127.0.0.1',
      `--secure-port=${String(ports.controllerManager)}`,
      `--root-ca-file=${serverAuthority.cert}`,
      `--service-account-private-key-file=${serviceAccounts.key}`,
      `--cluster-signing-cert-file=${certificatesOf(plane).clientAuthority.cert}`,
      `--cluster-signing-key-file=${certificatesOf(plane).clientAuthority.key}`,
      '--use-service-account-credentials=true',
      '--leader-elect=false',
      '--allocate-node-cidrs=true',
      `--cluster-cidr=${clusterRange}`,
      `--service-cluster-ip-range=${serviceRange}`,
    ]),
    kubernetes('kube-scheduler', [
      ...ownAccess('kube-scheduler'),
      '--bind-address=127.0.0.1',
      `--secure-port=${String(ports.scheduler)}`,
      '--leader-elect=false',
    ]),
    kubernetes('kubelet', [
      `--config=${configOf('kubelet.yaml')}`,
      `--kubeconfig=${kubeconfigOf('kubelet')}`,
      `--hostname-override=${nodeName}`,
      `--node-ip=${address}`,
      `--root-dir=${inHost('kubelet')}`,
      `--cert-dir=${inHost('kubelet-certificates')}`,
    ]),
    kubernetes('kube-proxy', [`--config=${configOf('kube-proxy.yaml')}`]),
  ];
}
