import { hasCommand } from '../../lib/exec.ts';

const always = [
  'containernetworking-plugins',
  'iproute2',
  'iptables',
  'conntrack',
  'socat',
  'ethtool',
  'openssl',
  'mount',
  'procps',
];

/** The Debian packages that the host cluster runs on. */
export async function hostPackages(): Promise<string[]> {
  // Docker's own packages bring the same programs, and conflict with Debian's.
  const programs = await Promise.all(
    ['containerd', 'containerd-shim-runc-v2', 'ctr', 'runc'].map(hasCommand),
  );
  return programs.every(Boolean) ? always : ['containerd', 'runc', ...always];
}
