// etcd and kube-apiserver, which the host cluster and the API tests both start.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { requireRunning } from '../lib/daemon.ts';
import type { Daemon } from '../lib/daemon.ts';
import { run } from '../lib/exec.ts';
import { writeKubeconfig } from '../lib/kubeconfig.ts';
import { createAuthority, createSigningKey, issue, keyPairAt } from '../lib/pki.ts';
import type { KeyPair } from '../lib/pki.ts';
import { until } from '../lib/wait.ts';

/** Where a control plane lives and listens. */
export interface ControlPlane {
  /** Holds certificates, data, logs and pid files. */
  folder: string;
  /** The address that the API server announces to pods; it listens on all of the machine's only if this is not loopback. */
  address: string;
  ports: { api: number; etcd: number; etcdPeer: number };
  programs: { apiServer: string; etcd: string };
}

/** The certificates of a control plane. */
export interface Certificates {
  serverAuthority: KeyPair;
  clientAuthority: KeyPair;
  frontProxyAuthority: KeyPair;
  serving: KeyPair;
  toKubelets: KeyPair;
  frontProxy: KeyPair;
  serviceAccounts: KeyPair;
  admin: KeyPair;
}

export const serviceRange = '10.96.0.0/16';
const firstServiceAddress = '10.96.0.1';

/** The folder of a control plane's certificates. */
export function pkiFolder(plane: ControlPlane): string {
  return join(plane.folder, 'pki');
}

const files: Readonly<Record<keyof Certificates, string>> = {
  serverAuthority: 'server-ca',
  clientAuthority: 'client-ca',
  frontProxyAuthority: 'front-proxy-ca',
  serving: 'kube-apiserver',
  toKubelets: 'apiserver-kubelet-client',
  frontProxy: 'front-proxy',
  serviceAccounts: 'service-accounts',
  admin: 'admin',
};

/** The paths of a control plane's certificates. */
export function certificatesOf(plane: ControlPlane): Certificates {
  const at = (name: keyof Certificates): KeyPair => keyPairAt(pkiFolder(plane), files[name]);
  return {
    serverAuthority: at('serverAuthority'),
    clientAuthority: at('clientAuthority'),
    frontProxyAuthority: at('frontProxyAuthority'),
    serving: at('serving'),
    toKubelets: at('toKubelets'),
    frontProxy: at('frontProxy'),
    serviceAccounts: at('serviceAccounts'),
    admin: at('admin'),
  };
}

/** Creates the authorities and certificates that etcd's and the API server's flags name. */
export async function createCertificates(plane: ControlPlane): Promise<Certificates> {
  const folder = pkiFolder(plane);
  const { serverAuthority, clientAuthority, frontProxyAuthority } = certificatesOf(plane);
  await Promise.all([
    createAuthority(folder, files.serverAuthority),
    createAuthority(folder, files.clientAuthority),
    createAuthority(folder, files.frontProxyAuthority),
  ]);
  const local = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ];
  const names = [
    ...['localhost', ...local].map((name) => `DNS:${name}`),
    ...new Set(['127.0.0.1', firstServiceAddress, plane.address].map((address) => `IP:${address}`)),
  ];
  await Promise.all([
    issue(folder, serverAuthority, { file: files.serving, commonName: 'kube-apiserver', names }),
    issue(folder, clientAuthority, { file: files.toKubelets, commonName: 'kube-apiserver' }),
    issue(folder, frontProxyAuthority, { file: files.frontProxy, commonName: 'front-proxy' }),
    issue(folder, clientAuthority, {
      file: files.admin,
      commonName: 'admin',
      organization: 'system:masters',
    }),
  ]);
  createSigningKey(folder, files.serviceAccounts);
  return certificatesOf(plane);
}

function daemon(plane: ControlPlane, name: string, command: string, args: readonly string[]): Daemon {
  return {
    command,
    args,
    pidFile: join(plane.folder, 'run', `${name}.pid`),
    logFile: join(plane.folder, 'logs', `${name}.log`),
  };
}

/** etcd without fsync: what it holds need not survive a power cut. */
export function etcdDaemon(plane: ControlPlane): Daemon {
  const client = `http://127.0.0.1:${String(plane.ports.etcd)}`;
  const peer = `http://127.0.0.1:${String(plane.ports.etcdPeer)}`;
  const data = join(plane.folder, 'etcd');
  // etcd itself creates the folder with the permissions that it insists on.
  if (!existsSync(plane.folder)) mkdirSync(plane.folder, { recursive: true });
  return daemon(plane, 'etcd', plane.programs.etcd, [
    '--name=local',
    `--data-dir=${data}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=local=${peer}`,
    '--log-level=warn',
  ]);
}

/** kube-apiserver with RBAC on, as upstream ships it but for `extra`. */
export function apiServerDaemon(
  plane: ControlPlane,
  certificates: Certificates,
  extra: readonly string[] = [],
): Daemon {
  const { serving, clientAuthority, toKubelets, serviceAccounts, frontProxy, frontProxyAuthority } =
    certificates;
  return daemon(plane, 'kube-apiserver', plane.programs.apiServer, [
    `--etcd-servers=http://127.0.0.1:${String(plane.ports.etcd)}`,
    `--bind-address=${plane.address === '127.0.0.1' ? plane.address : '0.0.0.0'}`,
    `--secure-port=${String(plane.ports.api)}`,
    `--advertise-address=${plane.address}`,
    `--client-ca-file=${clientAuthority.cert}`,
    `--tls-cert-file=${serving.cert}`,
    `--tls-private-key-file=${serving.key}`,
    `--kubelet-client-certificate=${toKubelets.cert}`,
    `--kubelet-client-key=${toKubelets.key}`,
    // Otherwise `kubectl logs` looks for the node's name in the machine's DNS.
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${serviceAccounts.cert}`,
    `--service-account-signing-key-file=${serviceAccounts.key}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-cluster-ip-range=${serviceRange}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--requestheader-client-ca-file=${frontProxyAuthority.cert}`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${frontProxy.cert}`,
    `--proxy-client-key-file=${frontProxy.key}`,
    ...extra,
  ]);
}

/** Writes the kubeconfig of the administrator. */
export function writeAdminKubeconfig(
  plane: ControlPlane,
  certificates: Certificates,
  path: string,
  name: string,
): void {
  writeKubeconfig(path, {
    name,
    server: `https://127.0.0.1:${String(plane.ports.api)}`,
    authority: certificates.serverAuthority.cert,
    client: certificates.admin,
  });
}

/** Waits until the API server says that it is ready; fails at once when one of the daemons has ended. */
export async function awaitApiServer(
  kubectl: string,
  kubeconfig: string,
  daemons: readonly Daemon[],
): Promise<void> {
  await until(
    'the API server is ready',
    async () => {
      requireRunning(daemons);
      const args = ['--kubeconfig', kubeconfig, '--request-timeout=5s', 'get', '--raw', '/readyz'];
      return (await run(kubectl, args)) === 'ok' ? true : undefined;
    },
    { timeoutMs: 120_000, everyMs: 200 },
  );
}
