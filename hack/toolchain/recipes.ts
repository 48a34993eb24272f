/** How one program is built out of its Go module. */
export interface Recipe {
  version: string;
  /** The package to build, as seen from the module's folder. */
  source: string;
  /** Linker flags. */
  flags: string;
  /** About how long a build takes from nothing. */
  takes: string;
  /** Names beside the tool's own that the program answers to. */
  names?: readonly string[];
}

export type Tool =
  | 'kubernetes'
  | 'etcd'
  | 'coredns'
  | 'ingress-nginx'
  | 'pause'
  | 'helm'
  | 'kind'
  | 'traefik'
  | 'pgbouncer-exporter'
  | 'argo-rollouts';

// 1.34 is the newest that runs on hosts with cgroup v1 and on Debian bookworm's containerd 1.6.
const kubernetes = 'v1.34.10';

/** Without these a Kubernetes built as a module calls itself v0.0.0, and clients refuse to talk to it. */
function versionFlags(version: string): string {
  const [major = '', minor = ''] = version.slice(1).split('.');
  const values = {
    gitVersion: version,
    gitMajor: major,
    gitMinor: minor,
    gitTreeState: 'clean',
    gitCommit: 'unknown',
    buildDate: '1970-01-01T00:00:00Z',
  };
  return ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version']
    .flatMap((target) => Object.entries(values).map(([name, value]) => `-X ${target}.${name}=${value}`))
    .join(' ');
}

/** What is built, and of what. The versions repeat those of the go.mod files, for the names in the cache. */
export const recipes: Readonly<Record<Tool, Recipe>> = {
  kubernetes: {
    version: kubernetes,
    source: '.',
    flags: versionFlags(kubernetes),
    takes: '6 min',
    names: [
      'kube-apiserver',
      'kube-controller-manager',
      'kube-scheduler',
      'kube-proxy',
      'kubelet',
      'kubectl',
    ],
  },
  etcd: { version: 'v3.6.14', source: 'go.etcd.io/etcd/server/v3', flags: '', takes: '30 s' },
  coredns: { version: 'v1.14.7', source: 'github.com/coredns/coredns', flags: '', takes: '2 min' },
  // The only version that the Go module proxy offers: a development commit between v1.10 and v1.11.
  'ingress-nginx': {
    version: '20240708',
    source: 'k8s.io/ingress-nginx/cmd/nginx',
    flags: '',
    takes: '90 s',
  },
  pause: { version: '1', source: '.', flags: '', takes: '2 s' },
  helm: {
    version: 'v4.2.4',
    source: 'helm.sh/helm/v4/cmd/helm',
    flags: '-X helm.sh/helm/v4/internal/version.version=v4.2.4',
    takes: '70 s',
  },
  kind: { version: 'v0.32.0', source: 'sigs.k8s.io/kind', flags: '', takes: '5 s' },
  traefik: {
    version: 'v3.7.9',
    source: 'github.com/traefik/traefik/v3/cmd/traefik',
    flags: '-X github.com/traefik/traefik/v3/pkg/version.Version=v3.7.9',
    takes: '7 min',
  },
  'pgbouncer-exporter': {
    version: 'v0.12.1',
    source: 'github.com/prometheus-community/pgbouncer_exporter',
    flags: '',
    takes: '10 s',
  },
  // Only bench/rollout builds it.
  'argo-rollouts': {
    version: 'v1.9.1',
    source: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
    flags: '',
    takes: '2 min',
  },
};
