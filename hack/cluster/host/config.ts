// Renders the configuration files of containerd, CNI, the kubelet and kube-proxy.
import { bridge, clusterRange, dnsAddress, podRange, ports } from './layout.ts';

/** containerd's own configuration: nothing of it touches another containerd on the machine. */
export function containerdConfig(paths: {
  root: string;
  state: string;
  socket: string;
  cni: string;
  pause: string;
}): string {
  return `version = 2
root = "${paths.root}"
state = "${paths.state}"

[grpc]
  address = "${paths.socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${paths.pause}"
  restrict_oom_score_adj = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "${paths.cni}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
    SystemdCgroup = false
`;
}

/** The pod network: one bridge, addresses from one range, host ports. */
export function cniConfig(dataFolder: string): object {
  return {
    cniVersion: '1.0.0',
    name: 'postgrest-operator',
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        ipMasq: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: dataFolder,
        },
      },
      { type: 'portmap', capabilities: { portMappings: true }, snat: true },
    ],
  };
}

/** The kubelet's configuration. */
export function kubeletConfig(paths: {
  socket: string;
  clientAuthority: string;
  serving: { cert: string; key: string };
  resolvConf: string;
  podLogs: string;
  volumePlugins: string;
}): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    containerRuntimeEndpoint: `unix://${paths.socket}`,
    cgroupDriver: 'cgroupfs',
    // Debian bookworm in a virtual machine or a container often still has version 1.
    failCgroupV1: false,
    failSwapOn: false,
    clusterDNS: [dnsAddress],
    clusterDomain: 'cluster.local',
    resolvConf: paths.resolvConf,
    podLogsDir: paths.podLogs,
    volumePluginDir: paths.volumePlugins,
    port: ports.kubelet,
    healthzPort: ports.kubeletHealth,
    tlsCertFile: paths.serving.cert,
    tlsPrivateKeyFile: paths.serving.key,
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: paths.clientAuthority },
    },
    authorization: { mode: 'Webhook' },
    // Images are imported by hand: one that is collected never comes back.
    imageGCHighThresholdPercent: 100,
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '500Mi', 'imagefs.available': '500Mi' },
    maxPods: 240,
  };
}

/** kube-proxy's configuration; connection tracking keeps the machine's own limits. */
export function proxyConfig(kubeconfig: string, hostname: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clusterCIDR: clusterRange,
    hostnameOverride: hostname,
    // Node ports, which is to say the ingress, answer on this machine only.
    nodePortAddresses: ['127.0.0.0/8'],
    clientConnection: { kubeconfig },
    healthzBindAddress: `127.0.0.1:${String(ports.proxyHealth)}`,
    metricsBindAddress: `127.0.0.1:${String(ports.proxyMetrics)}`,
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}

/** The resolvers of a resolv.conf which pods can reach too: not those on loopback addresses. */
export function reachableResolvers(resolvConf: string): string {
  return resolvConf
    .split('\n')
    .filter((line) => /^\s*(nameserver|search|options)\s/.test(line))
    .filter((line) => !/^\s*nameserver\s+(127\.|::1)/.test(line))
    .map((line) => `${line.trim()}\n`)
    .join('');
}
